//! Does the index keep to its word at the edges: how long, which of two by one name, in which namespace?

use std::sync::Arc;

use event_gateway::correlate::{About, Correlator};
use event_gateway::pattern::Patterns;
use event_gateway::topology::endpoints::MOST_PAST;
use event_gateway::topology::key::Key;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::object::Object;
use event_gateway::topology::parse::Parser;
use event_gateway::topology::writer::IndexWriter;
use serde_json::{Value, json};

const TTL_SECONDS: u64 = 3_600;

fn writer() -> IndexWriter {
    let mut writer = IndexWriter::new(TTL_SECONDS);
    writer.set_time(10_000);
    for kind in ObjectKind::ALL {
        writer.replace(kind, Vec::new());
    }
    writer
}

fn object(
    kind: ObjectKind,
    namespace: &str,
    name: &str,
    uid: &str,
    version: u32,
    mut rest: Value,
) -> Arc<Object> {
    let metadata =
        json!({"namespace": namespace, "name": name, "uid": uid, "resourceVersion": version.to_string()});
    let more = rest["metadata"].take();
    rest["metadata"] = metadata;
    for (key, value) in more.as_object().into_iter().flatten() {
        rest["metadata"][key] = value.clone();
    }
    let mut parser = Parser::new(kind, Patterns::default());
    Arc::new(parser.object(rest.to_string().as_bytes()).expect("a good object"))
}

fn slice(version: u32, pods: &[&str]) -> Arc<Object> {
    let endpoint = |pod: &&str| json!({"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "uid": pod}});
    let endpoints: Vec<Value> = pods.iter().map(endpoint).collect();
    let labels = json!({"kubernetes.io/service-name": "svc"});
    let rest = json!({"metadata": {"labels": labels}, "endpoints": endpoints});
    object(ObjectKind::EndpointSlice, "shop", "slice", "slice", version, rest)
}

#[test]
fn a_pod_that_a_slice_knew_first_is_remembered_for_its_whole_time() {
    let mut writer = writer();
    writer.put(slice(1, &["pod"]));
    writer.put(slice(2, &[]));
    let pod = |version| object(ObjectKind::Pod, "shop", "p", "pod", version, json!({}));
    writer.put(pod(1));
    let gone = 10_000 + TTL_SECONDS - 10;
    writer.set_time(gone);
    writer.delete(pod(2));
    for (seconds, known) in [(gone + 20, true), (gone + TTL_SECONDS - 1, true), (gone + TTL_SECONDS, false)] {
        writer.set_time(seconds);
        writer.expire();
        assert_eq!(writer.snapshot().by_uid(Key::of("pod")).is_some(), known, "{seconds}");
    }
}

#[test]
fn of_two_remembered_by_one_name_it_means_the_one_that_went_last() {
    for order in [[("old", 500), ("new", 990)], [("new", 990), ("old", 500)]] {
        let mut writer = IndexWriter::new(TTL_SECONDS);
        writer.set_time(1_000);
        for (uid, deleted) in order {
            writer.remember(object(ObjectKind::StatefulSet, "shop", "db", uid, 1, json!({})), &[], deleted);
        }
        let index = writer.snapshot();
        let named =
            index.by_name(Key::held(ObjectKind::StatefulSet, "shop", "db")).expect("it was remembered");
        assert_eq!(named.uid.to_string(), "new");
    }
}

#[test]
fn an_owner_with_children_in_two_namespaces_is_forgotten_in_both() {
    let mut writer = writer();
    let owner = json!([{"apiVersion": "x.io/v1", "kind": "Tenant", "name": "t", "uid": "owner"}]);
    for namespace in ["a", "b"] {
        let rest = json!({"metadata": {"ownerReferences": owner}});
        writer.put(object(ObjectKind::Pod, namespace, "p", &format!("pod-{namespace}"), 1, rest));
    }
    let named = |writer: &mut IndexWriter, namespace: &str| {
        writer.snapshot().owners_named(Key::object("x.io/v1", "Tenant", namespace, "t")).count()
    };
    assert_eq!((named(&mut writer, "a"), named(&mut writer, "b")), (1, 1));
    writer.replace(ObjectKind::Pod, Vec::new());
    writer.set_time(10_000 + TTL_SECONDS);
    writer.expire();
    assert_eq!((named(&mut writer, "a"), named(&mut writer, "b"), writer.len()), (0, 0, 0));
}

#[test]
fn an_object_found_by_its_uid_lies_in_its_own_namespace() {
    let mut writer = writer();
    writer.put(object(
        ObjectKind::Service,
        "shop",
        "svc",
        "svc",
        1,
        json!({"spec": {"selector": {"a": "b"}}}),
    ));
    writer.put(slice(1, &["pod"]));
    let (labels, annotations) = (Patterns::parse("*"), Patterns::default());
    let correlator = Correlator { max_services: 20, labels, annotations };
    let index = writer.snapshot();
    for (kind, name) in [("Service", "svc"), ("EndpointSlice", "slice")] {
        let about = About { kind, name, uid: name, ..About::default() };
        let impact = correlator.correlate(&index, &about);
        let services: Vec<_> =
            impact.services.iter().map(|one| (one.namespace, one.endpoints_total)).collect();
        assert_eq!(services, [("shop", 1)], "{kind}");
    }
}

#[test]
fn a_cluster_of_which_nothing_may_be_read_is_not_ready() {
    let mut writer = IndexWriter::new(TTL_SECONDS);
    for kind in ObjectKind::ALL {
        writer.give_up(kind);
    }
    assert!(!writer.snapshot().is_ready());
    writer.replace(ObjectKind::Service, Vec::new());
    assert!(writer.snapshot().is_ready());
}

/// A slice whose Service changes without end leaves one behind each time, and whoever may write slices may do so for a year.
#[test]
fn the_past_of_a_pod_that_lives_is_bounded() {
    let mut writer = writer();
    writer.put(object(ObjectKind::Pod, "shop", "p", "pod", 1, json!({})));
    for version in 1..500 {
        let labels = json!({"kubernetes.io/service-name": format!("svc-{version}")});
        let endpoints = json!([{"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "uid": "pod"}}]);
        let rest = json!({"metadata": {"labels": labels}, "endpoints": endpoints});
        writer.put(object(ObjectKind::EndpointSlice, "shop", "slice", "slice", version, rest));
    }
    let index = writer.snapshot();
    let (_, pod) = index.by_uid(Key::of("pod")).expect("the pod");
    let memberships = index.memberships(pod.key(), pod);
    assert_eq!(memberships.len(), MOST_PAST + 1);
    assert_eq!(memberships.iter().filter(|one| one.slices > 0).count(), 1);
    assert!(
        memberships.iter().any(|one| one.service == Key::name("shop", "svc-498")),
        "the newest is forgotten"
    );
}

/// Two children that call their owner by two names leave neither name behind.
#[test]
fn names_of_an_owner_go_with_those_that_say_them() {
    let mut writer = writer();
    let child = |number: u32, name: &str| {
        let owners = json!([{"apiVersion": "x.io/v1", "kind": "Rollout", "name": name, "uid": "rollout"}]);
        let rest = json!({"metadata": {"ownerReferences": owners}});
        object(ObjectKind::Pod, "shop", &format!("p{number}"), &format!("u{number}"), number, rest)
    };
    writer.put(child(1, "stays"));
    (2..50).for_each(|number| writer.put(child(number, &format!("n{number}"))));
    (2..50).for_each(|number| writer.delete(child(number, &format!("n{number}"))));
    writer.set_time(10_000 + 2 * TTL_SECONDS);
    writer.expire();
    let index = writer.snapshot();
    let named = |name: &str| index.owners_named(Key::object("x.io/v1", "Rollout", "shop", name)).count();
    assert_eq!((2..50).map(|number| named(&format!("n{number}"))).sum::<usize>(), 0);
    assert_eq!(named("stays"), 1);
}

/// A megabyte of owner references would be gone through for each event of each pod below.
#[test]
fn few_owners_are_kept_and_the_one_that_controls_is_among_them() {
    let owner = |number: usize| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": format!("u{number}"), "controller": number == 999});
    let owners: Vec<Value> = (0..1_000).map(owner).collect();
    let pod =
        object(ObjectKind::Pod, "shop", "p", "pod", 1, json!({"metadata": {"ownerReferences": owners}}));
    assert_eq!(pod.owners().len(), 32);
    assert_eq!(pod.controller().map(|owner| owner.key), Some(Key::of("u999")));
}
