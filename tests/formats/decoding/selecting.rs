//! Are exactly those records taken that the settings ask for?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;

use super::{cases, chunk, reading};
use cases::cases;
use event_gateway::config::Settings;
use event_gateway::job::{self, HostResult, Job};
use event_gateway::log::HostLog;
use event_gateway::metrics::Metrics;
use event_gateway::pipeline::Pipeline;
use event_gateway::record::chunk::Records;
use event_gateway::record::content::Content;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::text::Repair;
use event_gateway::select::selects;
use proptest::collection::vec;
use proptest::prelude::*;
use reading::read;
use serde_json::{Value, json};

const KEYS: [&str; 5] = ["namespaces", "exclude_namespaces", "types", "reasons", "exclude_reasons"];

/// Settings as a user writes them; a list without a pattern would be refused.
fn settings(lists: &[(&str, String)]) -> Settings {
    let has_pattern = |list: &str| list.contains(|c: char| c != ',' && c != ' ');
    let lists = lists.iter().filter(|(_, list)| has_pattern(list));
    let mut properties: Vec<(&str, &[u8])> = vec![("endpoint", b"http://127.0.0.1:9/")];
    properties.extend(lists.map(|(key, list)| (*key, list.as_bytes())));
    read(&properties).unwrap()
}

/// All events of the run, in both API groups.
fn real_events() -> Vec<Value> {
    let newer = std::fs::read_to_string(chunk::data_file("events-events.k8s.io-v1.ndjson")).unwrap();
    let newer = newer.lines().map(|line| serde_json::from_str(line).unwrap());
    chunk::listed_events().into_iter().chain(newer).collect()
}

/// Where an event lies, and the namespace that its object is said to have; none for an object of the cluster.
fn namespaces_of(event: &Value) -> (&str, Option<&str>) {
    let object = event.get("involvedObject").unwrap_or(&event["regarding"]);
    let lies_in = event["metadata"]["namespace"].as_str().unwrap_or("");
    let of_cluster = ["Node", "PersistentVolume"].contains(&object["kind"].as_str().unwrap_or(""))
        || (object.get("namespace").is_none() && lies_in == "default" && object["kind"] != "Pod");
    (lies_in, (!of_cluster).then(|| object["namespace"].as_str().unwrap_or(lies_in)))
}

/// A star stands for anything, as one would write it on a napkin.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=text.len()).any(|from| is_like(rest, &text[from..])),
        (Some((wanted, rest)), Some((found, text))) => wanted == found && is_like(rest, text),
        _ => false,
    }
}

fn naively_admits(lists: &[(&str, String)], event: &Value) -> bool {
    let list = |key: &str| lists.iter().find(|(name, _)| *name == key).map_or("", |(_, list)| list);
    let is_in = |key: &str, text: &str| {
        let mut patterns = list(key).split(',').map(str::trim).filter(|pattern| !pattern.is_empty());
        patterns.any(|pattern| is_like(pattern.as_bytes(), text.as_bytes()))
    };
    let is_set = |key: &str| list(key).split(',').any(|pattern| !pattern.trim().is_empty());
    let is_taken = |key: &str, text: &str| !is_set(key) || is_in(key, text);
    let takes_type = |word: &str| {
        let types = list("types").to_lowercase();
        let mut types = types.split(',').map(str::trim).filter(|pattern| !pattern.is_empty());
        !is_set("types") || types.any(|pattern| is_like(pattern.as_bytes(), word.to_lowercase().as_bytes()))
    };
    let ((lies_in, names), reason) = (namespaces_of(event), event["reason"].as_str().unwrap());
    let is_left_out = match names {
        Some(names) => is_in("exclude_namespaces", lies_in) || is_in("exclude_namespaces", names),
        None => is_in("exclude_namespaces", ""),
    };
    is_taken("namespaces", lies_in)
        && is_taken("namespaces", names.unwrap_or(lies_in))
        && takes_type(event["type"].as_str().unwrap())
        && is_taken("reasons", reason)
        && !is_left_out
        && !is_in("exclude_reasons", reason)
}

/// Words of the real events, some cut and starred, and some that no event holds.
fn pattern() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "default",
        "payments",
        "shop",
        "kube-system",
        "Normal",
        "Warning",
        "Pulled",
        "Unhealthy",
        "FailedScheduling",
        "BackOff",
        "Scheduled",
        "LeaderElection",
        "payment",
        "normal",
        "?",
    ];
    let cut = |(word, from, to): (&str, usize, usize)| {
        let (from, to) = (from.min(word.len()), word.len().saturating_sub(to).max(from.min(word.len())));
        word[from..to].to_owned()
    };
    prop_oneof![
        3 => proptest::sample::select(WORDS).prop_map(str::to_owned),
        3 => (proptest::sample::select(WORDS), 0usize..4, 0usize..9).prop_map(cut).prop_map(|part| format!("{part}*")),
        1 => (proptest::sample::select(WORDS), 0usize..4, 0usize..3).prop_map(cut).prop_map(|part| format!("*{part}")),
        1 => (proptest::sample::select(WORDS), 1usize..4, 1usize..3).prop_map(cut).prop_map(|part| format!("*{part}*")),
        1 => Just(" ".to_owned()),
    ]
}

fn lists() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let list = || prop_oneof![2 => Just(Vec::new()), 3 => vec(pattern(), 1..4)];
    [list(), list(), list(), list(), list()].prop_map(|lists| {
        KEYS.into_iter().zip(lists.map(|list| list.join(" ,"))).filter(|(_, list)| !list.is_empty()).collect()
    })
}

#[test]
fn any_lists_take_what_the_naive_reading_takes() {
    let events = real_events();
    let bytes = chunk::of(&events);
    let envelopes: Vec<_> = Records::new(&bytes).map(Result::unwrap).collect();
    let mut runner = proptest::test_runner::TestRunner::new(cases(300));
    let result = runner.run(&lists(), |lists| {
        let rules = settings(&lists).selection;
        for (event, envelope) in events.iter().zip(&envelopes) {
            let read = KubeEvent::read(envelope.body, &Repair::default()).unwrap().unwrap();
            prop_assert_eq!(
                selects(&rules, &Content::Event(&read)),
                naively_admits(&lists, event),
                "{}",
                event
            );
        }
        Ok(())
    });
    result.unwrap();
}

#[test]
fn the_examples_of_the_documentation_hold() {
    let events = real_events();
    let bytes = chunk::of(&events);
    let taken = |lists: &[(&str, &str)]| {
        let lists: Vec<_> = lists.iter().map(|(key, list)| (*key, (*list).to_owned())).collect();
        let rules = settings(&lists).selection;
        let mut records = Records::new(&bytes).map(Result::unwrap);
        let is_taken = |body| {
            let event = KubeEvent::read(body, &Repair::default()).unwrap().unwrap();
            selects(&rules, &Content::Event(&event))
        };
        events.iter().filter(|_| is_taken(records.next().unwrap().body)).collect::<Vec<_>>()
    };
    assert_eq!(taken(&[]).len(), 982);
    assert_eq!(taken(&[("namespaces", "*")]).len(), 982);
    assert_eq!(taken(&[("exclude_namespaces", "*")]).len(), 0);
    let warnings = taken(&[("types", "Warning")]);
    for types in ["warning", "WARN*", "error, warning"] {
        assert_eq!(taken(&[("types", types)]), warnings, "the case of a type says nothing");
    }
    assert_eq!(taken(&[("types", "Error")]).len(), 0);
    assert_eq!(taken(&[("reasons", "backoff")]).len(), 0, "case counts, as it does in Kubernetes");
    assert_eq!(taken(&[("types", "Warning")]).len() + taken(&[("types", "Normal")]).len(), 982);
    // What is about no namespace counts by the event's own, which is `default` then.
    let in_default = taken(&[("namespaces", "default")]);
    assert!(
        in_default.iter().filter(|event| event["involvedObject"].get("namespace").is_none()).count() >= 36
    );
    // And is left out by none.
    let of_cluster = |event: &&&Value| event["involvedObject"].get("namespace").is_none();
    let left = taken(&[("exclude_namespaces", "default")]);
    assert!(left.iter().filter(of_cluster).count() >= 36);
    let failed = taken(&[("reasons", "Failed*, BackOff"), ("exclude_reasons", "FailedScheduling")]);
    assert!(!failed.is_empty());
    assert!(failed.iter().all(|event| {
        let reason = event["reason"].as_str().unwrap();
        reason == "BackOff" || reason.starts_with("Failed") && reason != "FailedScheduling"
    }));
    // An exclusion wins.
    assert!(taken(&[("namespaces", "shop"), ("exclude_namespaces", "sh*")]).is_empty());
}

/// Who may write an event into a namespace chooses what it names: neither gets it past the filters.
#[test]
fn a_forged_event_is_in_both_namespaces() {
    let forged = std::fs::read_to_string(chunk::data_file("hostile/forged-events.ndjson")).unwrap();
    let forged: Vec<Value> = forged.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let number = |key: &str, list: &str| {
        let rules = settings(&[(key, list.to_owned())]).selection;
        let bytes = chunk::of(&forged);
        let taken = Records::new(&bytes).filter(|envelope| {
            let event =
                KubeEvent::read(envelope.as_ref().unwrap().body, &Repair::default()).unwrap().unwrap();
            selects(&rules, &Content::Event(&event))
        });
        taken.count()
    };
    // All lie in `aaa`; the first names `shop`, the last two objects of the cluster, of which `aaa` has no say.
    assert_eq!((number("namespaces", "shop"), number("namespaces", "default, kube-*")), (0, 0));
    assert_eq!((number("namespaces", "aaa"), number("namespaces", "aaa, shop")), (3, 4));
    assert_eq!((number("exclude_namespaces", "aaa"), number("exclude_namespaces", "shop")), (0, 3));
}

/// The count of each, after a chunk went through the whole pipeline.
struct Counts {
    answer: Option<HostResult>,
    excluded: u64,
    skipped: u64,
    replaced: u64,
}

fn pass(lists: &[(&str, String)], bytes: Vec<u8>) -> Counts {
    let metrics = Arc::<Metrics>::default();
    let mut pipeline = Pipeline::open(&settings(lists), &metrics, &Arc::<HostLog>::default(), || {}).unwrap();
    let (reply, pending) = job::reply(Arc::new(|| {}));
    pipeline.round(vec![Job { tag: "k8s".to_owned(), data: bytes, reply }]);
    Counts {
        answer: pending.poll(),
        excluded: metrics.excluded_records_total.get(),
        skipped: metrics.skipped_records_total.get(),
        replaced: metrics.replaced_strings_total.get(),
    }
}

#[test]
fn what_is_excluded_does_not_count_its_nonsense() {
    let nonsense = [
        json!({"message": {"no": ["text"]}, "count": "many", "series": [], "metadata": 7}),
        json!({"message": "MARK", "metadata": {"name": "MARK", "resourceVersion": [1]}}),
        json!({"message": "x".repeat(2 << 20), "firstTimestamp": "yesterday"}),
    ];
    for mut body in nonsense {
        body["involvedObject"] = json!({"namespace": "kube-system"});
        body["reason"] = json!("Odd");
        let mut record = chunk::v2(&body, 1);
        while let Some(at) = record.windows(5).position(|window| window == b"\xa4MARK") {
            // What is no UTF-8 is replaced, and counted where the record is taken.
            record[at + 1..at + 5].copy_from_slice(&[0xff; 4]);
        }
        let chunk = [&record[..], &record, &record].concat();
        let counts = pass(&[("exclude_namespaces", "kube-*".to_owned())], chunk);
        assert_eq!((counts.answer, counts.excluded), (Some(HostResult::Ok), 3), "{}", body["message"]);
        assert_eq!((counts.skipped, counts.replaced), (0, 0));
    }
}

#[test]
fn a_list_in_one_record_is_selected_item_by_item() {
    let events = chunk::listed_events();
    let bytes = chunk::v2(&json!({"kind": "EventList", "items": events}), 1);
    let counts = pass(&[("types", "None".to_owned())], bytes);
    assert_eq!((counts.answer, counts.excluded, counts.skipped), (Some(HostResult::Ok), 491, 0));
}
