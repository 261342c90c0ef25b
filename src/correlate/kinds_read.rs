//! Which kinds the rule for an object reads: when one of them is not followed, the answer may be out of date.
//!
//! Kinds that only the workload depends on are not among them: the word is about Services.

use crate::topology::freshness::Freshness;
use crate::topology::index::Index;
use crate::topology::kind::ObjectKind::{self, *};

/// The kinds that `rules` looks at for an object of this kind. `kind_name` tells where the topology does not hold the kind.
#[must_use]
pub fn kinds_read(kind: Option<ObjectKind>, kind_name: &str) -> &'static [ObjectKind] {
    match kind {
        Some(Service | EndpointSlice) => &[Service, EndpointSlice],
        Some(Pod) => &[Pod, Service, EndpointSlice],
        Some(Node) => &[Node, Service, EndpointSlice],
        Some(ReplicaSet) => &[ReplicaSet, Pod, Service, EndpointSlice],
        Some(Deployment) => &[Deployment, ReplicaSet, Pod, Service, EndpointSlice],
        Some(StatefulSet) => &[StatefulSet, Pod, Service, EndpointSlice],
        Some(DaemonSet) => &[DaemonSet, Pod, Service, EndpointSlice],
        Some(Job) => &[Job, Pod, Service, EndpointSlice],
        Some(CronJob) => &[CronJob, Job, Pod, Service, EndpointSlice],
        Some(HorizontalPodAutoscaler) => {
            &[HorizontalPodAutoscaler, Deployment, StatefulSet, ReplicaSet, Pod, Service, EndpointSlice]
        }
        Some(PodDisruptionBudget) => &[PodDisruptionBudget, Pod, Service, EndpointSlice],
        Some(PersistentVolumeClaim) => &[PersistentVolumeClaim, Pod, Service, EndpointSlice],
        Some(Ingress) => &[Ingress, Service, EndpointSlice],
        None => match kind_name {
            "" | "Namespace" => &[],
            "Endpoints" => &[Service, EndpointSlice],
            "PersistentVolume" => &[PersistentVolumeClaim, Pod, Service, EndpointSlice],
            // An owner that only its pods name.
            _ => &[Pod, ReplicaSet, Service, EndpointSlice],
        },
    }
}

/// How far the kinds that are read can be believed: as far as the worst of them.
pub(super) fn least_fresh(index: &Index, kind: Option<ObjectKind>, kind_name: &str) -> Freshness {
    kinds_read(kind, kind_name).iter().map(|kind| index.freshness(*kind)).max().unwrap_or_default()
}
