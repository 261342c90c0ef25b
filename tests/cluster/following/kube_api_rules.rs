//! Does the test API server keep the rules of the real one, on which clients rely?

use std::time::Duration;

use super::support;
use serde_json::{Value, json};

use support::kube_api::{ALL, KubeApi, TooOld};
use support::kube_client::{Next, Watch, get, watch};
use support::{chunk, recording};

const BOUND: Duration = Duration::from_secs(30);
const PODS: &str = "/api/v1/pods";
const LISTS_METADATA: &str = "Accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, */*";
const WATCHES_METADATA: &str = "Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, */*";

fn pod(name: &str) -> Value {
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": { "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "labels": { "app": "web" } },
        "spec": { "nodeName": "node-a" }, "status": { "phase": "Running" },
    })
}

fn with_pods(count: usize) -> KubeApi {
    let api = KubeApi::start();
    api.fill((0..count).map(|number| ("pods", pod(&format!("web-{number}")))));
    api
}

fn version_of(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).expect("a version")
}

fn watch_from(api: &KubeApi, version: u64) -> Watch {
    watch(&api.url(), &format!("{PODS}?watch=1&resourceVersion={version}"), &[])
}

#[test]
fn every_resource_is_listed_and_watched_where_the_real_server_has_it() {
    let api = KubeApi::start();
    for (path, kind) in [
        ("/api/v1/events", "Event"),
        ("/api/v1/pods", "Pod"),
        ("/api/v1/services", "Service"),
        ("/api/v1/nodes", "Node"),
        ("/api/v1/persistentvolumeclaims", "PersistentVolumeClaim"),
        ("/apis/apps/v1/replicasets", "ReplicaSet"),
        ("/apis/apps/v1/deployments", "Deployment"),
        ("/apis/apps/v1/statefulsets", "StatefulSet"),
        ("/apis/apps/v1/daemonsets", "DaemonSet"),
        ("/apis/batch/v1/jobs", "Job"),
        ("/apis/batch/v1/cronjobs", "CronJob"),
        ("/apis/autoscaling/v2/horizontalpodautoscalers", "HorizontalPodAutoscaler"),
        ("/apis/discovery.k8s.io/v1/endpointslices", "EndpointSlice"),
        ("/apis/networking.k8s.io/v1/ingresses", "Ingress"),
        ("/apis/policy/v1/poddisruptionbudgets", "PodDisruptionBudget"),
        ("/apis/coordination.k8s.io/v1/leases", "Lease"),
    ] {
        let object = json!({ "kind": kind, "metadata": { "name": "one", "uid": kind }, "spec": { "a": 1 } });
        let version = api.version();
        api.add(object);
        let list = get(&api.url(), path, &[]).json();
        assert_eq!(list["kind"], format!("{kind}List"));
        let item = &list["items"][0];
        assert_eq!((&item["kind"], &item["apiVersion"]), (&Value::Null, &Value::Null), "{path}");
        assert_eq!(item["spec"]["a"], 1);
        assert_eq!(version_of(&list), version_of(item));
        let target = format!("{path}?watch=1&resourceVersion={version}");
        let Next::Line(line) = watch(&api.url(), &target, &[]).next() else { panic!("no line of {path}") };
        assert_eq!((&line["type"], &line["object"]["kind"]), (&json!("ADDED"), &json!(kind)));
        assert_eq!(line["object"]["apiVersion"], list["apiVersion"]);
    }
    assert_eq!(get(&api.url(), "/apis/apps/v1/pods", &[]).status, 404);
    assert_eq!(get(&api.url(), "/api/v1/namespaces/shop/pods", &[]).names(), Vec::<String>::new());
}

#[test]
fn one_version_rises_over_all_resources_and_a_watch_tells_all_that_came_after() {
    let api = KubeApi::start();
    let first = api.put("pods", pod("a"));
    let node = api.add(json!({ "kind": "Node", "metadata": { "name": "n", "uid": "n" } }));
    let second = api.put("pods", pod("a"));
    assert_eq!(version_of(&node), version_of(&first) + 1);
    assert_eq!(version_of(&second), version_of(&first) + 2);
    let mut far = pod("b");
    far["metadata"]["resourceVersion"] = "5000".into();
    assert_eq!(version_of(&api.put("pods", far)), 5_000, "a version above all others is kept");
    let deleted = api.remove("pods", second);
    assert_eq!(version_of(&deleted), 5_001, "a deletion has a version of its own");

    let mut changes = watch_from(&api, version_of(&first));
    assert_eq!(changes.change(), ("MODIFIED".into(), "a".into(), version_of(&first) + 2));
    assert_eq!(changes.change(), ("ADDED".into(), "b".into(), 5_000));
    assert_eq!(changes.change(), ("DELETED".into(), "a".into(), 5_001));
    api.put("pods", pod("a"));
    assert_eq!(changes.change(), ("ADDED".into(), "a".into(), 5_002));
    // Without a version, and for any version, the present comes first.
    for target in ["/api/v1/pods?watch=true", "/api/v1/pods?watch=1&resourceVersion=0"] {
        let mut changes = watch(&api.url(), target, &[]);
        assert_eq!([changes.change().1, changes.change().1], ["b", "a"]);
    }
}

#[test]
fn all_pages_show_one_moment_and_can_be_asked_for_again() {
    let api = with_pods(25);
    let version = api.version();
    let first = get(&api.url(), "/api/v1/pods?limit=10", &[]);
    api.remove("pods", pod("web-12"));
    api.put("pods", pod("late"));
    let metadata = first.json()["metadata"].take();
    assert_eq!((first.names().len(), &metadata["remainingItemCount"]), (10, &json!(15)));
    let token = metadata["continue"].as_str().expect("a token").to_owned();
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()), "Fluent Bit escapes no token: {token}");
    let mut names = first.names();
    for _ in 0..2 {
        let again = get(&api.url(), &format!("/api/v1/pods?limit=10&continue={token}"), &[]);
        names.truncate(10);
        names.extend(again.names());
        assert_eq!(version_of(&again.json()), version);
    }
    let rest = get(&api.url(), &format!("/api/v1/pods?continue={token}"), &[]);
    assert_eq!((rest.names().len(), &rest.json()["metadata"]["continue"]), (15, &Value::Null));
    assert!(names.contains(&"web-12".into()) && !rest.names().contains(&"late".into()));

    api.expire_pages();
    let gone = get(&api.url(), &format!("/api/v1/pods?limit=10&continue={token}"), &[]);
    assert_eq!((gone.status, &gone.json()["reason"]), (410, &json!("Expired")));
    let inconsistent = gone.json()["metadata"]["continue"].as_str().expect("a token").to_owned();
    let rest = get(&api.url(), &format!("/api/v1/pods?continue={inconsistent}"), &[]);
    assert!(!rest.names().contains(&"web-12".into()) && rest.names().contains(&"late".into()));
    let both = get(&api.url(), &format!("/api/v1/pods?resourceVersion=7&continue={inconsistent}"), &[]);
    assert_eq!(both.status, 400);
}

#[test]
fn version_0_is_answered_from_the_cache() {
    let api = with_pods(25);
    let target = "/api/v1/pods?limit=10&resourceVersion=0";
    assert_eq!(get(&api.url(), target, &[]).names().len(), 10);
    api.ignore_limit_from_cache(true);
    assert_eq!(get(&api.url(), target, &[]).names().len(), 25);
    assert_eq!(get(&api.url(), "/api/v1/pods?limit=10", &[]).names().len(), 10);

    let version = api.version();
    api.freeze_cache();
    api.put("pods", pod("late"));
    let stale = get(&api.url(), target, &[]).json();
    assert_eq!(version_of(&stale), version, "a cache may be behind");
    assert_eq!(watch_from(&api, version).change().1, "late");
    assert_eq!(version_of(&get(&api.url(), PODS, &[]).json()), version + 1, "without a version it may not");
    let wanted = format!("/api/v1/pods?resourceVersion={}", version + 1);
    assert_eq!(get(&api.url(), &wanted, &[]).status, 504);
    api.thaw_cache();
    assert_eq!(get(&api.url(), &wanted, &[]).names().len(), 26);
    let exact = format!("/api/v1/pods?resourceVersion={version}&resourceVersionMatch=Exact");
    assert_eq!(get(&api.url(), &exact, &[]).status, 410);
}

#[test]
fn a_watch_from_a_forgotten_version_is_refused_in_both_real_ways() {
    let api = with_pods(1);
    let old = api.version();
    let newest = version_of(&api.put("pods", pod("web-0")));
    let mut open = watch_from(&api, old);
    assert_eq!(open.change().2, newest);
    api.compact();
    let Next::Line(error) = watch_from(&api, old).next() else { panic!("no ERROR event") };
    assert_eq!((&error["type"], &error["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert_eq!(error["object"]["kind"], "Status");
    api.refuse_old_watches_with(TooOld::Status);
    let refused = get(&api.url(), &format!("{PODS}?watch=1&resourceVersion={old}"), &[]);
    assert_eq!((refused.status, &refused.json()["reason"]), (410, &json!("Expired")));

    api.put("pods", pod("web-0"));
    assert_eq!(open.change().2, newest + 1, "an open watch goes on");
    assert_eq!(watch_from(&api, newest).change().2, newest + 1, "the newest version was not forgotten");
}

#[test]
fn a_watch_ends_when_its_time_is_over_and_tells_bookmarks_if_it_is_asked_to() {
    let api = with_pods(1);
    let target = format!("{PODS}?watch=1&resourceVersion={}", api.version());
    assert_eq!(watch(&api.url(), &format!("{target}&timeoutSeconds=1"), &[]).next(), Next::End);
    let mut silent = watch(&api.url(), &target, &[]);
    let mut marked = watch(&api.url(), &format!("{target}&allowWatchBookmarks=true"), &[]);
    api.wait_for_watches("pods", 2, BOUND);
    let node = api.add(json!({ "kind": "Node", "metadata": { "name": "n", "uid": "n" } }));
    api.bookmark();
    assert_eq!(marked.change(), ("BOOKMARK".into(), String::new(), version_of(&node)));
    api.bookmark_every(Some(Duration::from_millis(10)));
    assert_eq!(marked.change().0, "BOOKMARK");
    api.put("pods", pod("web-0"));
    assert_eq!(silent.change().0, "MODIFIED");
    api.close_watches(ALL);
    assert_eq!(silent.next(), Next::End);
    api.wait_for_watches(ALL, 0, BOUND);
}

#[test]
fn metadata_only_is_given_to_whom_asks_for_it_first() {
    let api = with_pods(2);
    let list = get(&api.url(), PODS, &[LISTS_METADATA]).json();
    assert_eq!(
        (&list["kind"], &list["apiVersion"]),
        (&json!("PartialObjectMetadataList"), &json!("meta.k8s.io/v1"))
    );
    let item = &list["items"][1];
    assert_eq!((&item["kind"], &item["spec"]), (&json!("PartialObjectMetadata"), &Value::Null));
    assert_eq!(item["metadata"]["labels"]["app"], "web");
    let version = api.version();
    api.put("pods", pod("web-0"));
    let target = format!("{PODS}?watch=1&resourceVersion={version}");
    let Next::Line(line) = watch(&api.url(), &target, &[WATCHES_METADATA]).next() else { panic!("no line") };
    assert_eq!(
        (&line["object"]["kind"], &line["object"]["spec"]),
        (&json!("PartialObjectMetadata"), &Value::Null)
    );
    assert_eq!(line["object"]["metadata"]["name"], "web-0");
    // Whole objects, when those come first; a list of one object is none.
    let whole =
        get(&api.url(), PODS, &["Accept: application/json, application/json;as=Table;g=meta.k8s.io;v=v1"]);
    assert_eq!(whole.json()["kind"], "PodList");
    assert_eq!(get(&api.url(), PODS, &[WATCHES_METADATA]).status, 406);
    assert_eq!(get(&api.url(), &target, &[LISTS_METADATA]).status, 406);
    assert_eq!(get(&api.url(), PODS, &["Accept: application/vnd.kubernetes.protobuf"]).status, 406);
}

#[test]
fn a_restart_keeps_the_port_and_the_state() {
    let api = with_pods(1);
    let (url, version) = (api.url(), api.version());
    let mut open = watch_from(&api, version);
    api.wait_for_watches("pods", 1, BOUND);
    api.stop();
    assert!(matches!(open.next(), Next::Cut(_)), "a process that dies ends nothing in good order");
    assert!(std::net::TcpStream::connect(("127.0.0.1", api.port())).is_err());
    let meanwhile = version_of(&api.put("pods", pod("meanwhile")));
    api.restart();
    assert_eq!((api.url(), get(&url, PODS, &[]).names().len()), (url.clone(), 2));
    assert_eq!(watch_from(&api, version).change(), ("ADDED".into(), "meanwhile".into(), meanwhile));
}

#[test]
fn the_recording_can_be_replayed_with_its_versions() {
    let api = KubeApi::start();
    let mut events = watch(&api.url(), "/api/v1/events?watch=1&resourceVersion=1", &[]);
    let lines = recording::in_order_of_version();
    for line in &lines {
        assert_eq!(recording::replay_into(&api, line)["metadata"], line.object["metadata"]);
    }
    for line in lines.iter().filter(|line| line.resource == "events") {
        let Next::Line(mut seen) = events.next() else { panic!("the watch is over") };
        if line.change == recording::Change::Listed {
            chunk::to_list_phase(&mut seen["object"]);
        }
        assert_eq!(seen["object"], line.object);
    }
    let times: Vec<u64> = recording::lines().map(|line| line.ms).collect();
    assert!(times.is_sorted() && times.len() == chunk::recording().len());
    assert_eq!(get(&api.url(), "/api/v1/services", &[]).names().len(), api.count("services"));
}
