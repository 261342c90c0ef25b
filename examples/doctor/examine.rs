//! Fetches the page, follows the source where it may, and turns what they say into a text and an exit code.

use std::fmt::Write;
use std::time::Duration;

use event_gateway::clock;

use super::finding::Finding;
use super::options::Options;
use super::page::Page;
use super::source;
use super::verdict::findings;
use super::waiting::chunks_in_host;

const PATH: &str = "/api/v2/metrics/prometheus";
const PATIENCE: Duration = Duration::from_secs(10);
/// Chunks that seem to wait in Fluent Bit are looked at so many times more, so far apart: a page shows a chunk that is
/// delivered in this moment, too.
const LOOKS: usize = 3;
const BETWEEN_LOOKS: Duration = Duration::from_secs(3);

/// The exit codes.
const WELL: u8 = 0;
const NOT_WELL: u8 = 1;
pub const UNREADABLE: u8 = 2;

/// What is to be said of the host at this URL, with or without the path, and the exit code.
pub fn examine(options: &Options) -> (String, u8) {
    let url = full_url(&options.url);
    match looked_at(&url, options) {
        Ok((pages, source)) => told(&url, &pages, source, clock::unix_seconds(clock::wall())),
        Err(why) => (
            format!(
                "{url} cannot be read: {why}\n\
                 Is Fluent Bit running there, with http_server on, and the port forwarded?\n"
            ),
            UNREADABLE,
        ),
    }
}

/// The pages, and what is to be said of the source.
fn looked_at(url: &str, options: &Options) -> Result<(Vec<Page>, Finding), String> {
    let first = fetched(url)?;
    let (source, now) = match &options.access {
        None => (source::not_checked(), first),
        Some(access) => {
            let before = records_read(&first);
            let has_read = || fetched(url).is_ok_and(|page| records_read(&page).total_cmp(&before).is_ne());
            (source::follow(access, has_read), fetched(url)?)
        }
    };
    let mut pages = vec![now];
    while pages.len() <= LOOKS && pages.last().and_then(chunks_in_host).is_some_and(|chunks| chunks > 0.0) {
        std::thread::sleep(BETWEEN_LOOKS);
        pages.push(fetched(url)?);
    }
    Ok((pages, source))
}

/// What the input that reads events has read; under an alias of its own, what reaches the outputs.
fn records_read(page: &Page) -> f64 {
    let inputs = page.of_host("fluentbit_input_records_total");
    let of_events: Vec<f64> = inputs
        .into_iter()
        .filter(|(name, _)| name.starts_with("kubernetes_events"))
        .map(|(_, records)| records)
        .collect();
    if of_events.is_empty() {
        page.instances().iter().filter_map(|instance| page.figure(instance, "records_total")).sum()
    } else {
        of_events.into_iter().sum()
    }
}

fn full_url(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let scheme = if url.contains("://") { "" } else { "http://" };
    let path = if url.ends_with(PATH) { "" } else { PATH };
    format!("{scheme}{url}{path}")
}

fn fetched(url: &str) -> Result<Page, String> {
    let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().new_agent();
    let mut answer = agent.get(url).call().map_err(|error| error.to_string())?;
    let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
    if text.contains("# TYPE ") {
        Ok(Page::read(&text))
    } else {
        Err("it is no page of metrics (a host that has just started has none for a second)".to_owned())
    }
}

/// The source, then a block for each output: its name, whether all is well, and a line for each finding.
pub fn told(url: &str, pages: &[Page], source: Finding, now_seconds: u64) -> (String, u8) {
    let mut out = format!("{url}\n");
    let mut code = if source.is_trouble { NOT_WELL } else { WELL };
    line(&mut out, &source);
    let instances = pages.last().map(Page::instances);
    if instances.is_none_or(std::collections::BTreeSet::is_empty) {
        out += "no output event_gateway tells its figures here: look at the configuration\n";
        code = NOT_WELL;
    }
    for instance in instances.into_iter().flatten() {
        let findings = findings(pages, instance, now_seconds);
        let well = findings.iter().all(|finding| !finding.is_trouble);
        if !well {
            code = NOT_WELL;
        }
        // A String takes any text.
        let _ = writeln!(out, "\n{instance}: {}", if well { "well" } else { "NOT WELL" });
        for finding in &findings {
            line(&mut out, finding);
        }
    }
    (out, code)
}

fn line(out: &mut String, Finding { is_trouble, what, text }: &Finding) {
    let mark = if *is_trouble { '!' } else { ' ' };
    let _ = writeln!(out, "{mark} {what:<9}{text}");
}
