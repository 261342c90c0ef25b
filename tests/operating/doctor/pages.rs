//! Pages of metrics for the tests, and what the doctor says of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use event_gateway::metrics::cluster::{REASONS, RESOURCES};

use super::page::Page;
use super::{examine, source, verdict};

pub const NOW: u64 = 1_795_246_090;

/// A page of a healthy output, with these figures changed; one with further labels is written `figure{label="value"}`,
/// one of the host whole.
pub fn page_with(instance: &str, changed: &[(&str, u64)]) -> String {
    let mut figures: BTreeMap<String, u64> =
        verdict::FIGURES.into_iter().map(|figure| (figure.to_owned(), 0)).collect();
    for resource in RESOURCES {
        figures
            .insert(format!("topology_last_message_timestamp_seconds{{resource=\"{resource}\"}}"), NOW - 4);
        for reason in REASONS {
            figures.insert(unfollowed(resource, reason), 0);
        }
    }
    figures.insert("request_retries_total{class=\"tls\"}".to_owned(), 0);
    figures.insert("correlated_records_total{correlation=\"matched\"}".to_owned(), 638);
    figures.insert("correlated_records_total{correlation=\"none\"}".to_owned(), 362);
    for (figure, value) in [
        ("published_timestamp_seconds", NOW - 1),
        ("delivering", 1),
        ("records_total", 1_061),
        ("delivered_records_total", 1_000),
        ("duplicate_records_total", 61),
        ("last_acknowledgement_timestamp_seconds", NOW - 13),
        ("topology_enabled", 1),
        ("topology_ready", 1),
        ("fluentbit_input_storage_chunks_busy{name=\"kubernetes_events.0\"}", 0),
        ("fluentbit_input_storage_chunks_busy_bytes{name=\"kubernetes_events.0\"}", 0),
        ("fluentbit_input_records_total{name=\"kubernetes_events.0\"}", 1_061),
    ]
    .iter()
    .chain(changed)
    {
        figures.insert((*figure).to_owned(), *value);
    }
    let mut text =
        "# HELP fluentbit_uptime Number of seconds.\n# TYPE fluentbit_uptime counter\nfluentbit_uptime 3\n"
            .to_owned();
    for (figure, value) in figures {
        let _ = match figure.split_once('{') {
            _ if figure.starts_with("fluentbit_") => writeln!(text, "{figure} {value}"),
            Some((figure, labels)) => {
                writeln!(text, "event_gateway_{figure}{{name=\"{instance}\",{labels} {value}")
            }
            None => writeln!(text, "event_gateway_{figure}{{name=\"{instance}\"}} {value}"),
        };
    }
    text
}

/// The name of a figure for `page_with`.
pub fn unfollowed(resource: &str, reason: &str) -> String {
    format!("topology_unfollowed{{resource=\"{resource}\",reason=\"{reason}\"}}")
}

pub fn events_of(resource: &str) -> String {
    format!("topology_last_message_timestamp_seconds{{resource=\"{resource}\"}}")
}

/// The report on such a page, its exit code, and the lines that tell trouble.
pub fn report(text: &str) -> (String, u8, Vec<String>) {
    report_of(&[text])
}

/// The same of several pages, a few seconds apart.
pub fn report_of(texts: &[&str]) -> (String, u8, Vec<String>) {
    let pages: Vec<Page> = texts.iter().map(|text| Page::read(text)).collect();
    let (report, code) = examine::report("http://host", &pages, source::not_checked(), NOW);
    let trouble = report.lines().filter(|line| line.starts_with('!')).map(str::to_owned).collect();
    (report, code, trouble)
}
