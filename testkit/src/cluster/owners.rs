//! What owns pods: Deployments with their ReplicaSets, StatefulSets with their claims, DaemonSets, Jobs and
//! CronJobs; and what is attached to them: autoscalers and disruption budgets.

use serde_json::{Value, json};

use super::container::container;
use super::metadata::{Meta, derived, object, owner, rfc3339};
use super::plan::{Cluster, Kind, START, Workload};
use super::random::suffix;

type Made = Vec<(&'static str, Value)>;

/// The hash of a pod template, by which a ReplicaSet and its pods are named.
pub(super) fn template_hash(workload: &Workload, revision: u64) -> String {
    suffix(derived(workload.seed, 1_000 + revision), 10)
}

pub(super) fn replica_set_name(workload: &Workload, revision: u64) -> String {
    format!("{}-{}", workload.name, template_hash(workload, revision))
}

pub(super) fn claim_name(workload: &Workload, ordinal: usize) -> String {
    format!("data-{}-{ordinal}", workload.name)
}

pub(super) fn selector(workload: &Workload) -> Value {
    json!({ "app.kubernetes.io/name": workload.name, "app.kubernetes.io/instance": workload.name })
}

fn labels(workload: &Workload) -> Value {
    let mut labels = selector(workload);
    labels["app.kubernetes.io/version"] = format!("1.{}", workload.revisions.len().max(1)).into();
    labels["app.kubernetes.io/managed-by"] = "Helm".into();
    labels["helm.sh/chart"] = "service-2.14.3".into();
    labels
}

pub(super) fn pod_labels(workload: &Workload, revision: u64) -> Value {
    let mut labels = selector(workload);
    labels["team"] = format!("team-{}", workload.namespace).into();
    match workload.kind {
        Kind::Deployment => labels["pod-template-hash"] = template_hash(workload, revision).into(),
        Kind::StatefulSet | Kind::DaemonSet => {
            labels["controller-revision-hash"] = suffix(derived(workload.seed, 3), 10).into();
        }
        Kind::Job { .. } => labels["batch.kubernetes.io/job-name"] = workload.name.as_str().into(),
    }
    labels
}

/// Every object of a workload but its pods.
pub(super) fn of_workload(cluster: &Cluster, place: usize) -> Made {
    let workload = &cluster.workloads[place];
    match workload.kind {
        Kind::Deployment => {
            let mut made = vec![("deployments", deployment(cluster, place))];
            let revisions = workload.revisions.iter();
            made.extend(revisions.map(|r| ("replicasets", replica_set(cluster, place, r.number))));
            if workload.seed.is_multiple_of(3) {
                made.push(("horizontalpodautoscalers", autoscaler(cluster, place)));
            }
            if workload.seed.is_multiple_of(4) {
                made.push(("poddisruptionbudgets", budget(cluster, place)));
            }
            made
        }
        Kind::StatefulSet => {
            let claims = (0..workload.pods.len()).map(|ordinal| claim(cluster, place, ordinal));
            let claims = claims.map(|claim| ("persistentvolumeclaims", claim));
            std::iter::once(("statefulsets", stateful_set(cluster, place))).chain(claims).collect()
        }
        Kind::DaemonSet => vec![("daemonsets", daemon_set(cluster, place))],
        Kind::Job { of_cron_job } => {
            let mut made = if of_cron_job { vec![("cronjobs", cron_job(cluster, place))] } else { vec![] };
            made.push(("jobs", job(cluster, place)));
            made
        }
    }
}

fn meta<'a>(cluster: &'a Cluster, place: usize) -> Meta<'a> {
    let workload = &cluster.workloads[place];
    Meta {
        namespace: Some(cluster.namespace_of(place)),
        name: workload.name.clone(),
        seed: workload.seed,
        labels: labels(workload),
        annotations: json!({ "meta.helm.sh/release-name": workload.name }),
        owner: None,
        created_at: START - 500_000 - workload.seed % 5_000_000,
    }
}

fn template(workload: &Workload, revision: u64) -> Value {
    json!({
        "metadata": { "labels": pod_labels(workload, revision) },
        "spec": {
            "containers": [container(workload.seed, revision)],
            "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
            "securityContext": { "runAsNonRoot": true }, "terminationGracePeriodSeconds": 30,
        },
    })
}

/// How many pods of a revision there are, and how many of them are ready.
fn replicas(cluster: &Cluster, place: usize, revision: Option<u64>) -> (usize, usize) {
    let pods = cluster.workloads[place].pods.iter().filter_map(|pod| cluster.pods[*pod].as_ref());
    let pods = pods.filter(|pod| revision.is_none_or(|revision| pod.revision == revision));
    pods.fold((0, 0), |(all, ready), pod| (all + 1, ready + usize::from(pod.ready)))
}

const SPEC_FIELDS: [&str; 6] =
    ["progressDeadlineSeconds", "replicas", "revisionHistoryLimit", "selector", "strategy", "template"];
const STATUS_FIELDS: [&str; 5] =
    ["availableReplicas", "conditions", "observedGeneration", "readyReplicas", "replicas"];

pub(super) fn deployment(cluster: &Cluster, place: usize) -> Value {
    let workload = &cluster.workloads[place];
    let mut meta = meta(cluster, place);
    let newest = workload.revisions.len() as u64;
    meta.annotations["deployment.kubernetes.io/revision"] = newest.to_string().into();
    let (all, ready) = replicas(cluster, place, None);
    let changed = rfc3339(cluster.now);
    let fields = json!({
        "spec": {
            "progressDeadlineSeconds": 600, "replicas": workload.pods.len(), "revisionHistoryLimit": 10,
            "selector": { "matchLabels": selector(workload) },
            "strategy": {
                "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": "25%" },
            },
            "template": template(workload, newest),
        },
        "status": {
            "availableReplicas": ready, "readyReplicas": ready, "replicas": all, "updatedReplicas": all,
            "observedGeneration": newest,
            "conditions": [{
                "type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                "message": "Deployment has minimum availability.",
                "lastUpdateTime": changed, "lastTransitionTime": changed,
            }],
        },
    });
    object("apps/v1", "Deployment", meta.value(&SPEC_FIELDS, &STATUS_FIELDS), fields)
}

pub(super) fn replica_set(cluster: &Cluster, place: usize, revision: u64) -> Value {
    let workload = &cluster.workloads[place];
    let mut meta = meta(cluster, place);
    meta.name = replica_set_name(workload, revision);
    meta.seed = derived(workload.seed, revision);
    meta.labels = pod_labels(workload, revision);
    meta.annotations["deployment.kubernetes.io/revision"] = revision.to_string().into();
    meta.owner = Some(owner("apps/v1", "Deployment", &workload.name, workload.seed));
    let (all, ready) = replicas(cluster, place, Some(revision));
    let mut selected = selector(workload);
    selected["pod-template-hash"] = template_hash(workload, revision).into();
    let fields = json!({
        "spec": {
            "replicas": all, "selector": { "matchLabels": selected }, "template": template(workload, revision),
        },
        "status": {
            "availableReplicas": ready, "fullyLabeledReplicas": all, "observedGeneration": 1,
            "readyReplicas": ready, "replicas": all,
        },
    });
    object("apps/v1", "ReplicaSet", meta.value(&SPEC_FIELDS, &STATUS_FIELDS), fields)
}

fn stateful_set(cluster: &Cluster, place: usize) -> Value {
    let workload = &cluster.workloads[place];
    let (all, ready) = replicas(cluster, place, None);
    let fields = json!({
        "spec": {
            "podManagementPolicy": "OrderedReady", "replicas": all, "serviceName": workload.name,
            "selector": { "matchLabels": selector(workload) }, "template": template(workload, 1),
            "volumeClaimTemplates": [{ "metadata": { "name": "data" }, "spec": claim_spec() }],
        },
        "status": { "availableReplicas": ready, "readyReplicas": ready, "replicas": all },
    });
    object("apps/v1", "StatefulSet", meta(cluster, place).value(&SPEC_FIELDS, &STATUS_FIELDS), fields)
}

fn claim_spec() -> Value {
    json!({
        "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "50Gi" } },
        "storageClassName": "gp3", "volumeMode": "Filesystem",
    })
}

fn claim(cluster: &Cluster, place: usize, ordinal: usize) -> Value {
    let workload = &cluster.workloads[place];
    let mut meta = meta(cluster, place);
    meta.name = claim_name(workload, ordinal);
    meta.seed = derived(workload.seed, 5_000 + ordinal as u64);
    meta.labels = selector(workload);
    let mut spec = claim_spec();
    spec["volumeName"] = format!("pvc-{}", super::random::uid(meta.seed)).into();
    let fields = json!({
        "spec": spec,
        "status": { "phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": { "storage": "50Gi" } },
    });
    object("v1", "PersistentVolumeClaim", meta.value(&["accessModes", "resources"], &["phase"]), fields)
}

fn daemon_set(cluster: &Cluster, place: usize) -> Value {
    let workload = &cluster.workloads[place];
    let (all, ready) = replicas(cluster, place, None);
    let fields = json!({
        "spec": { "selector": { "matchLabels": selector(workload) }, "template": template(workload, 1) },
        "status": { "desiredNumberScheduled": all, "currentNumberScheduled": all, "numberReady": ready },
    });
    object("apps/v1", "DaemonSet", meta(cluster, place).value(&SPEC_FIELDS, &STATUS_FIELDS), fields)
}

/// The CronJob of a Job; its name is that of the Job without the minute.
fn cron_job_of(workload: &Workload) -> (String, u64) {
    let name = workload.name.rsplit_once('-').map_or(workload.name.as_str(), |(name, _)| name);
    (name.to_owned(), derived(workload.seed, 7))
}

fn cron_job(cluster: &Cluster, place: usize) -> Value {
    let workload = &cluster.workloads[place];
    let mut meta = meta(cluster, place);
    (meta.name, meta.seed) = cron_job_of(workload);
    let fields = json!({
        "spec": { "schedule": "0 2 * * *", "jobTemplate": { "spec": { "template": template(workload, 1) } } },
        "status": { "lastScheduleTime": rfc3339(START - 3_600) },
    });
    object("batch/v1", "CronJob", meta.value(&["jobTemplate", "schedule"], &["lastScheduleTime"]), fields)
}

fn job(cluster: &Cluster, place: usize) -> Value {
    let workload = &cluster.workloads[place];
    let mut meta = meta(cluster, place);
    if workload.kind == (Kind::Job { of_cron_job: true }) {
        let (name, seed) = cron_job_of(workload);
        meta.owner = Some(owner("batch/v1", "CronJob", &name, seed));
    }
    let fields = json!({
        "spec": { "backoffLimit": 6, "completions": 1, "parallelism": 1, "template": template(workload, 1) },
        "status": { "succeeded": 1, "completionTime": rfc3339(START - 3_000) },
    });
    object("batch/v1", "Job", meta.value(&["backoffLimit", "template"], &["succeeded"]), fields)
}

fn autoscaler(cluster: &Cluster, place: usize) -> Value {
    let workload = &cluster.workloads[place];
    let mut meta = meta(cluster, place);
    meta.seed = derived(workload.seed, 8);
    let target = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": workload.name });
    let fields = json!({
        "spec": { "minReplicas": 1, "maxReplicas": workload.pods.len() * 2, "scaleTargetRef": target },
        "status": { "currentReplicas": workload.pods.len(), "desiredReplicas": workload.pods.len() },
    });
    let metadata = meta.value(&["maxReplicas", "scaleTargetRef"], &["currentReplicas"]);
    object("autoscaling/v2", "HorizontalPodAutoscaler", metadata, fields)
}

fn budget(cluster: &Cluster, place: usize) -> Value {
    let workload = &cluster.workloads[place];
    let mut meta = meta(cluster, place);
    meta.seed = derived(workload.seed, 9);
    let (all, ready) = replicas(cluster, place, None);
    let fields = json!({
        "spec": { "minAvailable": 1, "selector": { "matchLabels": selector(workload) } },
        "status": { "currentHealthy": ready, "desiredHealthy": 1, "expectedPods": all },
    });
    let metadata = meta.value(&["minAvailable", "selector"], &["currentHealthy"]);
    object("policy/v1", "PodDisruptionBudget", metadata, fields)
}
