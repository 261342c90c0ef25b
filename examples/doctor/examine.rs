//! Fetches the page of metrics, follows the source if possible, and makes a report and an exit code of both.

use std::fmt::Write;
use std::time::Duration;

use event_gateway::clock;
use event_gateway::secrets::plain::plain;

use super::finding::{Finding, finding};
use super::inputs::Silent;
use super::options::Options;
use super::page::Page;
use super::source;
use super::verdict::findings;
use super::waiting::chunks_in_host;

const PATH: &str = "/api/v2/metrics/prometheus";
const PATIENCE: Duration = Duration::from_secs(10);
/// Fluent Bit responds with 404 or an empty page for a second or two after its start, and sometimes later.
const ABSENCE: Duration = Duration::from_secs(5);
const BETWEEN_TRIES: Duration = Duration::from_millis(500);
/// How often, and how far apart, the page is fetched again if chunks seem to wait in Fluent Bit: a single page also shows
/// a chunk that is just being delivered.
const LOOKS: usize = 3;
const BETWEEN_LOOKS: Duration = Duration::from_secs(3);

/// The exit codes.
const WELL: u8 = 0;
const NOT_WELL: u8 = 1;
pub const UNREADABLE: u8 = 2;

/// The report on the host at this URL, with or without the path, and the exit code.
pub fn examine(options: &Options) -> (String, u8) {
    let url = full_url(&options.url);
    match examined(&url, options) {
        Ok((pages, source)) => report(&url, &pages, source, clock::unix_seconds(clock::wall())),
        Err(why) => (
            format!(
                "{url} cannot be read: {}\n\
                 Is Fluent Bit running there, with http_server on, and the port forwarded?\n",
                plain(&why)
            ),
            UNREADABLE,
        ),
    }
}

/// The pages, and the finding about the source.
fn examined(url: &str, options: &Options) -> Result<(Vec<Page>, Finding), String> {
    let first = fetched(url)?;
    let (source, now) = match &options.access {
        None => (source::not_checked(), first),
        Some(access) => {
            let source = match Silent::on(&first, &access.inputs) {
                // A named input that does not exist is a problem; an unknown input is not.
                Err(why) => finding(!access.inputs.is_empty(), "source", why),
                Ok(mut silent) => source::follow(access, || {
                    if let Ok(page) = fetched(url) {
                        silent.look_at(&page);
                    }
                    silent.names()
                }),
            };
            (source, fetched(url)?)
        }
    };
    let mut pages = vec![now];
    while pages.len() <= LOOKS && pages.last().and_then(chunks_in_host).is_some_and(|chunks| chunks > 0.0) {
        std::thread::sleep(BETWEEN_LOOKS);
        pages.push(fetched(url)?);
    }
    Ok((pages, source))
}

fn full_url(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let scheme = if url.contains("://") { "" } else { "http://" };
    let path = if url.ends_with(PATH) { "" } else { PATH };
    format!("{scheme}{url}{path}")
}

/// The page; it is requested again while it does not exist yet.
fn fetched(url: &str) -> Result<Page, String> {
    let start = clock::monotonic();
    loop {
        match asked(url) {
            Err((why, true)) if start.elapsed() >= ABSENCE => return Err(why),
            Err((_, true)) => std::thread::sleep(BETWEEN_TRIES),
            answer => return answer.map_err(|(why, _)| why),
        }
    }
}

/// The page, or why there is none and whether it may appear later.
fn asked(url: &str) -> Result<Page, (String, bool)> {
    let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().new_agent();
    let failed = |error: ureq::Error| {
        let is_absent = matches!(error, ureq::Error::StatusCode(404));
        (error.to_string(), is_absent)
    };
    let mut answer = agent.get(url).call().map_err(failed)?;
    let text = answer.body_mut().read_to_string().map_err(failed)?;
    if text.contains("# TYPE ") {
        Ok(Page::read(&text))
    } else {
        Err(("it is not a page of metrics".to_owned(), true))
    }
}

/// The source, then a block for each output: its name, whether all is well, and a line for each finding.
pub fn report(url: &str, pages: &[Page], source: Finding, now_seconds: u64) -> (String, u8) {
    let mut out = format!("{url}\n");
    let mut code = if source.is_trouble { NOT_WELL } else { WELL };
    line(&mut out, &source);
    let instances = pages.last().map(Page::instances);
    if instances.is_none_or(std::collections::BTreeSet::is_empty) {
        out += "no output event_gateway publishes metrics here: look at the configuration\n";
        code = NOT_WELL;
    }
    for instance in instances.into_iter().flatten() {
        let findings = findings(pages, instance, now_seconds);
        let well = findings.iter().all(|finding| !finding.is_trouble);
        if !well {
            code = NOT_WELL;
        }
        // Writing into a String cannot fail.
        let _ = writeln!(out, "\n{}: {}", plain(instance), if well { "well" } else { "NOT WELL" });
        for finding in &findings {
            line(&mut out, finding);
        }
    }
    (out, code)
}

fn line(out: &mut String, Finding { is_trouble, what, text }: &Finding) {
    let mark = if *is_trouble { '!' } else { ' ' };
    // The text comes from the page, the API server and proxies, and is shown on a terminal.
    let _ = writeln!(out, "{mark} {what:<9}{}", plain(text));
}
