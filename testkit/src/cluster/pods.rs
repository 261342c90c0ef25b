//! Pods: 3 to 6 KB each, most of it what nobody who reads events needs.

use serde_json::{Value, json};

use super::container::{container, image};
use super::metadata::{Meta, derived, object, owner, rfc3339};
use super::nodes;
use super::owners::{pod_labels, replica_set_name};
use super::plan::{Cluster, Kind, Phase, Pod};
use super::random::{hex, suffix};

pub(super) fn name(cluster: &Cluster, pod: &Pod) -> String {
    let workload = &cluster.workloads[pod.workload];
    match workload.kind {
        Kind::Deployment => {
            format!("{}-{}", replica_set_name(workload, pod.revision), suffix(pod.seed, 5))
        }
        Kind::StatefulSet => format!("{}-{}", workload.name, pod.ordinal),
        Kind::DaemonSet | Kind::Job { .. } => format!("{}-{}", workload.name, suffix(pod.seed, 5)),
    }
}

/// Different for each of a million pods.
pub(super) fn address(pod: &Pod) -> String {
    let place = pod.place;
    format!("100.{}.{}.{}", 64 + place / 62_500 % 64, place / 250 % 250, place % 250 + 1)
}

pub(super) fn address_v6(pod: &Pod) -> String {
    format!("fd00:10:244:{:x}::{:x}", pod.place >> 16, pod.place & 0xffff)
}

pub(super) fn pod(cluster: &Cluster, pod: &Pod) -> Value {
    let workload = &cluster.workloads[pod.workload];
    let (api_version, kind, owner_name, owner_seed) = match workload.kind {
        Kind::Deployment => {
            let seed = derived(workload.seed, pod.revision);
            ("apps/v1", "ReplicaSet", replica_set_name(workload, pod.revision), seed)
        }
        Kind::StatefulSet => ("apps/v1", "StatefulSet", workload.name.clone(), workload.seed),
        Kind::DaemonSet => ("apps/v1", "DaemonSet", workload.name.clone(), workload.seed),
        Kind::Job { .. } => ("batch/v1", "Job", workload.name.clone(), workload.seed),
    };
    let created_at = pod.created_at;
    let mut labels = pod_labels(workload, pod.revision);
    if workload.kind == Kind::StatefulSet {
        labels["apps.kubernetes.io/pod-index"] = pod.ordinal.to_string().into();
        labels["statefulset.kubernetes.io/pod-name"] = name(cluster, pod).into();
    }
    let meta = Meta {
        namespace: Some(cluster.namespace_of(pod.workload)),
        name: name(cluster, pod),
        seed: pod.seed,
        labels,
        annotations: json!({
            "checksum/config": hex(workload.seed, 64), "prometheus.io/scrape": "true",
            "prometheus.io/port": "9090", "prometheus.io/path": "/metrics",
        }),
        owner: Some(owner(api_version, kind, &owner_name, owner_seed)),
        created_at,
    };
    let spec_fields = [
        "affinity",
        "containers",
        "dnsPolicy",
        "enableServiceLinks",
        "restartPolicy",
        "schedulerName",
        "securityContext",
        "serviceAccountName",
        "terminationGracePeriodSeconds",
        "tolerations",
        "volumes",
    ];
    let status_fields =
        ["conditions", "containerStatuses", "hostIP", "hostIPs", "phase", "podIP", "podIPs", "startTime"];
    let mut metadata = meta.value(&spec_fields, &status_fields);
    metadata["generateName"] = format!("{owner_name}-").into();
    // Fields of each container are managed one by one, which is what makes managedFields large.
    metadata["managedFields"][0]["fieldsV1"]["f:spec"]["f:containers"] = json!({
        format!("k:{{\"name\":\"{}\"}}", "app"): {
            ".": {}, "f:env": { ".": {}, "k:{\"name\":\"LOG_LEVEL\"}": { ".": {}, "f:name": {}, "f:value": {} } },
            "f:image": {}, "f:imagePullPolicy": {}, "f:name": {},
            "f:livenessProbe": { ".": {}, "f:httpGet": { ".": {}, "f:path": {}, "f:port": {} } },
            "f:readinessProbe": { ".": {}, "f:httpGet": { ".": {}, "f:path": {}, "f:port": {} } },
            "f:resources": { ".": {}, "f:limits": { ".": {}, "f:memory": {} }, "f:requests": {} },
            "f:terminationMessagePath": {}, "f:terminationMessagePolicy": {}, "f:volumeMounts": {},
        },
    });
    if pod.terminating {
        metadata["deletionTimestamp"] = rfc3339(cluster.now).into();
        metadata["deletionGracePeriodSeconds"] = 30.into();
    }
    let fields = json!({ "spec": spec(cluster, pod), "status": status(cluster, pod, created_at) });
    object("v1", "Pod", metadata, fields)
}

fn spec(cluster: &Cluster, pod: &Pod) -> Value {
    let workload = &cluster.workloads[pod.workload];
    let volume = format!("kube-api-access-{}", suffix(derived(pod.seed, 1), 5));
    let mut container = container(workload.seed, pod.revision);
    let mounted = json!({
        "name": volume, "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
    });
    container["volumeMounts"] = json!([mounted]);
    let tolerated = |key: &str| json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 });
    let mut volumes = vec![json!({
        "name": volume,
        "projected": { "defaultMode": 420, "sources": [
            { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
            { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
            { "downwardAPI": { "items": [
                { "path": "namespace", "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" } },
            ] } },
        ] },
    })];
    if workload.kind == Kind::StatefulSet {
        let claim = super::owners::claim_name(workload, pod.ordinal);
        volumes.push(json!({ "name": "data", "persistentVolumeClaim": { "claimName": claim } }));
    }
    let mut spec = json!({
        "containers": [container],
        "dnsPolicy": "ClusterFirst", "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0, "schedulerName": "default-scheduler", "securityContext": { "runAsNonRoot": true },
        "restartPolicy": if matches!(workload.kind, Kind::Job { .. }) { "OnFailure" } else { "Always" },
        "serviceAccount": "default", "serviceAccountName": "default", "terminationGracePeriodSeconds": 30,
        "tolerations": [tolerated("node.kubernetes.io/not-ready"), tolerated("node.kubernetes.io/unreachable")],
        "volumes": volumes,
    });
    if let Some(node) = pod.node {
        spec["nodeName"] = cluster.nodes[node].name.as_str().into();
    }
    spec
}

fn status(cluster: &Cluster, pod: &Pod, created_at: u64) -> Value {
    let (created, changed) = (rfc3339(created_at), rfc3339(cluster.now));
    let condition = |kind: &str, status: bool| {
        json!({
            "type": kind, "status": if status { "True" } else { "False" }, "observedGeneration": 1,
            "lastProbeTime": null, "lastTransitionTime": if pod.ready { &created } else { &changed },
        })
    };
    let Some(node) = pod.node else {
        return json!({
            "phase": "Pending", "qosClass": "Burstable", "conditions": [condition("PodScheduled", false)],
        });
    };
    let started = pod.phase != Phase::Pending;
    let workload = &cluster.workloads[pod.workload];
    let terminated = |code: u64, reason: &str| {
        json!({
            "exitCode": code, "reason": reason, "startedAt": created, "finishedAt": changed,
            "containerID": format!("containerd://{}", hex(pod.seed, 64)),
        })
    };
    let state = match pod.phase {
        Phase::Pending => json!({ "waiting": { "reason": "ContainerCreating" } }),
        Phase::Succeeded => json!({ "terminated": terminated(0, "Completed") }),
        Phase::Running if !pod.ready && pod.restarts > 3 => json!({ "waiting": {
            "reason": "CrashLoopBackOff",
            "message": "back-off 5m0s restarting failed container=app pod=… in the namespace",
        } }),
        Phase::Running => json!({ "running": { "startedAt": created } }),
    };
    let last_state =
        if pod.restarts > 0 { json!({ "terminated": terminated(137, "OOMKilled") }) } else { json!({}) };
    let mut status = json!({
        "phase": match pod.phase {
            Phase::Pending => "Pending",
            Phase::Running => "Running",
            Phase::Succeeded => "Succeeded",
        },
        "conditions": [
            condition("PodReadyToStartContainers", started), condition("Initialized", true),
            condition("Ready", pod.ready), condition("ContainersReady", pod.ready),
            condition("PodScheduled", true),
        ],
        "containerStatuses": [{
            "name": "app", "image": image(workload.seed, pod.revision), "ready": pod.ready,
            "imageID": format!("registry.example.internal/apps@sha256:{}", hex(workload.seed, 64)),
            "containerID": format!("containerd://{}", hex(derived(pod.seed, pod.restarts), 64)),
            "lastState": last_state, "restartCount": pod.restarts, "started": started, "state": state,
        }],
        "hostIP": nodes::address(node), "hostIPs": [{ "ip": nodes::address(node) }],
        "qosClass": "Burstable", "startTime": created,
    });
    if started {
        status["podIP"] = address(pod).into();
        let mut addresses = vec![json!({ "ip": address(pod) })];
        addresses.extend(pod.dual_stack.then(|| json!({ "ip": address_v6(pod) })));
        status["podIPs"] = addresses.into();
    }
    status
}
