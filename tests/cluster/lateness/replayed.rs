//! Does each event find the Services that it would find on time, however late the watches are?
//!
//! The recorded cluster at ten times its speed, the plugin on the mini host, a flush for each event. `REPLAY_SECONDS`
//! says how much of the recording's 284 seconds is replayed.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use event_gateway::clock;
use serde_json::Value;

use super::late_replay::{self, Run};
use super::number_from;
use super::support::gateway::TestGateway;
use super::support::host::{Build, Code, MiniHost};
use super::support::kube_api::{ALL, KubeApi};
use super::support::{self, chunk};

const WATCHES: usize = 14;
const BOUND: Duration = Duration::from_secs(60);
/// In which more than half of the recorded events lie.
const SECONDS: u64 = 90;

/// The host, and the flushes that are under way.
struct Hand {
    host: MiniHost,
    waiting: Vec<Flush>,
    done: Vec<(usize, Duration)>,
    ids: Vec<(usize, String)>,
    /// Chunks that the plugin wants again.
    retries: usize,
}

struct Flush {
    data: Vec<u8>,
    number: usize,
    id: u64,
    handed_over: Instant,
}

impl Hand {
    fn over(&mut self, number: usize, event: &Value) {
        self.ids.push((number, chunk::event_id(event)));
        let data = chunk::of([event]);
        let handed_over = clock::monotonic();
        let id = self.host.flush("a", "kube.events", &data);
        self.waiting.push(Flush { data, number, id, handed_over });
    }

    /// Passes the time, and sees what comes back.
    fn until(&mut self, end: Instant) {
        loop {
            let Self { host, waiting, done, retries, .. } = self;
            waiting.retain_mut(|flush| match host.wait_within(flush.id, Duration::ZERO) {
                None => true,
                Some(Code::Ok) => {
                    done.push((flush.number, flush.handed_over.elapsed()));
                    false
                }
                Some(code) => {
                    assert_eq!(code, Code::Retry);
                    *retries += 1;
                    flush.id = host.flush("a", "kube.events", &flush.data);
                    true
                }
            });
            let left = end.saturating_duration_since(clock::monotonic());
            if left.is_zero() {
                return;
            }
            thread::sleep(left.min(Duration::from_millis(1)));
        }
    }
}

fn run(lag: Duration, seconds: u64, together: &Barrier) -> Run {
    let (api, gateway) = (KubeApi::start(), TestGateway::start());
    late_replay::before(&api);
    // Here an event comes in the same moment as its object, and not some 100 ms later, as a real input brings it.
    let settings = [("kube_url", &*api.url()), ("correlate_wait", "3s")];
    let host = support::started(Build::V5_1_1, &gateway, &settings);
    api.wait_for_watches(ALL, WATCHES, BOUND);
    api.lag_all_but_events(lag);
    let mut hand = Hand { host, waiting: Vec::new(), done: Vec::new(), ids: Vec::new(), retries: 0 };
    together.wait();
    let mut run = late_replay::replay(&api, (seconds, lag), &mut hand, Hand::over, Hand::until);
    let end = clock::monotonic() + BOUND;
    while !hand.waiting.is_empty() {
        assert!(clock::monotonic() < end, "{} flushes do not come back", hand.waiting.len());
        hand.until(clock::monotonic() + Duration::from_millis(1));
    }
    let records = gateway.accepted_records();
    let record = |id: &str| records.iter().find(|record| record["id"] == id).expect("delivered");
    for (number, took) in hand.done {
        run.get_mut(&number).expect("handed over").took = took;
    }
    for (number, id) in hand.ids {
        run.get_mut(&number).expect("handed over").read(record(&id));
    }
    let lines = hand.host.logs().into_iter().filter(|line| line.level <= 2).map(|line| line.text);
    let refused = support::value(&hand.host.metrics(), "refused_chunks_total");
    let lines = lines.collect::<Vec<_>>();
    assert_eq!(
        hand.retries, 0,
        "a wait makes no chunk come again; {refused} were refused; the log: {lines:#?}"
    );
    hand.host.quit();
    run
}

#[test]
fn no_pod_event_lacks_its_services_when_all_other_watches_are_late() {
    let seconds = number_from("REPLAY_SECONDS").unwrap_or(SECONDS);
    let lags = [0, 300, 2_000].map(Duration::from_millis);
    let together = &Barrier::new(lags.len());
    let runs = thread::scope(|scope| {
        let runs = lags.map(|lag| scope.spawn(move || run(lag, seconds, together)));
        runs.map(|run| run.join().expect("its panic is printed above"))
    });
    let [on_time, late @ ..] = &runs;
    for (lag, run) in lags.iter().zip(&runs) {
        late_replay::compare(&format!("mini host, {lag:?} late"), &runs[0], run);
    }
    for (lag, run) in lags[1..].iter().zip(late) {
        let lacking = late_replay::without_their_services(on_time, run);
        assert_eq!(lacking, [""; 0], "{lag:?} late");
    }
    let with_services = on_time.values().filter(|event| event.kind == "Pod" && !event.services.is_empty());
    assert!(with_services.count() > 100, "the recording has changed");
}
