//! Is the work for one record and for one chunk bounded, and does one tenant's share leave the others theirs?
//!
//! Nothing is timed here: work is counted in objects looked at. `make bench` says how long the bounds take.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use event_gateway::correlate::{
    About, MOST_FOR_CHUNK, MOST_FOR_NAMESPACE, MOST_FOR_RECORD, SHARE_OF_RECORD, Work,
};
use event_gateway::topology::index::Index;
use serde_json::{Value, json};

use super::chunk;
use super::impact::{body_of, correlator, enricher, values};
use super::swarm::{HOSTILE, OTHER, Swarm, event, pods_of};

fn impacts(index: &Index, events: &[Value]) -> Vec<Value> {
    let after = enricher(index.clone(), false).chunk(&chunk::of(events)).unwrap();
    values(&after).iter().map(|record| body_of(record)["impact"].clone()).collect()
}

#[test]
fn an_answer_that_was_cut_short_says_so() {
    let index = Swarm::of(300, 300).index();
    let impact = &impacts(&index, &[event("Deployment", HOSTILE, "swarm", 0)])[0];
    assert_eq!((&impact["incomplete"], &impact["correlation"]), (&json!(true), &json!("matched")));
    assert!(impact["services_total"].as_u64().unwrap() <= MOST_FOR_RECORD as u64);
}

/// Finding the Services again would take as much work, so a part of them must not be taken for all.
#[test]
fn an_answer_that_was_cut_short_is_not_taken_for_the_next_one() {
    let index = Swarm::of(300, 300).index();
    let events = [0, 1].map(|number| event("Deployment", HOSTILE, "swarm", number));
    let incomplete: Vec<Value> =
        impacts(&index, &events).iter().map(|impact| impact["incomplete"].clone()).collect();
    assert_eq!(incomplete, [true, true]);
}

/// Below no more pods than any honest owner has, nothing is left out.
#[test]
fn an_owner_of_thousands_of_pods_gets_a_whole_answer() {
    let mut swarm = Swarm::of(0, 0);
    swarm.deployment(OTHER, "agent", 5_000, false);
    let uids = pods_of(OTHER, "agent", 5_000);
    for name in ["agent", "agent-headless"] {
        swarm.service(OTHER, name, &json!({"app": "agent"}), &uids);
    }
    let impact = &impacts(&swarm.index(), &[event("Deployment", OTHER, "agent", 0)])[0];
    assert_eq!((&impact["incomplete"], &impact["services_total"]), (&Value::Null, &json!(2)));
}

/// A ReplicaSet of a thousand pods makes a thousand events, and Fluent Bit brings them in one chunk.
#[test]
fn many_events_of_one_owner_get_whole_answers() {
    let mut swarm = Swarm::of(0, 0);
    swarm.deployment(OTHER, "big", 1_000, false);
    let uids = pods_of(OTHER, "big", 1_000);
    swarm.service(OTHER, "big", &json!({"app": "big"}), &uids);
    let events: Vec<Value> = (0..1_000).map(|number| event("ReplicaSet", OTHER, "big-rs", number)).collect();
    for impact in impacts(&swarm.index(), &events) {
        assert_eq!((&impact["incomplete"], &impact["services_total"]), (&Value::Null, &json!(1)));
    }
}

#[test]
fn what_one_tenant_needs_is_not_taken_from_another() {
    let index = Swarm::of(300, 300).index();
    let mut events: Vec<Value> =
        (0..900).map(|n| event("Pod", HOSTILE, &format!("swarm-{}", n % 300), n)).collect();
    events.extend((0..100).map(|number| event("Deployment", OTHER, "web", number)));
    let all = impacts(&index, &events);
    let (hostile, others) = all.split_at(900);
    assert!(hostile.iter().any(|impact| impact["incomplete"] == true), "the work of a chunk has no bound");
    let alone = &impacts(&index, &events[900..=900])[0];
    assert_eq!(alone["services"][0]["name"], "web");
    assert!(others.iter().all(|impact| impact == alone));
    assert_eq!(impacts(&index, &events), all, "the same chunk got another answer");
}

/// Many namespaces may belong to one tenant.
#[test]
fn the_work_of_a_chunk_is_bounded_whatever_number_of_namespaces_it_is_for() {
    let mut swarm = Swarm::of(0, 1);
    let namespaces: Vec<String> = (0..8).map(|number| format!("n{number}")).collect();
    namespaces.iter().for_each(|namespace| swarm.add(namespace, 2_000, 1));
    let index = swarm.index();
    let events: Vec<Value> = namespaces
        .iter()
        .flat_map(|namespace| (0..6).map(move |number| event("Deployment", namespace, "swarm", number)))
        .collect();
    let all = impacts(&index, &events);
    let is_cut_short = |impact: &Value| impact["incomplete"] == true;
    let (first, last) = (&all[..6], &all[42..]);
    assert!(!first.iter().any(is_cut_short), "six such events are too many for one namespace");
    assert!(last.iter().all(is_cut_short), "the work of a chunk has no bound of its own");
    // Alone, the last namespace has what it needs.
    assert!(!impacts(&index, &events[42..]).iter().any(is_cut_short));
}

/// A chunk takes long enough for the cluster to change.
#[test]
fn what_was_found_before_the_cluster_changed_is_not_used_after() {
    let mut swarm = Swarm::of(0, 1);
    let about =
        About { kind: "Deployment", api_version: "apps/v1", event_namespace: OTHER, ..About::default() };
    let about = About { namespace: OTHER, name: "web", uid: "Deployment-shop-web", ..about };
    let (correlator, mut work) = (correlator(), Work::default());
    let before = swarm.index();
    assert_eq!(correlator.correlate_within(&before, &about, &mut work).services_total, 1);
    swarm.service(OTHER, "web-too", &json!({"app": "web"}), &pods_of(OTHER, "web", 3));
    let after = swarm.index();
    assert_eq!(correlator.correlate_within(&after, &about, &mut work).services_total, 2);
}

#[test]
fn the_services_of_a_node_are_found_whatever_one_tenant_made() {
    let mut swarm = Swarm::of(MOST_FOR_RECORD + 1_000, 1);
    swarm.put(
        event_gateway::topology::kind::ObjectKind::Node,
        "",
        "node-a",
        json!({"status": {"addresses": []}}),
    );
    let impact = &impacts(&swarm.index(), &[event("Node", "", "node-a", 0)])[0];
    assert_eq!(impact["incomplete"], true);
    let named = impact["services"].as_array().unwrap();
    assert!(named.iter().any(|service| service["namespace"] == OTHER), "displaced");
    assert!(named.len() <= 100);
}

/// What was found once is sorted and written for each event, and costs as much.
#[test]
fn what_is_written_again_counts_as_work() {
    let index = Swarm::of(2_000, 1).index();
    let events: Vec<Value> = (0..300).map(|number| event("Deployment", HOSTILE, "swarm", number)).collect();
    let work =
        impacts(&index, &events).iter().map(|impact| impact["services_total"].as_u64().unwrap()).sum::<u64>();
    assert!(work <= (MOST_FOR_NAMESPACE + events.len() * SHARE_OF_RECORD) as u64, "{work}");
}

/// A megabyte of a budget's selector holds as many values as a namespace has pods.
#[test]
fn comparing_a_long_selector_counts_as_work() {
    use event_gateway::topology::kind::ObjectKind;
    let mut swarm = Swarm::of(0, 1_000);
    let values: Vec<String> = (0..5_000).map(|number| format!("v{number}")).collect();
    let expressions = json!([{"key": "app", "operator": "NotIn", "values": values}]);
    let spec = json!({"spec": {"selector": {"matchExpressions": expressions}}});
    swarm.put(ObjectKind::PodDisruptionBudget, HOSTILE, "long", spec);
    let mut about = event("PodDisruptionBudget", HOSTILE, "long", 0);
    about["involvedObject"]["apiVersion"] = "policy/v1".into();
    assert_eq!(impacts(&swarm.index(), &[about])[0]["incomplete"], true);
}

/// Events about nodes lie in one namespace, and whoever has many Services on a node would use up what that one has.
#[test]
fn what_one_tenant_has_on_a_node_is_not_paid_by_others() {
    let mut swarm = Swarm::of(5_000, 1);
    swarm.put(
        event_gateway::topology::kind::ObjectKind::Node,
        "",
        "node-a",
        json!({"status": {"addresses": []}}),
    );
    let uids = pods_of(OTHER, "web", 1);
    for number in 0..15 {
        swarm.service(OTHER, &format!("web-{number}"), &json!({"app": "web"}), &uids);
    }
    for namespace in 0..30 {
        let namespace = format!("n{namespace}");
        swarm.service(&namespace, "one", &json!({"app": "web"}), &pods_of(&namespace, "web", 1));
    }
    let events: Vec<Value> = (0..300).map(|number| event("Node", "", "node-a", number)).collect();
    let of_others = |impact: &Value| {
        let named = impact["services"].as_array().unwrap().iter();
        named.filter(|service| service["namespace"] != HOSTILE).count()
    };
    let all = impacts(&swarm.index(), &events);
    let numbers: Vec<usize> = all.iter().map(of_others).collect();
    assert!(numbers.iter().all(|number| *number == 46), "{numbers:?}");
}

/// 1.3 MB of labels made 77 MB of 60 events.
#[test]
fn labels_and_annotations_are_written_up_to_a_bound() {
    let mut swarm = Swarm::of(0, 0);
    let labels: serde_json::Map<String, Value> =
        (0..20_000).map(|n| (format!("label-{n:05}"), "x".repeat(50).into())).collect();
    let annotations = json!({"small": "y", "huge": "z".repeat(200_000)});
    let metadata = json!({"labels": labels, "annotations": annotations});
    swarm.put(event_gateway::topology::kind::ObjectKind::Pod, OTHER, "wide", json!({"metadata": metadata}));
    let impact = &impacts(&swarm.index(), &[event("Pod", OTHER, "wide", 0)])[0];
    assert_eq!(
        (impact["labels"].as_object().unwrap().len(), &impact["labels_omitted"]),
        (64, &json!(19_936))
    );
    assert_eq!((&impact["annotations"], &impact["annotations_omitted"]), (&json!({"small": "y"}), &json!(1)));
    assert!(impact.to_string().len() < 20_000);
}

#[test]
fn the_documents_say_the_bounds() {
    let text = std::fs::read_to_string("docs/correlation.md").unwrap();
    for bound in [MOST_FOR_RECORD, SHARE_OF_RECORD, MOST_FOR_NAMESPACE, MOST_FOR_CHUNK] {
        let digits = bound.to_string();
        let grouped = match digits.len() {
            0..4 => digits,
            len => format!("{},{}", &digits[..len - 3], &digits[len - 3..]),
        };
        assert!(text.contains(&format!("{grouped} objects")), "{grouped}");
    }
}
