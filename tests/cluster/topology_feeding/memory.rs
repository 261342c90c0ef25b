//! What is gone survives a restart, and a file that is of no use costs nothing but itself.

use std::path::Path;

use super::support::kube_api::{ALL, KubeApi};
use super::*;

fn slice(pods: &[&str]) -> Value {
    let endpoints: Vec<_> = pods
        .iter()
        .map(
            |pod| json!({"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "uid": format!("u-{pod}")}}),
        )
        .collect();
    json!({ "kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1", "addressType": "IPv4",
            "metadata": { "name": "cart-x", "namespace": "shop", "uid": "u-slice",
                          "labels": {"kubernetes.io/service-name": "cart"} },
            "endpoints": endpoints })
}

fn with_memory(api: &KubeApi, folder: &Path) -> TopologySettings {
    TopologySettings { snapshot_file: Some(folder.join("memory")), ..settings(api) }
}

fn files(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    files
}

/// The Services behind which a pod stands or stood.
fn services(cluster: &Cluster, pod: &str) -> Vec<String> {
    let index = cluster.current();
    let Some((_, pod)) = index.by_uid(Key::of(&format!("u-{pod}"))) else { return Vec::new() };
    let services = index.memberships(pod.key(), pod).iter().filter_map(|one| index.service(one.service));
    services.map(|service| service.name.to_string()).collect()
}

#[test]
fn what_went_before_and_during_a_restart_is_known_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let api = KubeApi::start();
    let service = json!({ "kind": "Service", "apiVersion": "v1", "spec": {"selector": {"app": "cart"}},
                          "metadata": { "name": "cart", "namespace": "shop", "uid": "u-cart" } });
    api.put("services", service);
    for name in ["a", "b", "c"] {
        api.put("pods", pod(name));
    }
    api.put("endpointslices", slice(&["a", "b", "c"]));
    let cluster = start(&with_memory(&api, folder.path()));
    wait_ready(&cluster);
    api.wait_for_watches(ALL, KINDS, BOUND);
    api.remove("pods", pod("a"));
    api.put("endpointslices", slice(&["b", "c"]));
    wait_gone(&cluster, "u-a");
    wait("the slice", || services(&cluster, "b") == ["cart"]);
    drop(cluster);
    assert_eq!(files(folder.path()), ["memory"]);

    // While nobody looks, another goes.
    api.remove("pods", pod("b"));
    api.put("endpointslices", slice(&["c"]));
    api.stop();
    let cluster = start(&with_memory(&api, folder.path()));
    assert_eq!(["a", "b", "c"].map(|pod| services(&cluster, pod)), [["cart"]; 3], "before any list");
    assert!(!cluster.is_ready());
    api.restart();
    wait_ready(&cluster);
    let index = cluster.current();
    assert_eq!(["u-a", "u-b", "u-c"].map(|uid| is_live(&index, uid)), [false, false, true]);
    assert_eq!(["a", "b", "c"].map(|pod| services(&cluster, pod)), [["cart"]; 3]);
    assert_eq!(lines(&cluster).iter().filter(|line| line.text.contains("memory")).count(), 0);
}

#[test]
fn the_snapshot_file_is_written_now_and_then_and_not_only_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let api = KubeApi::start();
    let settings = with_memory(&api, folder.path());
    let cluster = start(&settings);
    wait_ready(&cluster);
    api.wait_for_watches(ALL, KINDS, BOUND);
    api.put("pods", pod("a"));
    wait_live(&cluster, "u-a");
    // What lies there is what a kill would leave.
    let there = folder.path().join("memory");
    let copy = folder.path().join("copy");
    wait("the pod in the file", || {
        std::fs::copy(&there, &copy).is_ok() && {
            let other = start(&TopologySettings { snapshot_file: Some(copy.clone()), ..settings.clone() });
            let index = Arc::clone(&other.current());
            index.by_uid(Key::of("u-a")).is_some()
        }
    });
}

/// Restarts may follow on each other quickly, and roles may be missing in between.
#[test]
fn the_snapshot_file_is_written_soon_and_every_kind_in_it_is_known_to_be_gone() {
    let folder = tempfile::tempdir().unwrap();
    let api = KubeApi::start();
    let plan = Plan::generate(Size::SMALL, 7);
    api.fill(plan.objects());
    let rarely = Timing { first_save: Duration::from_millis(20), save: Duration::from_secs(3_600), ..TIMING };
    let settings = with_memory(&api, folder.path());
    let cluster = start_with(&settings, &rarely);
    wait("the first file", || settings.snapshot_file.as_ref().unwrap().exists());
    assert!(cluster.is_ready(), "not before");
    // As a kill leaves it.
    let copy = folder.path().join("copy");
    std::fs::copy(settings.snapshot_file.as_ref().unwrap(), &copy).unwrap();
    drop(cluster);
    for (resource, object) in plan.objects() {
        api.remove(resource, object);
    }
    api.forbid("ingresses");
    api.missing("jobs");
    let cluster = start_with(&TopologySettings { snapshot_file: Some(copy), ..settings }, &rarely);
    wait_ready(&cluster);
    let index = Arc::clone(&cluster.current());
    let mut kinds = std::collections::BTreeSet::new();
    for (resource, object) in plan.objects().filter(|(resource, _)| *resource != "endpointslices") {
        let uid = object["metadata"]["uid"].as_str().unwrap();
        assert!(index.by_uid(Key::of(uid)).is_some_and(|(_, object)| !object.is_live()), "{resource} {uid}");
        kinds.insert(resource);
    }
    assert!(kinds.contains("ingresses") && kinds.contains("jobs") && kinds.len() >= 10, "{kinds:?}");
}

#[test]
fn a_file_of_no_use_is_moved_aside_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let api = KubeApi::start();
    for n in 0..200 {
        api.put("pods", pod(&n.to_string()));
    }
    let settings = with_memory(&api, folder.path());
    let cluster = start(&settings);
    wait_ready(&cluster);
    drop(cluster);
    let file = folder.path().join("memory");
    let good = std::fs::read(&file).unwrap();
    let packed = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 0x10;
    let header = |version: u32| {
        format!("{{\"format\":\"event_gateway topology\",\"version\":{version},\"saved_seconds\":1}}\n")
    };
    // Whatever else it may hold.
    let another = |version: u32| {
        packed(&format!(
            "{{\"format\":\"event_gateway topology\",\"version\":{version},\"new\":[]}}\n{{\"o\":7}}\nnone\n"
        ))
    };
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("no gzip", b"{}".to_vec()),
        ("cut", good[..good.len() - 5].to_vec()),
        ("half", good[..good.len() / 2].to_vec()),
        ("a bit", flipped),
        ("newer", packed(&header(3))),
        ("much newer", another(u32::MAX)),
        ("older", another(0)),
        ("another's", packed("{\"hello\":1}\n")),
        ("nothing in it", packed("")),
        ("an object that is none", packed(&(header(2) + "{\"object\":7}\n"))),
        ("deep", packed(&(header(2) + &"[".repeat(100_000) + "\n"))),
        ("long", packed(&(header(2) + &"x".repeat(5 << 20) + "\n"))),
    ] {
        std::fs::write(&file, &bytes).unwrap();
        let cluster = start(&settings);
        let logged = warnings(&cluster);
        assert_eq!(logged.len(), 1, "{what}: {logged:?}");
        assert!(logged[0].contains("memory") && logged[0].contains("was moved to"), "{what}: {logged:?}");
        let (ending, why) = match what {
            "newer" => {
                ("newer", "was written by a newer version of this plugin (file version 3; this one reads 2)")
            }
            "much newer" => ("newer", "was written by a newer version"),
            "older" => {
                ("older", "was written by an older version of this plugin (file version 0; this one reads 2)")
            }
            "deep" | "long" => ("too-large", "holds more than this plugin ever writes"),
            _ => ("damaged", "is damaged"),
        };
        assert!(logged[0].contains(why), "{what}: {logged:?}");
        wait_ready(&cluster);
        assert_eq!(cluster.current().len(), 200, "{what}");
        drop(cluster);
        let aside: Vec<_> = files(folder.path()).into_iter().filter(|name| name.contains('-')).collect();
        assert!(aside.len() == 1 && aside[0].starts_with(&format!("memory.{ending}-")), "{what}: {aside:?}");
        std::fs::remove_file(folder.path().join(&aside[0])).unwrap();
        assert!(!files(folder.path()).contains(&"memory.new".to_owned()));
    }
}

#[test]
fn a_folder_that_takes_no_file_is_logged_and_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let api = KubeApi::start();
    api.put("pods", pod("a"));
    let settings =
        TopologySettings { snapshot_file: Some(folder.path().join("no/such/folder")), ..settings(&api) };
    let cluster = start(&settings);
    wait_ready(&cluster);
    wait("a warning", || warnings(&cluster).iter().any(|line| line.contains("cannot be saved")));
    assert!(is_live(&cluster.current(), "u-a"));
}
