//! Fetches the page and turns what it says into a text and an exit code.

use std::fmt::Write;
use std::time::Duration;

use event_gateway::clock;

use super::page::Page;
use super::verdict::{Finding, findings};

const PATH: &str = "/api/v2/metrics/prometheus";
const PATIENCE: Duration = Duration::from_secs(10);

/// The exit codes.
const WELL: u8 = 0;
const NOT_WELL: u8 = 1;
const UNREADABLE: u8 = 2;

/// What is to be said of the host at this URL, with or without the path, and the exit code.
pub fn examine(url: &str) -> (String, u8) {
    let url = full_url(url);
    match fetched(&url) {
        Ok(text) => told(&url, &text, clock::unix_seconds(clock::wall())),
        Err(why) => (
            format!(
                "{url} cannot be read: {why}\n\
                 Is Fluent Bit running there, with http_server on, and the port forwarded?\n"
            ),
            UNREADABLE,
        ),
    }
}

fn full_url(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let scheme = if url.contains("://") { "" } else { "http://" };
    let path = if url.ends_with(PATH) { "" } else { PATH };
    format!("{scheme}{url}{path}")
}

fn fetched(url: &str) -> Result<String, String> {
    let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().new_agent();
    let mut answer = agent.get(url).call().map_err(|error| error.to_string())?;
    let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
    if text.contains("# TYPE ") {
        Ok(text)
    } else {
        Err("it is no page of metrics (a host that has just started has none for a second)".to_owned())
    }
}

/// A block for each output: its name, whether all is well, and a line for each finding.
pub fn told(url: &str, text: &str, now_seconds: u64) -> (String, u8) {
    let page = Page::read(text);
    let mut out = format!("{url}\n");
    let mut code = WELL;
    if page.instances().is_empty() {
        out += "no output event_gateway tells its figures here: look at the configuration\n";
        code = NOT_WELL;
    }
    for instance in page.instances() {
        let findings = findings(&page, instance, now_seconds);
        let well = findings.iter().all(|finding| !finding.is_trouble);
        if !well {
            code = NOT_WELL;
        }
        // A String takes any text.
        let _ = writeln!(out, "\n{instance}: {}", if well { "well" } else { "NOT WELL" });
        for Finding { is_trouble, what, text } in findings {
            let mark = if is_trouble { '!' } else { ' ' };
            let _ = writeln!(out, "{mark} {what:<9}{text}");
        }
    }
    (out, code)
}
