//! Is what a real `kubernetes_events` loses reported within a minute? The three known faults of that input.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::Duration;

use event_gateway::clock;
use serde_json::Value;

use crate::real::{BOUND, config, on_every_host, state_file, stop};
use crate::support;
use crate::support::fluent_bit::{FluentBit, Running};
use crate::support::gateway::TestGateway;
use crate::support::kube_api::{Delivery, KubeApi, RequestFault, Requests};

/// `reconcile_after` and a minute, and what a busy machine adds.
const REPORTED: Duration = Duration::from_secs(75);
const WARNING: &str = "have not come through this output for";

fn put(api: &KubeApi, uid: &str) -> Value {
    let mut event = support::event(uid, 1, 1);
    event["metadata"].as_object_mut().expect("an object").remove("resourceVersion");
    event["metadata"]["name"] = uid.into();
    api.put("events", event)
}

struct Trial {
    gateway: TestGateway,
    host: Running,
    wanted: usize,
}

impl Trial {
    /// The input reads from one server and the output verifies with another, of the same store.
    fn start(fluent_bit: &FluentBit, folder: &Path, (source, verified): (&KubeApi, &KubeApi)) -> Trial {
        let gateway = TestGateway::start();
        let (url, ledger, kube_url) = (gateway.url(), state_file(folder), verified.url());
        let keys = [
            ("endpoint", &*url),
            ("state_file", &*ledger),
            ("kube_url", &*kube_url),
            ("correlate", "off"),
            ("reconcile", "report"),
            ("reconcile_after", "10s"),
        ];
        let config = config(folder)
            .kubernetes_events_with(&source.url(), &[("kube_request_limit", "500")])
            .event_gateway(&keys)
            .text();
        Trial { host: fluent_bit.start(&config, folder), gateway, wanted: 0 }
    }

    fn delivered(&self) -> usize {
        self.gateway.accepted_ids().into_iter().collect::<BTreeSet<_>>().len()
    }

    fn wait_for_all(&self) {
        let end = clock::monotonic() + BOUND;
        while self.delivered() < self.wanted {
            assert!(clock::monotonic() < end, "{} of {} came", self.delivered(), self.wanted);
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Either the input brings all of them after all, or the log says that it does not.
    #[allow(clippy::print_stdout, reason = "which of the two it was is what a person wants to see")]
    fn delivers_or_reports(self, name: &str, fault: &str) {
        let began = clock::monotonic();
        let lost = loop {
            if self.host.log().contains(WARNING) {
                break self.wanted - self.delivered();
            }
            if self.delivered() == self.wanted {
                break 0;
            }
            assert!(began.elapsed() < REPORTED, "{fault}: {} of {} came", self.delivered(), self.wanted);
            thread::sleep(Duration::from_millis(100));
        };
        let seconds = began.elapsed().as_secs();
        println!(
            "{name}, {fault}: {lost} of {} not brought, reported or brought after {seconds} s",
            self.wanted
        );
        stop(self.host);
    }
}

/// fluent-bit #9309.
#[test]
fn a_continue_token_that_expires_within_the_list() {
    on_every_host(|fluent_bit, folder| {
        if !fluent_bit.watches_events() {
            return;
        }
        let (verified, wanted) = (KubeApi::start(), 1_500);
        let source = verified.replica();
        (0..wanted).for_each(|number| drop(put(&verified, &format!("u{number}"))));
        let pause = Duration::from_millis(1_500);
        source.fail_all("events", Requests::Reads, RequestFault::RequestDelayed(pause));
        let mut trial = Trial::start(fluent_bit, folder, (&source, &verified));
        trial.wanted = wanted;
        let end = clock::monotonic() + BOUND;
        // The first page has come, and the second is asked for.
        let lists =
            || source.requests().iter().filter(|request| request.parameter("continue").is_some()).count();
        while lists() == 0 && clock::monotonic() < end {
            thread::sleep(Duration::from_millis(20));
        }
        verified.expire_pages();
        trial.delivers_or_reports(&fluent_bit.name(), "410 within a list");
    });
}

/// fluent-bit #11252.
#[test]
fn a_watch_that_is_cut_within_a_line() {
    on_every_host(|fluent_bit, folder| {
        if !fluent_bit.watches_events() {
            return;
        }
        let api = KubeApi::start();
        put(&api, "first");
        let mut trial = Trial::start(fluent_bit, folder, (&api, &api));
        trial.wanted = 1;
        trial.wait_for_all();
        api.wait_for_watches("events", 2, BOUND);
        // HTTP chunks end within a line, and the last of them is cut.
        api.deliver("events", Delivery::Chunks(300));
        (0..3).for_each(|number| drop(put(&api, &format!("c{number}"))));
        trial.wanted += 3;
        api.cut("events");
        (0..5).for_each(|number| drop(put(&api, &format!("u{number}"))));
        trial.wanted += 5;
        trial.delivers_or_reports(&fluent_bit.name(), "a line that is cut");
    });
}

/// fluent-bit #12105.
#[test]
fn a_watch_that_falls_silent() {
    on_every_host(|fluent_bit, folder| {
        if !fluent_bit.watches_events() {
            return;
        }
        let api = KubeApi::start();
        put(&api, "first");
        let mut trial = Trial::start(fluent_bit, folder, (&api, &api));
        trial.wanted = 1;
        trial.wait_for_all();
        api.wait_for_watches("events", 2, BOUND);
        // Both connections are dead; new ones are not.
        api.fall_silent("events");
        api.heal("events");
        (0..5).for_each(|number| drop(put(&api, &format!("u{number}"))));
        trial.wanted += 5;
        trial.delivers_or_reports(&fluent_bit.name(), "a watch that falls silent");
    });
}
