//! Are generated clusters like real ones: in what refers to what, in weight, in what happens to them?

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use super::support;
use serde_json::Value;

use support::cluster::{Change, Cluster, Size};
use support::kube_api::KubeApi;
use support::kube_client::{get, watch};

const BOUND: Duration = Duration::from_secs(60);

fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    object.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// Applies what a watch tells, as an index does, and complains of what cannot be.
fn apply(known: &mut HashMap<String, Value>, change: Change, object: Value) {
    let uid = text(&object, "/metadata/uid").to_owned();
    let before = match change {
        Change::Deleted => known.remove(&uid),
        _ => known.insert(uid, object.clone()),
    };
    assert_eq!(before.is_none(), change == Change::Added, "{change:?} of {object}");
}

fn assert_references(objects: &HashMap<String, Value>) {
    for object in objects.values() {
        for owner in object["metadata"]["ownerReferences"].as_array().into_iter().flatten() {
            let known = objects.get(text(owner, "/uid")).unwrap_or_else(|| panic!("no owner of {object}"));
            assert_eq!(text(known, "/metadata/name"), text(owner, "/name"));
            assert_eq!(text(known, "/kind"), text(owner, "/kind"));
        }
        for endpoint in object["endpoints"].as_array().into_iter().flatten() {
            let Some(target) = endpoint.get("targetRef") else { continue };
            let pod = objects.get(text(target, "/uid")).unwrap_or_else(|| panic!("no pod {target}"));
            assert_eq!(text(pod, "/metadata/name"), text(target, "/name"));
            assert_eq!(text(pod, "/spec/nodeName"), text(endpoint, "/nodeName"));
            let addresses = pod["status"]["podIPs"].to_string();
            assert!(addresses.contains(text(endpoint, "/addresses/0")), "{endpoint} {addresses}");
        }
    }
}

#[test]
fn what_is_referred_to_exists_before_and_after_updates() {
    let cluster = Cluster::generate(Size::SMALL, 7);
    let mut known = HashMap::new();
    cluster.objects().for_each(|(_, object)| apply(&mut known, Change::Added, object));
    let names: HashSet<String> = known
        .values()
        .map(|object| {
            let (kind, metadata) = (text(object, "/kind"), &object["metadata"]);
            format!("{kind} {}/{}", metadata["namespace"], metadata["name"])
        })
        .collect();
    assert_eq!(names.len(), known.len(), "two objects of one name");
    assert_references(&known);
    let (mut last, mut rollouts) = (0, 0);
    for update in cluster.updates(5_000) {
        let version = text(&update.object, "/metadata/resourceVersion").parse().expect("a version");
        assert!(version > last);
        last = version;
        let rolled = update.resource == "deployments";
        apply(&mut known, update.change, update.object);
        // The last write of a rollout: now everything fits again. Before, a slice may name a pod that is gone.
        rollouts += usize::from(rolled);
        if rolled && rollouts % 20 == 0 {
            assert_references(&known);
        }
    }
    assert!(rollouts > 100, "{rollouts}");
}

#[test]
fn a_seed_gives_the_same_cluster_and_updates_every_time() {
    let lines = |seed| -> Vec<String> {
        let cluster = Cluster::generate(Size::SMALL, seed);
        let objects = cluster.objects().map(|(resource, object)| format!("{resource} {object}"));
        let updates = cluster.updates(500).map(|update| format!("{:?} {}", update.change, update.object));
        objects.chain(updates).collect()
    };
    assert!(lines(1) == lines(1) && lines(1) != lines(2));
}

#[test]
#[allow(clippy::print_stdout, reason = "the weights are worth a look")]
fn the_standard_size_has_the_weight_of_a_real_cluster() {
    let cluster = Cluster::generate(Size::STANDARD, 1);
    let mut weights: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let (mut managed, mut kinds, mut largest_slice) = (0, HashSet::new(), 0);
    for (resource, object) in cluster.objects() {
        let bytes = object.to_string().len();
        let (count, sum) = weights.entry(resource).or_default();
        (*count, *sum) = (*count + 1, *sum + bytes);
        match resource {
            "pods" => {
                assert!((3_000..6_500).contains(&bytes), "{bytes} bytes: {object}");
                managed += object["metadata"]["managedFields"].to_string().len();
            }
            "services" => {
                let headless = text(&object, "/spec/clusterIP") == "None";
                let families = object["spec"]["ipFamilies"].as_array().map_or(0, Vec::len);
                let selects = object["spec"].get("selector").is_some();
                kinds.insert((text(&object, "/spec/type").to_owned(), headless, families, selects));
            }
            "endpointslices" => {
                largest_slice = largest_slice.max(object["endpoints"].as_array().map_or(0, Vec::len));
            }
            _ => {}
        }
    }
    for (resource, (count, sum)) in &weights {
        println!("{count:>6} {resource:<24} {:>6} bytes each", sum / count);
    }
    let counted = |resource| weights[resource].0;
    assert_eq!((counted("pods"), counted("services"), counted("nodes")), (10_000, 1_000, 500));
    assert_eq!(counted("replicasets"), 4_000);
    assert_eq!(weights.len(), 14, "every resource but events");
    assert_eq!(largest_slice, 100);
    assert!(kinds.len() >= 5, "{kinds:?}");
    let share = managed * 100 / weights["pods"].1;
    assert!((20..=32).contains(&share), "managedFields are {share} % of the pods' bytes");
}

#[test]
fn a_server_takes_a_cluster_and_a_stream_of_updates() {
    let cluster = Cluster::generate(Size::SMALL, 3);
    let api = KubeApi::start();
    api.fill(cluster.objects());
    assert_eq!(get(&api.url(), "/api/v1/pods", &[]).names().len(), api.count("pods"));
    let mut pods = watch(&api.url(), &format!("/api/v1/pods?watch=1&resourceVersion={}", api.version()), &[]);
    let mut sent = Vec::new();
    for update in cluster.updates(2_000) {
        let (resource, kind) = (update.resource, update.change);
        let object = match kind {
            Change::Deleted => api.remove(resource, update.object),
            _ => api.put(resource, update.object),
        };
        if resource == "pods" {
            sent.push((format!("{kind:?}").to_uppercase(), text(&object, "/metadata/name").to_owned()));
        }
    }
    for (kind, name) in sent {
        let (seen_kind, seen_name, _) = pods.change();
        assert_eq!((seen_kind, seen_name), (kind, name));
    }
    api.wait_for_sent("pods", BOUND);
}
