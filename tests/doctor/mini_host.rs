//! Does the doctor tell a healthy host from one that is not, and a host from none?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::{examine, support, verdict};
use event_gateway::clock;
use event_gateway::metrics::Metrics;
use examine::{examine, told};
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};
use support::{events, started, value};

const NOW: u64 = 1_795_246_090;

/// A page of a healthy output, with these figures changed.
fn page_with(instance: &str, changed: &[(&str, u64)]) -> String {
    let mut figures: BTreeMap<&str, u64> = verdict::FIGURES.into_iter().map(|figure| (figure, 0)).collect();
    for (figure, value) in [
        ("published_timestamp_seconds", NOW - 1),
        ("delivering", 1),
        ("records_total", 1_061),
        ("delivered_records_total", 1_000),
        ("duplicate_records_total", 61),
        ("last_acknowledgement_timestamp_seconds", NOW - 13),
        ("topology_enabled", 1),
        ("topology_ready", 1),
        ("topology_last_message_timestamp_seconds", NOW - 4),
    ]
    .iter()
    .chain(changed)
    {
        figures.insert(figure, *value);
    }
    let mut text =
        "# HELP fluentbit_uptime Number of seconds.\n# TYPE fluentbit_uptime counter\nfluentbit_uptime 3\n"
            .to_owned();
    for (figure, value) in figures {
        let _ = writeln!(text, "event_gateway_{figure}{{name=\"{instance}\"}} {value}");
    }
    text
}

/// The report on such a page, its exit code, and the lines that tell trouble.
fn report(text: &str) -> (String, u8, Vec<String>) {
    let (report, code) = told("http://host", text, NOW);
    let trouble = report.lines().filter(|line| line.starts_with('!')).map(str::to_owned).collect();
    (report, code, trouble)
}

#[test]
fn a_healthy_output_is_well() {
    let (text, code, trouble) = report(&page_with("shop", &[]));
    assert_eq!((code, trouble), (0, Vec::new()), "{text}");
    assert_eq!(
        text,
        "http://host\n\nshop: well\n  figures  of 2026-11-21T07:28:09Z, 1 s ago\n  \
         plugin   delivers\n  \
         records  1000 delivered of 1061 read, 61 were duplicates; last acknowledgement 12 s ago\n  \
         gateway  open\n  waiting  nothing\n  cluster  known; heard of 3 s ago\n  lost     nothing\n"
    );
    // A quiet cluster has no events, and correlation may be off.
    for quiet in [
        &[("last_acknowledgement_timestamp_seconds", 0)][..],
        &[("last_acknowledgement_timestamp_seconds", NOW - 80_000)],
        &[("topology_enabled", 0), ("topology_ready", 0), ("topology_last_message_timestamp_seconds", 0)],
        &[("dead_lettered_records_total", 3), ("ledger_failed_writes_total", 1)],
        &[("oldest_job_timestamp_seconds", NOW - 20), ("jobs_in_flight", 2)],
        // The host's clock is ahead of the doctor's.
        &[
            ("published_timestamp_seconds", NOW + 5_000),
            ("topology_last_message_timestamp_seconds", NOW + 4_990),
        ],
    ] {
        let (text, code, trouble) = report(&page_with("shop", quiet));
        assert_eq!((code, trouble), (0, Vec::new()), "{text}");
    }
}

#[test]
fn each_trouble_is_told_and_is_an_exit_code() {
    for (changed, says) in [
        (&[("gateway_failing_since_timestamp_seconds", NOW - 304)][..], "! gateway  failing for 5 min 3 s"),
        (
            &[
                ("gateway_failing_since_timestamp_seconds", NOW - 2),
                ("gateway_closed_until_timestamp_seconds", NOW + 4),
            ],
            "closed for 5 s more, until 2026-11-21T07:28:14Z",
        ),
        (
            &[("oldest_job_timestamp_seconds", NOW - 7_501), ("jobs_in_flight", 2)],
            "! waiting  2 chunks, the oldest for 2 h 5 min",
        ),
        (&[("topology_ready", 0)], "! cluster  not listed; heard of 3 s ago"),
        (
            &[("topology_ready", 0), ("topology_last_message_timestamp_seconds", 0)],
            "not listed; nothing heard of it yet",
        ),
        (
            &[("topology_last_message_timestamp_seconds", NOW - 400)],
            "! cluster  known; heard of 6 min 39 s ago",
        ),
        (&[("delivering", 0)], "! plugin   delivers no more: restart Fluent Bit"),
        (&[("panicked_rounds_total", 2)], "! plugin   delivers; its own fault ended 2 rounds"),
        (&[("skipped_records_total", 3)], "! lost     3 that are no events"),
        (&[("dropped_records_total", 2)], "! lost     2 records since the start: set dead_letter_file"),
        (&[("dead_letter_failures_total", 9)], "dead_letter_file did not take one 9 times"),
        (&[("published_timestamp_seconds", NOW - 100)], "! figures  of 2026-11-21T07:26:30Z, 1 min 40 s ago"),
    ] {
        let (text, code, trouble) = report(&page_with("shop", changed));
        assert_eq!((code, trouble.len()), (1, 1), "{text}");
        assert!(trouble[0].contains(says), "{says:?} is not in {trouble:?}");
        assert!(text.contains("shop: NOT WELL"), "{text}");
    }
}

#[test]
fn the_reasons_of_failures_are_told_the_most_frequent_first() {
    let mut text = page_with("shop", &[("gateway_failing_since_timestamp_seconds", NOW - 10)]);
    for (class, count) in [("tls", 0), ("timeout", 2), ("http_5xx", 31)] {
        let _ = writeln!(
            text,
            "event_gateway_request_retries_total{{name=\"shop\",class=\"{class}\"}} {count}\n\
             event_gateway_request_retries_total{{name=\"other\",class=\"{class}\"}} 99"
        );
    }
    let (_, _, trouble) = report(&text);
    let says = "! gateway  failing for 9 s (http_5xx 31, timeout 2 since the start); open";
    assert!(trouble.iter().any(|line| line == says), "{trouble:?}");
}

#[test]
fn each_output_is_judged_for_itself() {
    let names = ["a", "b, {\\\"quoted\\\"} \\\\"];
    let text = page_with(names[0], &[]) + &page_with(names[1], &[("dropped_records_total", 1)]);
    let (text, code, trouble) = report(&text);
    assert_eq!((code, trouble.len()), (1, 1));
    assert!(text.contains("\na: well\n") && text.contains("\nb, {\"quoted\"} \\: NOT WELL\n"), "{text}");
}

#[test]
fn a_page_without_an_output_or_a_figure_is_no_health() {
    let (text, code, _) = report("# TYPE fluentbit_uptime counter\nfluentbit_uptime 3\n");
    assert!(code == 1 && text.contains("no output event_gateway"), "{text}");
    for figure in verdict::FIGURES {
        let text = page_with("shop", &[]);
        let line =
            text.lines().find(|line| line.starts_with(&format!("event_gateway_{figure}{{"))).expect(figure);
        let (text, code, trouble) = report(&text.replace(line, ""));
        assert!(code == 1 && trouble[0].contains(figure), "{text}");
    }
}

#[test]
fn every_figure_read_is_one_that_is_published() {
    for figure in verdict::FIGURES {
        assert!(Metrics::DESCRIBED.iter().any(|described| described.name == figure), "{figure}");
    }
}

#[test]
fn a_served_page_is_read_and_what_is_none_is_told() {
    let now = clock::unix_seconds(clock::wall());
    let fresh = [("published_timestamp_seconds", now), ("topology_last_message_timestamp_seconds", now)];
    let server = TestGateway::start();
    let base = server.url().replace("/events", "");
    let asked = |answer: Answer, url: &str| {
        server.answer(answer);
        let (text, code) = examine(url);
        assert!(text.contains(&base), "{text}");
        code
    };
    let well = page_with("shop", &fresh);
    let ill = page_with("shop", &[fresh[0], fresh[1], ("dropped_records_total", 1)]);
    assert_eq!(asked(Answer::ok().body(well.clone()), &base), 0);
    assert_eq!(asked(Answer::ok().body(well.clone()), &format!("{base}/")), 0);
    assert_eq!(asked(Answer::ok().body(well), base.trim_start_matches("http://")), 0);
    let full = format!("{base}/api/v2/metrics/prometheus");
    assert_eq!(asked(Answer::ok().body(ill), &full), 1);
    assert!(server.requests().iter().all(|request| request.path == "/api/v2/metrics/prometheus"));
    assert_eq!(asked(Answer::status(404), &base), 2);
    assert_eq!(asked(Answer::ok().body("<html>Welcome to nginx</html>"), &base), 2);
    assert_eq!(asked(Answer::ok(), &base), 2);
    assert_eq!(asked(Answer::close_after_body(), &base), 2);
    server.stop();
    assert_eq!(examine(&base).1, 2, "nobody is there");
}

/// The page of this mini host, as the doctor sees it now.
fn of_host(host: &mut MiniHost) -> (String, u8) {
    let now = clock::unix_seconds(clock::wall());
    let page = host.exposition();
    told("http://mini-host", &page, now)
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
    host.metrics_when(|metrics| value(metrics, "gateway_open") == 0.0);
    let (text, code) = of_host(&mut host);
    assert!(code == 1 && text.contains("! gateway  failing for ") && text.contains("(http_5xx 1 "), "{text}");
    assert!(text.contains("closed for "), "{text}");
    host.quit();
}

/// The line of docs/metrics.md for clusters without Rust.
#[test]
fn the_documented_line_finds_what_the_document_shows() {
    let document = include_str!("../../docs/metrics.md");
    let pattern = document.split("grep -E \\\n  '").nth(1).and_then(|rest| rest.split('\'').next());
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &[("alias", "shop")]);
    let page = host.exposition();
    host.quit();
    let mut grep = Command::new("grep")
        .args(["-E", pattern.expect("the pattern")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("grep");
    grep.stdin.take().expect("piped").write_all(page.as_bytes()).expect("a page for grep");
    let found = String::from_utf8(grep.wait_with_output().expect("its answer").stdout).expect("text");
    let names = |text: &str| -> BTreeSet<String> {
        let of_line = |line: &str| line.split_once('{').map(|(name, _)| name.to_owned());
        text.lines().filter(|line| line.starts_with("event_gateway_")).filter_map(of_line).collect()
    };
    let shown = document.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(names(&found), names(shown.expect("a sample")));
}
