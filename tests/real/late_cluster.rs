//! Does each event that a real `kubernetes_events` reads find the Services that it would find on time, however late the
//! plugin's own watches are?
//!
//! The recorded cluster at ten times its speed. `REPLAY_SECONDS` says how much of its 284 seconds is replayed. What the
//! input itself handed over is seen from the host's output `file` beside the plugin.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use event_gateway::clock;
use serde_json::Value;

use crate::late_replay::{self, Run};
use crate::real::{BOUND, config, on_every_host, state_file, stop};
use crate::support::chunk;
use crate::support::fluent_bit::{FluentBit, Running};
use crate::support::gateway::TestGateway;
use crate::support::kube_api::{ALL, KubeApi};
use crate::support::variables::number_from;

/// Those of the plugin, and that of the input.
const WATCHES: usize = 14 + 1;
const SECONDS: u64 = 100;
/// On a busy machine the input of 5.1.1 now and then takes the stream of a watch for malformed. It goes on from a later
/// version, and the events between never reach an output.
const BROKEN: &str = "chunked stream error";
const TRIES: usize = 5;
/// An input that has handed over nothing for so long has come to its end.
const QUIET: Duration = Duration::from_secs(5);

/// Puts an event where the input reads it.
struct Hand<'a> {
    api: &'a KubeApi,
    handed_over: HashMap<String, (usize, Instant)>,
}

impl Hand<'_> {
    fn over(&mut self, number: usize, event: &Value) {
        let at = clock::monotonic();
        let served = self.api.put("events", event.clone());
        self.handed_over.insert(chunk::event_id(&served), (number, at));
    }
}

/// A run in which the input itself lost its place cannot be compared with others, and is repeated. In each, all that the
/// input handed over is delivered.
#[allow(clippy::print_stdout, reason = "the figures are what a person wants to see")]
fn run(fluent_bit: &FluentBit, folder: &Path, lag: Duration, seconds: u64) -> Run {
    for number in 1..=TRIES {
        let folder = folder.join(format!("{}-{number}", lag.as_millis()));
        if let Some(run) = try_run(fluent_bit, &folder, lag, seconds) {
            println!("{}, {lag:?} late: {number} of {TRIES} tries", fluent_bit.name());
            return run;
        }
    }
    panic!("{TRIES} times the input broke off: {BROKEN:?} in its log");
}

/// What the input handed over, from the file that the host's own output writes.
fn handed_over(folder: &Path) -> HashSet<String> {
    let text = fs::read_to_string(folder.join("out")).unwrap_or_default();
    // The last line may be half written.
    let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
    lines.map(|event: Value| chunk::event_id(&event)).collect()
}

fn delivered(gateway: &TestGateway) -> HashSet<String> {
    gateway.accepted_ids().into_iter().collect()
}

/// Waits until all has been delivered. `false`: the input has lost some; what it handed over is delivered.
fn is_complete(host: &Running, folder: &Path, gateway: &TestGateway, wanted: usize) -> bool {
    let start = clock::monotonic();
    let (mut count, mut since) = (0, start);
    loop {
        let (seen, came) = (handed_over(folder), delivered(gateway));
        if came.len() == wanted {
            return true;
        }
        let now = clock::monotonic();
        if seen.len() != count {
            (count, since) = (seen.len(), now);
        }
        let missing = seen.difference(&came).count();
        if missing == 0 && count < wanted && now >= since + QUIET && host.log().contains(BROKEN) {
            return false;
        }
        let what =
            || format!("{} of {wanted} came, {missing} of the {count} that were handed over", came.len());
        assert!(now < start + BOUND, "within {BOUND:?}: {} did not", what());
        thread::sleep(Duration::from_millis(50));
    }
}

fn try_run(fluent_bit: &FluentBit, folder: &Path, lag: Duration, seconds: u64) -> Option<Run> {
    fs::create_dir(folder).expect("a folder");
    let (api, gateway) = (KubeApi::start(), TestGateway::start());
    late_replay::before(&api);
    let (url, ledger, kube_url) = (gateway.url(), state_file(folder), api.url());
    let keys = [("endpoint", &*url), ("state_file", &*ledger), ("kube_url", &*kube_url)];
    let config = config(folder).kubernetes_events(&kube_url).event_gateway(&keys).file_output().text();
    let host = fluent_bit.start(&config, folder);
    api.wait_for_watches(ALL, WATCHES, BOUND);
    api.lag_all_but_events(lag);
    let mut hand = Hand { api: &api, handed_over: HashMap::new() };
    let until =
        |_: &mut Hand<'_>, end: Instant| thread::sleep(end.saturating_duration_since(clock::monotonic()));
    let mut run = late_replay::replay(&api, (seconds, lag), &mut hand, Hand::over, until);
    let is_complete = is_complete(&host, folder, &gateway, run.len());
    stop(host);
    assert_eq!(
        handed_over(folder),
        delivered(&gateway),
        "what the input handed over, and what was delivered"
    );
    if !is_complete {
        return None;
    }
    for request in gateway.requests().iter().filter(|request| request.accepted()) {
        for record in request.records() {
            let id = record["id"].as_str().expect("an id");
            let (number, handed_over) = hand.handed_over[id];
            let event = run.get_mut(&number).expect("handed over");
            event.took = request.arrived.saturating_duration_since(handed_over);
            event.read(&record);
        }
    }
    Some(run)
}

#[test]
fn no_pod_event_lacks_its_services_behind_a_real_input() {
    let seconds = number_from("REPLAY_SECONDS").unwrap_or(SECONDS);
    on_every_host(|fluent_bit, folder| {
        if !fluent_bit.watches_events() {
            return;
        }
        let lags = [0, 300, 2_000].map(Duration::from_millis);
        let runs = thread::scope(|scope| {
            let runs = lags.map(|lag| scope.spawn(move || run(fluent_bit, folder, lag, seconds)));
            runs.map(|run| run.join().expect("its panic is printed above"))
        });
        for (lag, run) in lags.iter().zip(&runs) {
            late_replay::compare(&format!("{}, {lag:?} late", fluent_bit.name()), &runs[0], run);
        }
        for (lag, run) in lags.iter().zip(&runs) {
            assert_eq!(late_replay::without_their_services(&runs[0], run), [""; 0], "{lag:?} late");
        }
        let on_time = runs[0].values();
        let with_services = on_time.filter(|event| event.kind == "Pod" && !event.services.is_empty()).count();
        assert!(with_services > 100, "{with_services} Pod events with Services");
    });
}
