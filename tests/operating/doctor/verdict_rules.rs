//! Does the doctor tell a healthy output from one that is not, on a page?

use std::fmt::Write as _;

use event_gateway::metrics::Metrics;

use super::pages::{NOW, page_with, report};
use super::verdict;

#[test]
fn a_healthy_output_is_well() {
    let (text, code, trouble) = report(&page_with("shop", &[]));
    assert_eq!((code, trouble), (0, Vec::new()), "{text}");
    assert_eq!(
        text,
        "http://host\n  source   not checked; to check it, run kubectl proxy and add ARGS=\"--kube-url \
         http://127.0.0.1:8001\" (or use --token-file and --ca-file), or run this in Fluent Bit's pod\n\n\
         shop: well\n  figures  of 2026-11-21T07:28:09Z, 1 s ago\n  \
         plugin   delivers\n  \
         records  1000 delivered of 1061 read, 61 duplicates; last acknowledgement 12 s ago\n  \
         gateway  open\n  waiting  no chunk in the plugin\n  \
         cluster  listed; a message of each resource that is followed, of cronjobs 3 s ago\n  \
         services matched 638 (64 %), none 362 (36 %)\n  lost     nothing\n"
    );
    // A quiet cluster has no events, and correlation may be off.
    for quiet in [
        &[("last_acknowledgement_timestamp_seconds", 0)][..],
        &[("last_acknowledgement_timestamp_seconds", NOW - 80_000)],
        &[("topology_enabled", 0), ("topology_ready", 0)],
        &[("dead_lettered_records_total", 3), ("ledger_failed_writes_total", 1)],
        &[("oldest_job_timestamp_seconds", NOW - 20), ("jobs_in_flight", 2)],
    ] {
        let (text, code, trouble) = report(&page_with("shop", quiet));
        assert_eq!((code, trouble), (0, Vec::new()), "{text}");
    }
}

/// A port-forward may end on a machine whose clock is another: ages are those of the host's clock.
#[test]
fn a_host_whose_clock_is_ahead_is_well() {
    let later = page_with("shop", &[("published_timestamp_seconds", NOW + 5_000)]);
    let later = later.replace(&(NOW - 4).to_string(), &(NOW + 4_990).to_string());
    let (text, code, trouble) = report(&later);
    assert_eq!((code, trouble), (0, Vec::new()), "{text}");
    assert!(text.contains("of cronjobs 10 s ago"), "{text}");
}

#[test]
fn each_trouble_is_reported_and_is_an_exit_code() {
    for (changed, says) in [
        (&[("endpoint_failing_since_timestamp_seconds", NOW - 304)][..], "! gateway  failing for 5 min 3 s"),
        (
            &[
                ("reconcile_enabled", 1),
                ("reconcile_seen_versions_total", 9),
                ("reconcile_unaccounted_versions", 2),
                ("reconcile_unsettled_since_timestamp_seconds", NOW - 304),
            ],
            "! verified 2 of 9 versions of events did not come through this output, the oldest for 5 min 3 s",
        ),
        (
            &[
                ("endpoint_failing_since_timestamp_seconds", NOW - 2),
                ("endpoint_closed_until_timestamp_seconds", NOW + 4),
            ],
            "closed for 5 s more, until 2026-11-21T07:28:14Z",
        ),
        (
            &[("oldest_job_timestamp_seconds", NOW - 7_501), ("jobs_in_flight", 2)],
            "! waiting  2 chunks in the plugin, the oldest for 2 h 5 min",
        ),
        (
            &[
                ("oldest_job_timestamp_seconds", NOW - 301),
                ("jobs_in_flight", 2),
                ("topology_enabled", 0),
                ("topology_ready", 0),
            ],
            "! waiting  2 chunks in the plugin, the oldest for 5 min 0 s",
        ),
        // Chunks wait for the topology then, and that is the one trouble.
        (
            &[("topology_ready", 0), ("oldest_job_timestamp_seconds", NOW - 301), ("jobs_in_flight", 2)],
            "! cluster  not listed; a message of each resource that is followed, of cronjobs 3 s ago; events name no Services",
        ),
        (
            &[("correlation_waiting_records", 7), ("correlation_waiting_since_timestamp_seconds", NOW - 121)],
            "! topology 7 records wait for the topology, the oldest for 2 min 0 s",
        ),
        (
            &[("fluentbit_output_dropped_records_total{name=\"shop\"}", 9)],
            "Fluent Bit gave up 9 records, 0 chunks after their last retry: set retry_limit no_limits",
        ),
        (
            &[("fluentbit_input_ingestion_paused{name=\"kubernetes_events.0\"}", 1)],
            "! waiting  Fluent Bit has paused kubernetes_events.0: its buffers are full",
        ),
        (&[("delivering", 0)], "! plugin   no longer delivers: restart Fluent Bit"),
        (&[("panicked_rounds_total", 2)], "! plugin   delivers; a fault of the plugin ended 2 rounds"),
        (&[("skipped_records_total", 3)], "! lost     3 that could not be read"),
        (&[("dropped_records_total", 2)], "! lost     2 records since the start: set dead_letter_file"),
        (&[("dead_letter_failures_total", 9)], "writing to dead_letter_file failed 9 times"),
        (&[("published_timestamp_seconds", NOW - 100)], "! figures  of 2026-11-21T07:26:30Z, 1 min 40 s ago"),
    ] {
        let (text, code, trouble) = report(&page_with("shop", changed));
        assert_eq!((code, trouble.len()), (1, 1), "{text}");
        assert!(trouble[0].contains(says), "{says:?} is not in {trouble:?}");
        assert!(text.contains("shop: NOT WELL"), "{text}");
    }
}

#[test]
fn the_reasons_of_failures_are_reported_the_most_frequent_first() {
    let mut text = page_with("shop", &[("endpoint_failing_since_timestamp_seconds", NOW - 10)]);
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
    let labelled = verdict::LABELLED.into_iter().map(|(figure, _)| figure);
    for figure in verdict::FIGURES.into_iter().chain(labelled) {
        let is_of_it = |line: &&str| !line.starts_with(&format!("event_gateway_{figure}{{"));
        let text: Vec<String> =
            page_with("shop", &[]).lines().filter(is_of_it).map(|line| format!("{line}\n")).collect();
        let (text, code, trouble) = report(&text.concat());
        assert!(code == 1 && trouble[0].ends_with(&format!("missing on the page: {figure}")), "{text}");
    }
}

#[test]
fn every_figure_read_is_one_that_is_published() {
    let described = |figure: &str| Metrics::DESCRIBED.iter().find(|described| described.name == figure);
    for figure in verdict::FIGURES {
        assert!(described(figure).is_some_and(|described| described.labels.is_empty()), "{figure}");
    }
    for (figure, labels) in verdict::LABELLED {
        assert_eq!(described(figure).expect(figure).labels, labels, "{figure}");
    }
}

/// A page comes from whoever listens there, and ends on a terminal.
#[test]
fn nothing_on_a_page_moves_the_cursor() {
    let odd = "shop\u{1b}[2J\u{9b}31m\u{202e}\u{2028}";
    let (report, _, _) = report(&page_with(odd, &[]));
    assert!(report.contains("shop") && report.contains("[2J"), "{report:?}");
    let lines = report.lines().collect::<String>();
    assert!(!lines.contains(event_gateway::secrets::plain::is_unseen), "{report:?}");
}
