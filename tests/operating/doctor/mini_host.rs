//! Does the doctor read a page that is served, and does it understand what a mini host publishes?

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use event_gateway::clock;

use super::examine::{examine, report};
use super::options::Options;
use super::page::Page;
use super::pages::{NOW, page_with, unfollowed};
use super::source;
use super::support::gateway::{Answer, TestGateway};
use super::support::host::{Build, Code, MiniHost};
use super::support::kube_api::KubeApi;
use super::support::{events, started, value};

/// What is asked of this URL alone.
fn of(url: &str) -> Options {
    Options { url: url.to_owned(), access: None }
}

#[test]
fn a_served_page_is_read_and_anything_else_is_reported() {
    let now = clock::unix_seconds(clock::wall());
    let page_with = |changed: &[(&str, u64)]| {
        let changed: Vec<_> = [("published_timestamp_seconds", now)].iter().chain(changed).copied().collect();
        page_with("shop", &changed).replace(&(NOW - 4).to_string(), &now.to_string())
    };
    let server = TestGateway::start();
    let base = server.url().replace("/events", "");
    let asked = |answer: Answer, url: &str| {
        server.answer(answer);
        let (text, code) = examine(&of(url));
        assert!(text.contains(&base), "{text}");
        code
    };
    let well = page_with(&[]);
    let ill = page_with(&[("dropped_records_total", 1)]);
    assert_eq!(asked(Answer::ok().body(well.clone()), &base), 0);
    assert_eq!(asked(Answer::ok().body(well.clone()), &format!("{base}/")), 0);
    assert_eq!(asked(Answer::ok().body(well), base.trim_start_matches("http://")), 0);
    let full = format!("{base}/api/v2/metrics/prometheus");
    assert_eq!(asked(Answer::ok().body(ill), &full), 1);
    assert!(server.requests().iter().all(|request| request.path == "/api/v2/metrics/prometheus"));
    // A host answers 404 for a moment, now and then.
    server.answer(Answer::status(404));
    server.answer(Answer::status(404));
    server.answer(Answer::ok());
    assert_eq!(asked(Answer::ok().body(page_with(&[])), &base), 0);
    assert_eq!(asked(Answer::close_after_body(), &base), 2);
    let start = clock::monotonic();
    for never in [Answer::status(404), Answer::ok().body("<html>Welcome to nginx</html>")] {
        server.set_default(never);
        assert_eq!(examine(&of(&base)).1, 2);
    }
    assert!(start.elapsed().as_secs() >= 10, "each was asked again for five seconds");
    server.stop();
    assert_eq!(examine(&of(&base)).1, 2, "nobody is there");
}

/// The page of this mini host, as the doctor sees it now.
fn of_host(host: &mut MiniHost) -> (String, u8) {
    let now = clock::unix_seconds(clock::wall());
    let page = host.exposition();
    report("http://mini-host", &[Page::read(&page)], source::not_checked(), now)
}

#[test]
fn what_the_plugin_publishes_is_understood() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &[("alias", "shop")]);
    let (text, code) = of_host(&mut host);
    assert!(code == 0 && text.contains("last acknowledgement never yet"), "{text}");
    assert_eq!(host.deliver("a", "t", &events(["u1", "u2"])), Code::Ok);
    host.metrics_when(|metrics| value(metrics, "delivered_records_total") == 2.0);
    let (text, code) = of_host(&mut host);
    assert!(code == 0 && text.contains("2 delivered of 2 read"), "{text}");

    gateway.set_default(Answer::status(503).header("Retry-After", "60"));
    assert_eq!(host.deliver("a", "t", &events(["u3"])), Code::Retry);
    host.metrics_when(|metrics| value(metrics, "endpoint_open") == 0.0);
    let (text, code) = of_host(&mut host);
    assert!(code == 1 && text.contains("! gateway  failing for ") && text.contains("(http_5xx 1 "), "{text}");
    assert!(text.contains("closed for "), "{text}");
    host.quit();
}

/// The lines of the text in which grep finds the pattern.
fn grep(pattern: &str, text: &str) -> String {
    let mut grep = Command::new("grep")
        .args(["-E", pattern])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("grep");
    grep.stdin.take().expect("piped").write_all(text.as_bytes()).expect("a page for grep");
    String::from_utf8(grep.wait_with_output().expect("its answer").stdout).expect("text")
}

/// The line of docs/metrics.md for clusters without Rust.
#[test]
fn the_documented_line_finds_what_the_document_shows() {
    let document = include_str!("../../../docs/metrics.md");
    let pattern = document.split("grep -E \\\n  '").nth(1).and_then(|rest| rest.split('\'').next());
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &[("alias", "shop")]);
    let page = host.exposition();
    host.quit();
    let found = grep(pattern.expect("the pattern"), &page);
    let names = |text: &str| -> BTreeSet<String> {
        let of_line = |line: &str| line.split_once('{').map(|(name, _)| name.to_owned());
        text.lines().filter(|line| line.starts_with("event_gateway_")).filter_map(of_line).collect()
    };
    let shown = document.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(names(&found), names(shown.expect("a sample")));
}

/// The second one: resources that are not followed, and what Fluent Bit holds.
#[test]
fn the_second_documented_line_finds_what_is_not_followed_and_what_fluent_bit_holds() {
    let document = include_str!("../../../docs/metrics.md");
    let pattern = document.split("grep -E 'unfollowed").nth(1).and_then(|rest| rest.split('\'').next());
    let pattern = format!("unfollowed{}", pattern.expect("the pattern"));
    let retries = "fluentbit_output_retries_total{name=\"shop\"}";
    let busy = "fluentbit_input_storage_chunks_busy{name=\"kubernetes_events.0\"}";
    let well = grep(&pattern, &page_with("shop", &[(retries, 17)]));
    assert_eq!(well, format!("{busy} 0\n{retries} 17\n"));
    let pods = unfollowed("pods", "forbidden");
    let found = grep(&pattern, &page_with("shop", &[(retries, 17), (busy, 3), (&pods, 1)]));
    let of_pods =
        "event_gateway_topology_unfollowed{name=\"shop\",resource=\"pods\",reason=\"forbidden\"} 1\n";
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(lines(&found), lines(&format!("{of_pods}{busy} 3\n{retries} 17\n")));
    // The names are those that a host publishes.
    let (gateway, api) = (TestGateway::start(), KubeApi::start());
    api.forbid("pods");
    let mut host = started(Build::V5_1_1, &gateway, &[("alias", "shop"), ("kube_url", &api.url())]);
    let start = clock::monotonic();
    while !grep(&pattern, &host.exposition()).contains(of_pods) {
        assert!(start.elapsed() < Duration::from_secs(60), "{}", host.exposition());
        thread::sleep(Duration::from_millis(200));
    }
    host.quit();
}
