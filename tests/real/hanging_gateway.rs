//! Does a gateway that hangs stop anything else in a real Fluent Bit: the inputs, other outputs, a reload?
#![allow(clippy::disallowed_methods)] // a test that measures reads the clock, where the plugin may not

use std::time::{Duration, Instant};

use crate::{real, support};
use real::{BOUND, assert_once, config, counts, on_every_host, state_file, stop};
use support::chunk;
use support::gateway::{Answer, TestGateway};
use support::kube_api::KubeApi;

const HANG: Duration = Duration::from_secs(10);
/// The pulse beats every 200 ms and is flushed as often; this leaves room for a busy machine, but not for
/// an engine that waits for the gateway.
const LONGEST_SILENCE: Duration = Duration::from_secs(2);

#[test]
#[allow(clippy::print_stdout)]
fn ten_seconds_without_an_answer_do_not_stop_another_input() {
    on_every_host(|fluent_bit, folder| {
        let listed: Vec<_> = chunk::listed_events().into_iter().take(100).collect();
        let wanted: Vec<_> = listed.iter().map(chunk::event_id).collect();
        let (api, gateway, pulse) = (KubeApi::holding(listed), TestGateway::start(), TestGateway::start());
        gateway.answer(Answer::ok().delay_before(HANG));
        let (url, ledger, pulse_port) = (gateway.url(), state_file(folder), pulse.port().to_string());
        let beats = [("name", "dummy"), ("tag", "pulse"), ("rate", "5")];
        let events = [
            ("name", "event_gateway"),
            ("match", "kube_events"),
            ("retry_limit", "no_limits"),
            ("endpoint", &url),
            ("state_file", &ledger),
            ("timeout", "15s"),
        ];
        // Without workers of its own this output runs on the engine too, as the input does.
        let beats_out = [
            ("name", "http"),
            ("match", "pulse"),
            ("host", "127.0.0.1"),
            ("port", &pulse_port),
            ("format", "json"),
            ("workers", "0"),
        ];
        let config = config(folder)
            .section("INPUT", &beats)
            .kubernetes_events(&api.url())
            .section("OUTPUT", &events)
            .section("OUTPUT", &beats_out)
            .text();

        let host = fluent_bit.start(&config, folder);
        let hangs_since = gateway.wait_for_requests(1)[0].arrived;
        gateway.wait_for("the end of the hang", HANG + BOUND, |requests| requests[0].accepted());
        let hung_until = Instant::now();
        assert!(hung_until - hangs_since >= HANG);

        let of_the_hang = |arrived: &Instant| *arrived >= hangs_since && *arrived <= hung_until;
        let mut arrivals: Vec<_> = pulse.requests().iter().map(|request| request.arrived).collect();
        arrivals.retain(of_the_hang);
        let edges = [&[hangs_since][..], &arrivals, &[hung_until]].concat();
        let silence = edges.windows(2).map(|pair| pair[1] - pair[0]).max().expect("two edges");
        println!("{} pulses in the hang, longest silence {} ms", arrivals.len(), silence.as_millis());
        assert!(silence < LONGEST_SILENCE, "the engine stood still for {silence:?}");

        gateway.wait_for_ids(wanted.len());
        stop(host);
        assert_once(&gateway, &wanted);
    });
}

#[test]
fn workers_deliver_too_with_one_warning() {
    on_every_host(|fluent_bit, folder| {
        let listed = chunk::listed_events();
        let mut wanted: Vec<_> = listed.iter().map(chunk::event_id).collect();
        let (api, gateway) = (KubeApi::holding(listed.clone()), TestGateway::start());
        let (url, ledger) = (gateway.url(), state_file(folder));
        let keys = [("endpoint", &*url), ("state_file", &ledger), ("workers", "1")];
        let config = config(folder).kubernetes_events(&api.url()).event_gateway(&keys).text();

        let mut host = fluent_bit.start(&config, folder);
        gateway.wait_for_ids(wanted.len());
        for number in 0..3 {
            let mut event = listed[0].clone();
            event["metadata"]["uid"] = format!("fresh-{number}").into();
            wanted.push(chunk::event_id(&api.add(event)));
            gateway.wait_for_ids(wanted.len());
        }
        host.sigterm();
        let status = host.wait_for_exit(BOUND);
        let log = host.log();
        assert!(status.success(), "{status}:\n{log}");
        assert_eq!(log.matches("workers is set").count(), 1, "{log}");
        assert_eq!(counts(&log).len(), 1, "{log}");
        assert_once(&gateway, &wanted);
    });
}
