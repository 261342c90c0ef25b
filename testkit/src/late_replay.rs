//! The recording at ten times its speed, with events that happen now, before an API server whose watches are late; and
//! what each event was delivered with, and when.
#![allow(clippy::print_stdout, reason = "the figures are what a person wants to see")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use event_gateway::clock;
use event_gateway::time::Stamp;
use event_gateway::topology::kind::{ObjectKind, group_of};
use serde_json::Value;

use crate::kube_api::KubeApi;
use crate::recording::{self, Change, replay_into};
use crate::replay::about;

/// How much faster than it was recorded.
const SPEED: u64 = 10;
/// An object counts as known so long after it was shown; what comes sooner may have waited for it.
const SHOWN: Duration = Duration::from_millis(250);

/// What happened to one event.
#[derive(Clone, Debug, Default)]
pub struct Delivered {
    pub kind: String,
    pub correlation: String,
    pub services: BTreeSet<String>,
    /// From when it was handed over until it was acknowledged.
    pub took: Duration,
    /// Its object was not yet shown when it came.
    pub was_early: bool,
}

/// By its number in the recording.
pub type Run = BTreeMap<usize, Delivered>;

impl Delivered {
    /// Adds what the delivered record says.
    pub fn read(&mut self, record: &Value) {
        self.correlation = record["correlation"].as_str().unwrap_or_default().to_owned();
        let names = record["services"].as_array().into_iter().flatten().map(|one| one["name"].as_str());
        self.services = names.map(|name| name.unwrap_or_default().to_owned()).collect();
    }
}

/// An event as if it happened now: only a recent one waits for its object.
pub fn dated_now(event: &mut Value) {
    let seconds = clock::unix_seconds(clock::wall());
    let now = Stamp::from_unix_seconds(seconds).expect("a date of today").to_string();
    let micro = now.replace('Z', ".000000Z");
    event["metadata"]["creationTimestamp"] = now.as_str().into();
    for (place, time) in [
        ("/firstTimestamp", &now),
        ("/lastTimestamp", &now),
        ("/eventTime", &micro),
        ("/series/lastObservedTime", &micro),
    ] {
        if let Some(old) = event.pointer_mut(place).filter(|old| old.is_string()) {
            *old = time.as_str().into();
        }
    }
}

/// The cluster as it stood before anything happened.
pub fn before(api: &KubeApi) {
    for line in recording::lines().filter(|line| line.resource != "events" && line.change == Change::Listed) {
        replay_into(api, &line);
    }
}

/// Replays so many seconds of the recording. `hand_over` takes each event in its turn; `until` passes the time.
pub fn replay<H>(
    api: &KubeApi,
    (seconds, lag): (u64, Duration),
    host: &mut H,
    hand_over: impl Fn(&mut H, usize, &Value),
    until: impl Fn(&mut H, Instant),
) -> Run {
    let (start, mut shown, mut run) = (clock::monotonic(), HashMap::new(), Run::new());
    let lines = recording::lines().enumerate().filter(|(_, line)| line.ms < seconds.saturating_mul(1_000));
    for (number, mut line) in lines {
        let is_event = line.resource == "events";
        if is_event || line.change != Change::Listed {
            until(host, start + Duration::from_millis(line.ms / SPEED));
        }
        let now = clock::monotonic();
        if is_event {
            dated_now(&mut line.object);
            let about = about(&line.object);
            let is_followed = ObjectKind::of(group_of(about.api_version), about.kind).is_some();
            let known = shown.get(about.uid).or_else(|| shown.get(about.name));
            let is_known = known.is_some_and(|since: &Instant| now >= *since + SHOWN);
            let event = Delivered {
                kind: about.kind.to_owned(),
                was_early: is_followed && !is_known,
                ..Delivered::default()
            };
            run.insert(number, event);
            hand_over(host, number, &line.object);
        } else {
            let since = if line.change == Change::Listed { start } else { now + lag };
            for key in ["uid", "name"] {
                // An object has the name of another only within one workload's time, and a uid never.
                let key = line.object["metadata"][key].as_str().unwrap_or_default();
                shown.entry(key.to_owned()).or_insert(since);
            }
            if line.change != Change::Listed {
                replay_into(api, &line);
            }
        }
    }
    run
}

/// Events about Pods that lack a Service which they have in the other run.
pub fn without_their_services(on_time: &Run, late: &Run) -> Vec<String> {
    let pods = on_time.iter().filter(|(_, event)| event.kind == "Pod");
    let lacking = pods.filter_map(|(number, then)| {
        let now = late.get(number).expect("the same events");
        let lacks: Vec<_> = then.services.difference(&now.services).collect();
        (!lacks.is_empty()).then(|| format!("event {number} is {} and lacks {lacks:?}", now.correlation))
    });
    lacking.collect()
}

/// One line for a person. Those that found their object known did not wait with the others: the same records took as
/// long on time, within half a second.
pub fn compare(name: &str, on_time: &Run, late: &Run) {
    let mut words = BTreeMap::<&str, usize>::new();
    late.values().for_each(|event| *words.entry(&event.correlation).or_default() += 1);
    let same = || late.iter().filter(|(_, event)| !event.was_early).map(|(number, _)| number);
    let [then, now] = [on_time, late].map(|run| times(same().map(|number| run[number].took).collect()));
    let lacking = without_their_services(on_time, late).len();
    let pods = on_time.values().filter(|event| event.kind == "Pod" && !event.services.is_empty()).count();
    println!(
        "{name}: {lacking} of {pods} Pod events lack a Service; {words:?}; {} records found their object known: median \
         {:.1?}, 99th of 100 {:.1?}; on time {:.1?}, {:.1?}",
        same().count(),
        now.0,
        now.1,
        then.0,
        then.1
    );
    assert!(now.0 < then.0 + Duration::from_millis(500), "records wait that need not");
}

/// The median, and the 99th of 100.
fn times(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    (at(50), at(99))
}
