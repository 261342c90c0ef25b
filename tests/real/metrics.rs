//! Does the endpoint of a real Fluent Bit show the metrics of two instances as a strict Prometheus parser reads them?

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::{page, real, support};
use event_gateway::clock;
use event_gateway::metrics::FailureClass;
use page::Page;
use real::{BOUND, config, free_port, on_every_host, stop, with_http_server};
use support::chunk;
use support::gateway::{Answer, TestGateway};

/// The host brings its figures together every second.
const PAUSE: Duration = Duration::from_millis(500);

/// The page, as soon as it is as wanted.
fn page_when(port: u16, wanted: impl Fn(&Page) -> bool) -> Page {
    let url = format!("http://127.0.0.1:{port}/api/v2/metrics/prometheus");
    let start = clock::monotonic();
    loop {
        let text = ureq::get(&url).call().ok().and_then(|mut answer| answer.body_mut().read_to_string().ok());
        let text = text.unwrap_or_default();
        if text.contains("event_gateway_published_timestamp_seconds{") {
            let page = Page::parse(&text);
            if wanted(&page) {
                return page;
            }
        }
        assert!(start.elapsed() < BOUND, "the page never came right:\n{text}");
        thread::sleep(PAUSE);
    }
}

fn settings<'a>(alias: &'a str, url: &'a str, state_file: &'a str) -> [(&'static str, &'a str); 3] {
    [("alias", alias), ("endpoint", url), ("state_file", state_file)]
}

fn file(folder: &Path, name: &str) -> String {
    folder.join(name).to_string_lossy().into_owned()
}

#[test]
fn every_figure_of_two_instances_is_in_the_hosts_endpoint() {
    on_every_host(|fluent_bit, folder| {
        // From then on hosts copy histograms whole.
        let whole = fluent_bit.version >= (4, 2, 2);
        // Before, two instances are two heads of one name, which is no Prometheus text.
        let both = fluent_bit.version >= (3, 1, 8);
        let events = chunk::listed_events();
        let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
        std::fs::write(folder.join("events.ndjson"), lines).expect("a file to follow");
        let (good, bad) = (TestGateway::start(), TestGateway::start());
        bad.set_default(Answer::status(503));
        let port = free_port();
        let (good_url, bad_url) = (good.url(), bad.url());
        let mut config = with_http_server(config(folder), port)
            .tail(&folder.join("events.ndjson"))
            .event_gateway(&settings("shop", &good_url, &file(folder, "first.ledger")));
        if both {
            config = config.event_gateway(&settings("down", &bad_url, &file(folder, "second.ledger")));
        }
        let host = fluent_bit.start(&config.text(), folder);
        good.wait_for_ids(events.len());

        let page = page_when(port, |page| {
            page.of("shop", "delivered_records_total") == events.len() as f64
                && (!both || page.of("down", "request_duration_seconds_count") >= 3.0)
        });
        page.assert_complete("shop", whole);
        let of_shop = |name: &str| page.of("shop", name);
        assert_eq!(of_shop("records_total"), events.len() as f64);
        assert_eq!(of_shop("event_to_acknowledgement_seconds_count"), events.len() as f64);
        assert_eq!(of_shop("request_duration_seconds_count"), of_shop("requests_total"));
        // Recorded events are old, and how old they are is no secret: at least an hour each, and no more than the plugin tells.
        let age = of_shop("event_to_acknowledgement_seconds_sum") / events.len() as f64;
        assert!((3_600.0..=30.0 * 86_400.0).contains(&age), "{age}");
        let took = of_shop("request_duration_seconds_sum");
        assert!(
            took > 0.0 && took < BOUND.as_secs_f64(),
            "{took} s for {} requests",
            of_shop("requests_total")
        );
        assert!(of_shop("sent_bytes_total") < of_shop("batch_bytes_total"));
        assert_eq!(of_shop("ledger_commits_total"), of_shop("batches_total"));
        assert_eq!(of_shop("endpoint_open"), 1.0);
        assert_eq!(of_shop("endpoint_failing_since_timestamp_seconds"), 0.0);
        assert_eq!(of_shop("topology_enabled"), 0.0);
        let now = clock::unix_seconds(clock::wall()) as f64;
        assert!((now - 60.0..=now).contains(&of_shop("published_timestamp_seconds")), "{now}");
        if both {
            page.assert_complete("down", whole);
            let of_down = |name: &str| page.of("down", name);
            assert_eq!(of_down("event_to_acknowledgement_seconds_count"), 0.0);
            assert_eq!(page.retries("down", FailureClass::Http5xx), of_down("requests_total"));
            assert_eq!(page.retries("shop", FailureClass::Http5xx), 0.0);
            let since = of_down("endpoint_failing_since_timestamp_seconds");
            assert!((now - 60.0..=now).contains(&since), "{since}, {now}");
            bad.set_default(Answer::ok());
            let page = page_when(port, |page| {
                page.of("down", "delivered_records_total") == events.len() as f64
                    && page.of("down", "jobs_in_flight") == 0.0
            });
            assert_eq!(page.of("down", "endpoint_failing_since_timestamp_seconds"), 0.0);
            assert_eq!(page.of("down", "endpoint_closed_until_timestamp_seconds"), 0.0);
            assert_eq!(page.of("down", "oldest_job_timestamp_seconds"), 0.0);
        }
        stop(host);
    });
}
