//! Does a gateway that hangs stop anything else in a real Fluent Bit: the inputs, other outputs, a reload?
#![allow(clippy::disallowed_methods)] // a test that measures reads the clock, where the plugin may not

use std::time::{Duration, Instant};

use crate::{pulse, real, support};
use pulse::{Beats, Pulse};
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
        let (api, gateway, pulse) = (KubeApi::holding(listed), TestGateway::start(), Pulse::start("5"));
        gateway.answer(Answer::ok().delay_before(HANG));
        let (url, ledger) = (gateway.url(), state_file(folder));
        let settings = [("endpoint", &*url), ("state_file", &ledger), ("timeout", "15s")];
        let config = pulse.beside(config(folder), &api.url(), &settings);

        let host = fluent_bit.start(&config.text(), folder);
        let hangs_since = gateway.wait_for_requests(1)[0].arrived;
        gateway.wait_for("the end of the hang", HANG + BOUND, |requests| requests[0].accepted());
        let hung_until = Instant::now();
        assert!(hung_until - hangs_since >= HANG);

        let Beats { count, longest_silence } = pulse.between(hangs_since, hung_until);
        println!("{count} pulses in the hang, longest silence {} ms", longest_silence.as_millis());
        assert!(longest_silence < LONGEST_SILENCE, "the engine stood still for {longest_silence:?}");

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
