//! Can whoever writes into one namespace reach into what is said of another one's objects?
//!
//! Each attack alone, as it was tried. `correlation_model tenants` has the property behind them, over random worlds.

use event_gateway::correlate::{About, Correlation, Correlator};
use event_gateway::pattern::Patterns;
use event_gateway::topology::kind::ObjectKind;
use serde_json::{Value, json};

use super::swarm::{HOSTILE, OTHER, Swarm, pods_of};

/// The others' pod, and what its uid is.
const POD: &str = "web-0";
const POD_UID: &str = "Pod-shop-web-0";

fn about<'e>(lies_in: &'e str, kind: &'e str, namespace: &'e str, name: &'e str, uid: &'e str) -> About<'e> {
    About { api_version: "v1", kind, namespace, name, uid, event_namespace: lies_in }
}

/// `correlation`, the Services, the workload and how many labels are given.
fn given(swarm: &mut Swarm, about: &About<'_>) -> (Correlation, Vec<String>, Option<String>, usize) {
    let (labels, annotations) = (Patterns::parse("*"), Patterns::default());
    let correlator = Correlator { max_services: 20, labels, annotations };
    let index = swarm.index();
    let impact = correlator.correlate(&index, about);
    let services = impact.services.iter().map(|one| format!("{}/{}", one.namespace, one.name)).collect();
    let workload = impact.workload.map(|one| format!("{} {}/{}", one.kind, one.namespace, one.name));
    (impact.correlation, services, workload, impact.labels.iter().count())
}

fn learns_nothing(swarm: &mut Swarm, about: &About<'_>) -> bool {
    given(swarm, about) == (Correlation::Foreign, Vec::new(), None, 0)
}

#[test]
fn forged_events_say_foreign() {
    let mut swarm = Swarm::of(1, 1);
    let forged = std::fs::read_to_string("tests/data/hostile/forged-events.ndjson").expect("the data");
    for event in forged.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")) {
        let object = &event["involvedObject"];
        let text = |key: &str| object[key].as_str().unwrap_or("");
        // The uid of the data is that of a pod of another cluster.
        let uid = if text("uid").is_empty() { "" } else { POD_UID };
        let lies_in = event["metadata"]["namespace"].as_str().expect("a namespace");
        assert!(
            learns_nothing(&mut swarm, &about(lies_in, text("kind"), text("namespace"), text("name"), uid)),
            "{event}"
        );
    }
    // The same from where it may come.
    let (correlation, services, workload, _) = given(&mut swarm, &about(OTHER, "Pod", OTHER, POD, POD_UID));
    assert_eq!((correlation, services), (Correlation::Matched, vec!["shop/web".to_owned()]));
    assert_eq!(workload.as_deref(), Some("Deployment shop/web"));
    for lies_in in ["default", "kube-system", ""] {
        assert_ne!(
            given(&mut swarm, &about(lies_in, "Node", "", "node-a", "")).0,
            Correlation::Foreign,
            "{lies_in}"
        );
    }
}

/// The uid of an audit record may come from the body of a request.
#[test]
fn an_audit_record_finds_what_lies_where_the_request_went() {
    let mut swarm = Swarm::of(1, 1);
    assert!(learns_nothing(&mut swarm, &about(HOSTILE, "Pod", HOSTILE, "mine", POD_UID)));
}

#[test]
fn slices_and_owners_of_others_do_not_count() {
    let mut swarm = Swarm::of(0, 0);
    let before = ["Pod", "ReplicaSet", "Deployment"].map(|kind| of_web(&mut swarm, kind));
    for n in 0..25 {
        swarm.service(HOSTILE, &format!("a{n}"), &json!({"app": "web"}), &pods_of(OTHER, "web", 3));
        let owner = |kind: &str, name: &str| json!({"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": format!("{kind}-{OTHER}-{name}"), "controller": true});
        let owners = json!([owner("ReplicaSet", "web-rs"), owner("Deployment", "web")]);
        let metadata = json!({"labels": {"app": "web"}, "ownerReferences": owners});
        swarm.put(ObjectKind::Pod, HOSTILE, &format!("p{n}"), json!({"metadata": metadata}));
    }
    assert_eq!(["Pod", "ReplicaSet", "Deployment"].map(|kind| of_web(&mut swarm, kind)), before);
    assert!(before.iter().all(|(_, services, ..)| services == &["shop/web"]));
}

fn of_web(swarm: &mut Swarm, kind: &str) -> (Correlation, Vec<String>, Option<String>, usize) {
    let name = match kind {
        "Pod" => POD,
        "ReplicaSet" => "web-rs",
        _ => "web",
    };
    let uid = format!("{kind}-{OTHER}-{name}");
    let version = if kind == "Pod" { "v1" } else { "apps/v1" };
    given(swarm, &About { api_version: version, ..about(OTHER, kind, OTHER, name, &uid) })
}

/// A kubelet reports on a static pod by a uid that only an annotation of its mirror has.
#[test]
fn a_static_pod_is_its_mirror_by_namespace_name_and_uid() {
    let mut swarm = Swarm::of(0, 0);
    let mirror = |labels: Value| json!({"metadata": {"labels": labels, "annotations": {"kubernetes.io/config.mirror": "static"}}});
    swarm.put(ObjectKind::Pod, "kube-system", "etcd-a", mirror(json!({"app": "etcd"})));
    swarm.service("kube-system", "etcd", &json!({"app": "etcd"}), &[]);
    let real = about("kube-system", "Pod", "kube-system", "etcd-a", "static");
    let before = given(&mut swarm, &real);
    assert_eq!(before.1, ["kube-system/etcd"]);
    for (name, labels) in [("etcd-a", json!({"app": "swarm"})), ("other", json!({"app": "swarm"}))] {
        swarm.put(ObjectKind::Pod, HOSTILE, name, mirror(labels));
    }
    swarm.service(HOSTILE, "mine", &json!({"app": "swarm"}), &[]);
    assert_eq!(given(&mut swarm, &real), before);
    assert!(learns_nothing(&mut swarm, &about(HOSTILE, "Pod", "kube-system", "etcd-a", "static")));
}

#[test]
fn a_claim_that_is_not_bound_claims_nothing() {
    let mut swarm = Swarm::of(0, 0);
    let pod = json!({"metadata": {"labels": {"app": "db"}}, "spec": {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}});
    let claim = |phase: &str| json!({"spec": {"volumeName": "pv-b"}, "status": {"phase": phase}});
    for (namespace, phase) in [(OTHER, "Bound"), (HOSTILE, "Pending"), ("bbb", "Lost"), ("ccc", "")] {
        swarm.put(ObjectKind::Pod, namespace, "db", pod.clone());
        swarm.put(ObjectKind::PersistentVolumeClaim, namespace, "data", claim(phase));
        swarm.service(namespace, "db", &json!({"app": "db"}), &[]);
    }
    let of_volume = about("default", "PersistentVolume", "", "pv-b", "pv");
    assert_eq!(given(&mut swarm, &of_volume).1, ["shop/db"]);
    assert!(learns_nothing(&mut swarm, &about(HOSTILE, "PersistentVolume", HOSTILE, "pv-b", "pv")));
    assert!(learns_nothing(&mut swarm, &about(HOSTILE, "PersistentVolume", "", "pv-b", "pv")));
}

/// An owner of a kind that belongs to the cluster has children in every namespace, and each of them its Services.
#[test]
fn an_owner_that_belongs_to_the_cluster_touches_several_namespaces() {
    let mut swarm = Swarm::of(0, 0);
    let owners = json!([{"apiVersion": "x.io/v1", "kind": "Tenant", "name": "t", "uid": "tenant", "controller": true}]);
    for namespace in [OTHER, HOSTILE] {
        let metadata = json!({"labels": {"app": "t"}, "ownerReferences": owners});
        swarm.put(ObjectKind::Pod, namespace, "t", json!({"metadata": metadata}));
        swarm.service(namespace, "t", &json!({"app": "t"}), &[]);
    }
    let mut of = |lies_in, namespace| {
        let about = about(lies_in, "Tenant", namespace, "t", "tenant");
        given(&mut swarm, &About { api_version: "x.io/v1", ..about }).1
    };
    assert_eq!(of("default", ""), ["aaa/t", "shop/t"]);
    assert_eq!(of(HOSTILE, ""), ["aaa/t"]);
    assert_eq!(of(HOSTILE, HOSTILE), ["aaa/t"]);
    assert!(of(HOSTILE, OTHER).is_empty());
}

/// A tenant who writes a reference to the owner's uid chooses its name.
#[test]
fn an_owner_of_the_cluster_is_called_what_its_event_calls_it() {
    let mut swarm = Swarm::of(0, 0);
    for (namespace, kind, name) in [(OTHER, "Tenant", "t"), (HOSTILE, "Evil", "evil"), ("bbb", "Tenant", "u")]
    {
        let owners = json!([{"apiVersion": "x.io/v1", "kind": kind, "name": name, "uid": "tenant", "controller": true}]);
        let metadata = json!({"labels": {"app": "t"}, "ownerReferences": owners});
        swarm.put(ObjectKind::Pod, namespace, "t", json!({"metadata": metadata}));
        swarm.service(namespace, "t", &json!({"app": "t"}), &[]);
    }
    let mut of = |kind, name| {
        given(&mut swarm, &About { api_version: "x.io/v1", ..about("", kind, "", name, "tenant") })
    };
    let (_, services, workload, _) = of("Tenant", "t");
    assert_eq!((services, workload), (vec!["shop/t".to_owned()], Some("Tenant shop/t".to_owned())));
    // Everybody may send a review, with any uid in its metadata, and its audit record lies in no namespace.
    assert_eq!(of("SelfSubjectAccessReview", "t"), (Correlation::None, Vec::new(), None, 0));
}

/// Pods of one name that were deleted: whoever makes thousands of them does not decide how long a look-up takes.
#[test]
fn few_of_the_pods_that_had_a_name_are_asked_whether_they_mirror_a_static_pod() {
    let mut swarm = Swarm::of(0, 0);
    for number in 0..200 {
        let annotations = json!({"kubernetes.io/config.mirror": format!("static-{number}")});
        swarm.put(
            ObjectKind::Pod,
            HOSTILE,
            "mirror",
            json!({"metadata": {"uid": format!("pod-{number}"), "annotations": annotations}}),
        );
    }
    let is_found = |number: usize, swarm: &mut Swarm| {
        given(swarm, &about(HOSTILE, "Pod", HOSTILE, "mirror", &format!("static-{number}"))).0
            != Correlation::Unknown
    };
    assert!(is_found(199, &mut swarm), "the one that is there");
    let found = (0..200).filter(|number| is_found(*number, &mut swarm)).count();
    assert!((2..=65).contains(&found), "{found} of 200 were found");
}
