//! Does every rule hold where the recording has no event for it?
//!
//! Made-up events about the recorded cluster, at chosen moments, with a few made-up objects beside it. The
//! golden file says what each is about and what it touches; `UPDATE_GOLDEN=1` writes it anew.

use std::fmt::Write;

use super::support;
use serde_json::{Value, json};
use support::recording::{self, Change, Line};
use support::replay::{Replay, about, shown};

/// Before anything is deleted, and after the Deployment, the Service and the pods of `api` are.
const EARLY_MS: u64 = 45_000;
const LATE_MS: u64 = 200_000;

/// What a row shows, and what the event says that it is about: apiVersion, kind, namespace/name and, if it knows
/// one, a uid.
const EARLY: &str = "\
a Service: v1 Service shop/web 8f78e8ee-527e-4172-b3b9-e1ab26799c77
a Service by its name: v1 Service shop/cart
a Service that the watch has not shown yet: v1 Service shop/new 0-0
an older Service of the same name: v1 Service shop/web old
a Service of another group: serving.knative.dev/v1 Service shop/web k
a Service without a selector: v1 Service shop/noselector
Endpoints, by the name of their Service: v1 Endpoints shop/web e
Endpoints without a Service: v1 Endpoints shop/leader-lock e
a slice: discovery.k8s.io/v1 EndpointSlice shop/cart-t6nb7
a pod in several Services, by its name: v1 Pod shop/web-589b65666d-kxnpj
a pod without the namespace, by its uid: v1 Pod /x 1d2419d7-a83c-477f-869a-ec86a994dd3b
a pod that never was: v1 Pod shop/web-589b65666d-kxnpj never
a static pod, by the uid that its kubelet knows: v1 Pod kube-system/etcd-node-a 0123abcd
a Deployment: apps/v1 Deployment shop/web 91dbb073-fa51-476d-a205-66141f84d7d4
a ReplicaSet: apps/v1 ReplicaSet payments/api-54cf69848 549f2284-e7e0-4f10-963b-7c3523650502
a Deployment without pods, by its template: apps/v1 Deployment shop/idle
a StatefulSet: apps/v1 StatefulSet payments/queue c90e7ff3-fb22-44c2-81aa-a3b58b684a6b
a DaemonSet: apps/v1 DaemonSet shop/agent
an owner of a custom kind: argoproj.io/v1alpha1 Rollout shop/checkout rollout-1
an owner of a custom kind, by its name: argoproj.io/v1alpha1 Rollout shop/checkout
a CronJob without a Service: batch/v1 CronJob payments/report
an autoscaler: autoscaling/v2 HorizontalPodAutoscaler shop/web
an autoscaler of a custom kind: autoscaling/v2 HorizontalPodAutoscaler shop/checkout
a budget: policy/v1 PodDisruptionBudget shop/nopods
a budget that selects all of its namespace: policy/v1 PodDisruptionBudget payments/all
a node by its uid: v1 Node /node-b 2fae32ae-a657-4237-8d81-1930a47e3787
a node whose uid is its name: v1 Node /node-b node-b
a node without a uid, in a namespace: v1 Node default/node-b
an older node of the same name: v1 Node /node-b old
a claim: v1 PersistentVolumeClaim payments/data-ledger-0
a volume: v1 PersistentVolume /pv-queue v
an Ingress: networking.k8s.io/v1 Ingress shop/web
a namespace: v1 Namespace /shop n
a kind without a rule: v1 ConfigMap shop/settings c
";

const LATE: &str = "\
a pod that is gone, behind Services that stand: v1 Pod shop/web-589b65666d-kxnpj 1d2419d7-a83c-477f-869a-ec86a994dd3b
a pod that is gone, with its Service: v1 Pod payments/api-54cf69848-wgjpn 85f08653-9545-4e10-b3b2-fc5e86ddf0c1
a pod that is gone, its name given again: v1 Pod payments/queue-0 13a511a3-17f9-4cc7-840d-ee83e30235aa
the pod that has the name now: v1 Pod payments/queue-0
a Deployment that is gone, with its Service: apps/v1 Deployment payments/api c60d4375-0407-4930-90db-313890be4d0c
a ReplicaSet that is gone, with its Service: apps/v1 ReplicaSet payments/api-54cf69848 549f2284-e7e0-4f10-963b-7c3523650502
a Service that is gone: v1 Service payments/api 282f9802-1b41-439b-81c8-a024c96a5e35
a slice of a Service that is gone: discovery.k8s.io/v1 EndpointSlice payments/api-n865p 6f521d24-7a64-4c24-96c6-eda2b2c2cda7
a pod that outlives its Service: v1 Pod payments/oomer
a pod that is gone, of a Job: v1 Pod payments/broken-hwl8g ec0c617c-1d19-4296-a87b-9054cc293fee
";

/// What a row shows, and its event.
fn made(row: &str) -> (&str, Value) {
    let (what, object) = row.split_once(": ").expect("what it shows");
    let mut words = object.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let (version, kind, place, uid) = (word(), word(), word(), word());
    let (namespace, name) = place.split_once('/').expect("a namespace and a name");
    let about =
        json!({"apiVersion": version, "kind": kind, "namespace": namespace, "name": name, "uid": uid});
    // Where the API server lets it lie; the one of a pod without its namespace lies with the pod.
    let lies_in = match (namespace, kind) {
        ("", "Pod") => "shop",
        ("", _) => "default",
        _ => namespace,
    };
    (what, json!({"metadata": {"namespace": lies_in}, "reason": "MadeUp", "involvedObject": about}))
}

/// What the recorded cluster lacks.
fn made_up() -> Vec<(&'static str, Value)> {
    let meta = |namespace: &str, name: &str, more: Value| {
        let mut meta = json!({"namespace": namespace, "name": name, "uid": format!("{name}-1"), "resourceVersion": "1",
            "creationTimestamp": "2026-11-21T00:47:05Z"});
        meta.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        meta
    };
    let owner = |version: &str, kind: &str, name: &str| json!([{"apiVersion": version, "kind": kind, "name": name, "uid": format!("{name}-1"), "controller": true}]);
    let rollout = json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "checkout",
        "uid": "rollout-1", "controller": true}]);
    vec![
        (
            "services",
            json!({"metadata": meta("shop", "checkout", json!({})), "spec": {"selector": {"app": "checkout"}}}),
        ),
        ("replicasets", json!({"metadata": meta("shop", "checkout-7", json!({"ownerReferences": rollout}))})),
        (
            "pods",
            json!({"metadata": meta("shop", "checkout-7-abc", json!({
            "labels": {"app": "checkout"}, "ownerReferences": owner("apps/v1", "ReplicaSet", "checkout-7")}))}),
        ),
        (
            "horizontalpodautoscalers",
            json!({"metadata": meta("shop", "checkout", json!({"uid": "hpa-1"})),
            "spec": {"scaleTargetRef": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "checkout"}}}),
        ),
        (
            "deployments",
            json!({"metadata": meta("shop", "idle", json!({})),
            "spec": {"template": {"metadata": {"labels": {"app": "idle", "tier": "front"}}}}}),
        ),
        (
            "poddisruptionbudgets",
            json!({"metadata": meta("payments", "all", json!({})), "spec": {"selector": {}}}),
        ),
        (
            "services",
            json!({"metadata": meta("shop", "selects-nothing", json!({})), "spec": {"selector": {}}}),
        ),
        (
            "pods",
            json!({"metadata": meta("kube-system", "etcd-node-a", json!({
            "labels": {"component": "etcd"}, "annotations": {"kubernetes.io/config.mirror": "0123abcd"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "node-a", "uid": "dea41ae1-ffe6-49ee-94a6-80156e899ada", "controller": true}]})),
            "spec": {"nodeName": "node-a"}}),
        ),
        (
            "services",
            json!({"metadata": meta("kube-system", "etcd", json!({})), "spec": {"selector": {"component": "etcd"}}}),
        ),
        (
            "persistentvolumeclaims",
            json!({"metadata": meta("payments", "data-queue", json!({})), "spec": {"volumeName": "pv-queue"}, "status": {"phase": "Bound"}}),
        ),
        (
            "pods",
            json!({"metadata": meta("payments", "queue-tool", json!({"labels": {"app": "queue"}})),
            "spec": {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data-queue"}}]}}),
        ),
    ]
}

#[test]
fn each_rule_touches_what_the_golden_file_says() {
    let mut replay = Replay::new();
    for (resource, object) in made_up() {
        replay.apply(&Line { ms: 0, resource: resource.into(), change: Change::Added, object });
    }
    let mut text = String::new();
    let mut cases = [(EARLY_MS, EARLY), (LATE_MS, LATE)].into_iter().peekable();
    for line in recording::lines().filter(|line| line.resource != "events") {
        if let Some((ms, rows)) = cases.next_if(|(ms, _)| line.ms >= *ms) {
            write!(text, "# after {} seconds\n\n", ms / 1_000).expect("a string");
            let index = replay.index();
            for (what, event) in rows.lines().map(made) {
                let impact = replay.correlator.correlate(&index, &about(&event));
                write!(text, "{what}:\n  {}\n", shown(&event, &impact)).expect("a string");
            }
        }
        replay.apply(&line);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/impact-made-up.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &text).expect("the golden file");
    }
    assert_eq!(text, std::fs::read_to_string(path).expect("the golden file"));
}
