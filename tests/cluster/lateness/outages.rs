//! Is an event about what was made during an outage of the API server delivered with its Service, and how soon after the
//! return is every kind followed?
//!
//! The server is killed and restarted again and again. It forbids everything for 2 s after each return, as a real one
//! does while it reads RBAC. `OUTAGES=20` plays that many, each away for 0.3 s to 60 s (five minutes for 20), with the
//! usual `correlate_wait`, and asserts how soon all is followed. Otherwise a few short ones are played with a long
//! `correlate_wait`, so that a slow machine changes nothing. `OUTAGES_CSV` names a file for the figures, `OUTAGES_SVG`
//! one for a plot of them, and `OUTAGES_BEFORE` the figures of an earlier run that are drawn beside.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::Duration;

use event_gateway::clock;
use serde_json::{Value, json};

use super::late_replay::dated_now;
use super::support::gateway::TestGateway;
use super::support::host::{Build, Code, MiniHost};
use super::support::kube_api::{ALL, KubeApi, NotReady};
use super::support::recording::cluster_after;
use super::support::{self, chunk};
use super::{number_from, plot};

const WATCHES: usize = 14;
const HEADING: &str = "away_seconds,followed_seconds\n";
const BOUND: Duration = Duration::from_secs(120);
/// How long a server is reading RBAC.
const FORBIDS: Duration = Duration::from_secs(2);
const SHORTEST: Duration = Duration::from_millis(300);
const LONGEST: Duration = Duration::from_secs(60);
/// Where the run is not asked for: away for up to so long.
const FEW: usize = 6;
const LONGEST_OF_FEW: Duration = Duration::from_secs(2);
/// With `OUTAGES` all kinds are followed so soon after readiness, in half of the outages.
const FOLLOWED: Duration = Duration::from_secs(2);
/// And in each of them, on any machine.
const FOLLOWED_AT_LAST: Duration = Duration::from_secs(60);
/// Longer than it takes until all kinds are followed: an event waits for its Service, whatever the machine does.
const LONG_WAIT: &str = "60s";
/// What the ids of events say: handed over before the API server lets anybody in, and when it does.
const AT_THE_RETURN: &str = "at the return";
const WHEN_READY: &str = "when ready";

/// A Deployment with two pods behind a Service, new in each round.
struct Application {
    name: String,
}

impl Application {
    fn uid(&self, kind: &str) -> String {
        format!("{}-{kind}", self.name)
    }

    fn object(&self, kind: &str, owner: Option<&str>, rest: Value) -> Value {
        let api_version = match kind {
            "Deployment" | "ReplicaSet" => "apps/v1",
            "EndpointSlice" => "discovery.k8s.io/v1",
            _ => "v1",
        };
        let name = if kind == "Service" { self.name.clone() } else { self.uid(kind) };
        let kind_name = kind.split('-').next();
        let mut object = json!({
            "kind": kind_name, "apiVersion": api_version,
            "metadata": {"name": name, "namespace": "shop", "uid": self.uid(kind), "labels": {"app": self.name}},
        });
        if let Some(owner) = owner {
            object["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": owner, "controller": true,
                "name": self.uid(owner), "uid": self.uid(owner)}]);
        }
        for (key, value) in rest.as_object().into_iter().flatten() {
            object[key] = value.clone();
        }
        object
    }

    /// As a rollout and the controllers make it.
    fn create(&self, api: &KubeApi) {
        let labels = json!({"app": self.name});
        let template = json!({"spec": {"template": {"metadata": {"labels": labels}}}});
        api.add(self.object("Service", None, json!({"spec": {"selector": labels}})));
        api.add(self.object("Deployment", None, template.clone()));
        api.add(self.object("ReplicaSet", Some("Deployment"), template));
        for pod in ["Pod-1", "Pod-2"] {
            api.add(self.object(pod, Some("ReplicaSet"), json!({"spec": {"nodeName": "node-a"}})));
        }
        let target =
            |pod| json!({"kind": "Pod", "namespace": "shop", "name": self.uid(pod), "uid": self.uid(pod)});
        let endpoint =
            |pod| json!({"addresses": ["10.1.1.1"], "conditions": {"ready": true}, "targetRef": target(pod)});
        let mut slice = self.object("EndpointSlice", None, json!({"addressType": "IPv4"}));
        slice["metadata"]["labels"] = json!({"kubernetes.io/service-name": self.name});
        slice["endpoints"] = json!([endpoint("Pod-1"), endpoint("Pod-2")]);
        api.add(slice);
    }

    /// About everything that has the Service, each with an id of this moment.
    fn events(&self, moment: &str) -> Vec<Value> {
        let about = |kind: &str| {
            let mut event = support::event(&format!("{}-{moment}-{kind}", self.name), 1, 1);
            let api_version = if kind.starts_with("Pod") { "v1" } else { "apps/v1" };
            event["involvedObject"] = json!({"apiVersion": api_version, "kind": kind.split('-').next(),
                "namespace": "shop", "name": self.uid(kind), "uid": self.uid(kind)});
            dated_now(&mut event);
            event
        };
        ["Deployment", "ReplicaSet", "Pod-1", "Pod-2"].map(about).into()
    }
}

/// What one outage came to.
struct Outage {
    away: Duration,
    /// From readiness until all kinds are followed.
    followed: Duration,
    words: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

fn outage(
    api: &KubeApi,
    host: &mut MiniHost,
    gateway: &TestGateway,
    (number, away): (usize, Duration),
    is_wait_long: bool,
) -> Outage {
    api.stop();
    thread::sleep(away);
    let application = Application { name: format!("new-{number}") };
    api.restart();
    application.create(api);
    let ready_at = api.ready_at().expect("it is not ready at once");
    let mut flushes = hand_over(host, &application.events(AT_THE_RETURN));
    thread::sleep(ready_at.saturating_duration_since(clock::monotonic()));
    flushes.extend(hand_over(host, &application.events(WHEN_READY)));
    api.wait_for_watches(ALL, WATCHES, BOUND);
    let followed = clock::monotonic().saturating_duration_since(ready_at);
    for flush in flushes {
        assert_eq!(host.wait(flush), Code::Ok);
    }
    let mut outage = Outage { away, followed, words: BTreeMap::new(), wrong: Vec::new() };
    let records = gateway.accepted_records();
    let name = format!("new-{number}-");
    let of_this = |record: &&Value| record["event"]["uid"].as_str().is_some_and(|uid| uid.starts_with(&name));
    for record in records.iter().filter(of_this) {
        let (uid, word) =
            (record["event"]["uid"].as_str().expect("text"), record["correlation"].as_str().expect("a word"));
        let when = if uid.contains(WHEN_READY) { WHEN_READY } else { AT_THE_RETURN };
        *outage.words.entry(format!("{word} {when}")).or_default() += 1;
        let names: Vec<_> =
            record["services"].as_array().into_iter().flatten().map(|one| &one["name"]).collect();
        let is_matched = word == "matched" && names == [&json!(application.name)];
        // The usual wait is over before the API server is ready. Then the record says that it may lack something.
        let may_lack_it = when == AT_THE_RETURN && !is_wait_long;
        let says_so = names.is_empty() && ["unknown", "stale"].contains(&word);
        let is_right = is_matched || (may_lack_it && says_so);
        if !is_right {
            outage.wrong.push(format!("{uid} is {word} with {names:?}"));
        }
    }
    assert_eq!(outage.words.values().sum::<usize>(), 8, "all events of outage {number}");
    outage
}

fn hand_over(host: &mut MiniHost, events: &[Value]) -> Vec<u64> {
    events.iter().map(|event| host.flush("a", "kube.events", &chunk::of([event]))).collect()
}

/// From the shortest to the longest, each longer than the one before by the same factor.
fn lengths(count: usize, longest: Duration) -> Vec<Duration> {
    let factor = longest.as_secs_f64() / SHORTEST.as_secs_f64();
    let steps = (count.max(2) - 1) as f64;
    (0..count).map(|place| SHORTEST.mul_f64(factor.powf(place as f64 / steps))).collect()
}

#[allow(clippy::print_stdout, reason = "the figures are what a person wants to see")]
fn print(outages: &[Outage]) {
    let points: Vec<_> =
        outages.iter().map(|outage| (outage.away.as_secs_f64(), outage.followed.as_secs_f64())).collect();
    for (outage, (away, followed)) in outages.iter().zip(&points) {
        println!("{away:>8.2} s away {followed:>8.3} s until all kinds are followed  {:?}", outage.words);
    }
    let lines = points.iter().map(|(away, followed)| format!("{away:.3},{followed:.3}\n"));
    if let Some(file) = std::env::var_os("OUTAGES_CSV") {
        std::fs::write(file, HEADING.to_owned() + &lines.collect::<String>())
            .expect("the file of OUTAGES_CSV");
    }
    if let Some(file) = std::env::var_os("OUTAGES_SVG") {
        plot::draw(Path::new(&file), &before(), &points).expect("the plot of OUTAGES_SVG");
    }
}

/// The points of an earlier run, to be drawn beside those of this one.
fn before() -> Vec<(f64, f64)> {
    let Some(file) = std::env::var_os("OUTAGES_BEFORE") else { return Vec::new() };
    let text = std::fs::read_to_string(file).expect("the file of OUTAGES_BEFORE");
    let number = |text: &str| text.parse().expect("a number");
    let points = text.lines().skip(1).filter_map(|line| line.split_once(','));
    points.map(|(away, followed)| (number(away), number(followed))).collect()
}

#[test]
fn what_is_made_during_an_outage_is_delivered_with_its_service_and_every_kind_is_followed_at_once() {
    let asked: Option<usize> = number_from("OUTAGES");
    let (count, longest) = asked.map_or((FEW, LONGEST_OF_FEW), |count| (count, LONGEST));
    let (api, gateway) = (cluster_after(45), TestGateway::start());
    api.refuse_after_restart(NotReady::Forbidden, FORBIDS);
    let url = api.url();
    let mut settings = vec![("kube_url", &*url)];
    if asked.is_none() {
        settings.push(("correlate_wait", LONG_WAIT));
    }
    let mut host = support::started(Build::V5_1_1, &gateway, &settings);
    api.wait_for_watches(ALL, WATCHES, BOUND);
    let lengths = (0..).zip(lengths(count, longest));
    let outages: Vec<Outage> =
        lengths.map(|length| outage(&api, &mut host, &gateway, length, asked.is_none())).collect();
    host.quit();
    print(&outages);
    let wrong: Vec<&String> = outages.iter().flat_map(|outage| &outage.wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let mut followed: Vec<Duration> = outages.iter().map(|outage| outage.followed).collect();
    followed.sort_unstable();
    assert!(asked.is_none() || followed[followed.len() / 2] <= FOLLOWED, "{followed:?}");
    assert!(followed[followed.len() - 1] <= FOLLOWED_AT_LAST, "{followed:?}");
}
