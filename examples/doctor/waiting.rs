//! The chunks that wait: in the plugin, and in Fluent Bit, which keeps a chunk until its retry.
//!
//! Fluent Bit does not publish the length of its retry queue. A chunk in that queue counts as busy in the storage of its
//! input, and so do the chunks that an output processes. So the busy chunks that no output `event_gateway` has in flight
//! wait for a retry, or belong to another output. The two metrics are updated at different moments, so only what nearly
//! all of several pages show is reported. No metric says to which output a chunk belongs: it is a problem of this output
//! only if it has retries now, or fails.

use super::finding::{Finding, finding, span};
use super::page::Page;
use super::verdict::Output;

/// A chunk may wait for the tries and timeouts of its batch. At the start it also waits for `topology_wait`, so its age
/// means nothing then.
const OLD_CHUNK_SECONDS: f64 = 60.0;

const BUSY_CHUNKS: &str = "fluentbit_input_storage_chunks_busy";
const BUSY_BYTES: &str = "fluentbit_input_storage_chunks_busy_bytes";
const RETRIES: &str = "fluentbit_output_retries_total";
const PAUSED: &str = "fluentbit_input_ingestion_paused";

/// The chunks of this page that wait in Fluent Bit; `None` if it does not publish them.
pub fn chunks_in_host(page: &Page) -> Option<f64> {
    let in_flight: f64 =
        page.instances().iter().filter_map(|instance| page.figure(instance, "jobs_in_flight")).sum();
    Some((page.sum_of_host(BUSY_CHUNKS)? - in_flight).max(0.0))
}

pub fn findings(output: &Output<'_>, pages: &[Page]) -> Vec<Finding> {
    let mut found = vec![in_plugin(output)];
    found.extend(in_host(output, pages));
    let paused: Vec<&str> =
        output.page.of_host(PAUSED).iter().filter(|(_, value)| *value > 0.0).map(|(name, _)| *name).collect();
    if !paused.is_empty() {
        let text = format!(
            "Fluent Bit has paused {}: its buffers are full (mem_buf_limit, storage.max_chunks_up); new records are \
             not read until chunks are delivered",
            paused.join(", ")
        );
        found.push(finding(true, "waiting", text));
    }
    found
}

fn in_plugin(output: &Output<'_>) -> Finding {
    let Some(oldest) = output.ago("oldest_job_timestamp_seconds") else {
        return finding(false, "waiting", "no chunk in the plugin");
    };
    let text =
        format!("{} chunks in the plugin, the oldest for {}", output.of("jobs_in_flight"), span(oldest));
    let waits_for_topology = output.of("topology_enabled") > 0.0 && output.of("topology_ready") == 0.0;
    finding(oldest > OLD_CHUNK_SECONDS && !waits_for_topology, "waiting", text)
}

fn in_host(output: &Output<'_>, pages: &[Page]) -> Option<Finding> {
    let seen: Option<Vec<f64>> = pages.iter().map(chunks_in_host).collect();
    let Some(mut seen) = seen else {
        let text = "Fluent Bit does not publish what waits in its own queue: set storage.metrics on";
        return Some(finding(false, "waiting", text));
    };
    // One of four pages may show the moment in which the chunk was retried.
    seen.sort_by(f64::total_cmp);
    let chunks = seen.get(usize::from(seen.len() > 2)).copied().filter(|chunks| *chunks > 0.0)?;
    let bytes = output.page.sum_of_host(BUSY_BYTES).unwrap_or(0.0);
    let retries = output.page.host_figure(output.instance, RETRIES);
    // Earlier retries may belong to chunks that were delivered since.
    let before = pages.first().map_or(retries, |page| page.host_figure(output.instance, RETRIES));
    let is_ours = retries > before || output.of("endpoint_failing_since_timestamp_seconds") > 0.0;
    let text = if is_ours {
        format!(
            "{chunks} chunks ({bytes} bytes) in Fluent Bit's retry queue ({retries} retries of this output since the \
             start); Fluent Bit retries them by itself, at the latest after scheduler.cap"
        )
    } else {
        format!(
            "{chunks} chunks ({bytes} bytes) wait in Fluent Bit, for a retry of this or of another output"
        )
    };
    Some(finding(is_ours, "waiting", text))
}
