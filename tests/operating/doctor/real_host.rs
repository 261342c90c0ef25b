//! Does the doctor tell of a real Fluent Bit whether events flow, and when they do not any more?

use std::fs;
use std::thread;
use std::time::Duration;

use super::options::Options;
use super::silence::while_events_come;
use super::{examine, real, support};
use event_gateway::clock;
use examine::examine;
use real::{BOUND, config, free_port, on_every_host, state_file, stop, with_http_server};
use support::event;
use support::gateway::{Answer, TestGateway};
use support::kube_api::KubeApi;

/// What is asked of this URL alone.
fn of(url: &str) -> Options {
    Options { url: url.to_owned(), access: None }
}

/// The report, as soon as it has this code and says this.
fn report_when(url: &str, code: u8, says: &str) -> String {
    let start = clock::monotonic();
    loop {
        let (text, found) = examine(&of(url));
        if found == code && text.contains(says) {
            return text;
        }
        assert!(start.elapsed() < 3 * BOUND, "no {code} with {says:?}:\n{text}");
        thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn a_host_is_well_until_its_gateway_is_not_and_again_after_that() {
    on_every_host(|fluent_bit, folder| {
        let gateway = TestGateway::start();
        let (gateway_url, ledger, port) = (gateway.url(), state_file(folder), free_port());
        let file = folder.join("events.ndjson");
        fs::write(&file, format!("{}\n", event("u1", 1, 1))).expect("a file to follow");
        let output = [("alias", "shop"), ("endpoint", &*gateway_url), ("state_file", &*ledger)];
        let config = with_http_server(config(folder), port).tail(&file).event_gateway(&output);
        let url = format!("http://127.0.0.1:{port}");
        assert_eq!(examine(&of(&url)).1, 2, "nobody is there yet");
        let host = fluent_bit.start(&config.text(), folder);
        gateway.wait_for_ids(1);
        report_when(&url, 0, "shop: well");
        report_when(&url, 0, "1 delivered of 1 read");

        gateway.set_default(Answer::status(503));
        let more = format!("{}\n{}\n", event("u1", 1, 1), event("u2", 1, 1));
        fs::write(&file, more).expect("the file");
        let text = report_when(&url, 1, "! gateway  failing for ");
        assert!(text.contains("http_5xx"), "{text}");
        // The chunk is with the host, whose own figures tell.
        report_when(&url, 1, "in Fluent Bit's retry queue (");

        gateway.set_default(Answer::ok());
        gateway.wait_for_ids(2);
        report_when(&url, 0, "2 delivered of ");
        stop(host);
    });
}

/// The API server has events all the time; the input's token is good, and then it is not.
#[test]
fn a_source_that_may_not_read_any_more_is_found_beside_a_real_host() {
    on_every_host(|fluent_bit, folder| {
        let (api, gateway) = (KubeApi::start(), TestGateway::start());
        let (gateway_url, ledger, port) = (gateway.url(), state_file(folder), free_port());
        let output =
            [("alias", "shop"), ("endpoint", &*gateway_url), ("state_file", &*ledger), ("correlate", "off")];
        let config =
            with_http_server(config(folder), port).kubernetes_events(&api.url()).event_gateway(&output);
        api.add(event("first", 1, 1));
        let host = fluent_bit.start(&config.text(), folder);
        let url = format!("http://127.0.0.1:{port}");
        report_when(&url, 0, "1 delivered of ");
        let token = folder.join("doctor-token");
        fs::write(&token, "of the doctor").expect("a token");
        let api_url = api.url();
        let words = |more: &[&str]| {
            let all = [&[&*url, "--kube-url", &api_url, "--seconds", "20"][..], more].concat();
            Options::read(all.into_iter().map(str::to_owned), false).expect("good words")
        };
        let (text, code) = while_events_come(&api, || examine(&words(&[])));
        assert!(code == 0 && text.contains("source   reads: the API server http://"), "{text}");

        // What was read before is on the page, so that nothing moves any more.
        report_when(&url, 0, &format!("{} delivered of ", api.count("events")));
        api.require_token("of the doctor");
        api.close_watches("events");
        let token = token.to_string_lossy().into_owned();
        let asked = words(&["--token-file", &token, "--seconds", "4"]);
        let start = clock::monotonic();
        let (text, code) = while_events_come(&api, || examine(&asked));
        assert!(
            code == 1 && text.contains("! source   kubernetes_events.0 silent although the API server "),
            "{text}"
        );
        assert!(start.elapsed() < Duration::from_secs(60), "seen within a minute");
        stop(host);
    });
}
