//! Is the work for one record and for one chunk bounded, and does one tenant's share leave the others theirs?
//!
//! Nothing is timed here: work is counted in objects looked at. `make bench` says how long the bounds take.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use event_gateway::correlate::{MOST_FOR_CHUNK, MOST_FOR_NAMESPACE, MOST_FOR_RECORD, SHARE_OF_RECORD};
use event_gateway::topology::index::Index;
use serde_json::{Value, json};

use crate::chunk;
use crate::impact::{body_of, enricher, values};
use crate::swarm::{HOSTILE, OTHER, Swarm, event, pods_of};

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

#[test]
fn the_services_of_a_node_are_found_whatever_one_tenant_made() {
    let mut swarm = Swarm::of(MOST_FOR_RECORD + 1_000, 1);
    swarm.put(event_gateway::topology::kind::Kind::Node, "", "node-a", json!({"status": {"addresses": []}}));
    let impact = &impacts(&swarm.index(), &[event("Node", "", "node-a", 0)])[0];
    assert_eq!(impact["incomplete"], true);
    let named = impact["services"].as_array().unwrap();
    assert!(named.iter().any(|service| service["namespace"] == OTHER), "displaced");
    assert!(named.len() <= 100);
}

/// What was found once is told, sorted and written for each event, and costs as much.
#[test]
fn what_is_told_again_counts_as_work() {
    let index = Swarm::of(2_000, 1).index();
    let events: Vec<Value> = (0..300).map(|number| event("Deployment", HOSTILE, "swarm", number)).collect();
    let told =
        impacts(&index, &events).iter().map(|impact| impact["services_total"].as_u64().unwrap()).sum::<u64>();
    assert!(told <= (MOST_FOR_NAMESPACE + events.len() * SHARE_OF_RECORD) as u64, "{told}");
}

/// A megabyte of a budget's selector holds as many values as a namespace has pods.
#[test]
fn comparing_a_long_selector_counts_as_work() {
    use event_gateway::topology::kind::Kind;
    let mut swarm = Swarm::of(0, 1_000);
    let values: Vec<String> = (0..5_000).map(|number| format!("v{number}")).collect();
    let expressions = json!([{"key": "app", "operator": "NotIn", "values": values}]);
    let spec = json!({"spec": {"selector": {"matchExpressions": expressions}}});
    swarm.put(Kind::PodDisruptionBudget, HOSTILE, "long", spec);
    let mut about = event("PodDisruptionBudget", HOSTILE, "long", 0);
    about["involvedObject"]["apiVersion"] = "policy/v1".into();
    assert_eq!(impacts(&swarm.index(), &[about])[0]["incomplete"], true);
}

/// Events about nodes lie in one namespace, and whoever has many Services on a node would use up what that one has.
#[test]
fn what_one_tenant_has_on_a_node_is_not_paid_by_others() {
    let mut swarm = Swarm::of(5_000, 1);
    swarm.put(event_gateway::topology::kind::Kind::Node, "", "node-a", json!({"status": {"addresses": []}}));
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
fn labels_and_annotations_are_told_up_to_a_bound() {
    let mut swarm = Swarm::of(0, 0);
    let labels: serde_json::Map<String, Value> =
        (0..20_000).map(|n| (format!("label-{n:05}"), "x".repeat(50).into())).collect();
    let annotations = json!({"small": "y", "huge": "z".repeat(200_000)});
    let metadata = json!({"labels": labels, "annotations": annotations});
    swarm.put(event_gateway::topology::kind::Kind::Pod, OTHER, "wide", json!({"metadata": metadata}));
    let impact = &impacts(&swarm.index(), &[event("Pod", OTHER, "wide", 0)])[0];
    assert_eq!(
        (impact["labels"].as_object().unwrap().len(), &impact["labels_omitted"]),
        (64, &json!(19_936))
    );
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
