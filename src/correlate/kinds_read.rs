//! Which kinds each rule reads. If one of them is not followed, the result may be out of date.
//!
//! Kinds that only the workload depends on are not included, because `correlation` describes the Services.

use crate::topology::freshness::Freshness;
use crate::topology::index::Index;
use crate::topology::kind::ObjectKind::{self, *};

/// The kinds that `rules` reads for an object of this kind. `kind_name` decides if the topology does not hold
/// the kind.
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
            // An owner that is known from its pods alone.
            _ => &[Pod, ReplicaSet, Service, EndpointSlice],
        },
    }
}

/// The freshness of the least fresh kind that the rule reads.
pub(super) fn least_fresh(index: &Index, kind: Option<ObjectKind>, kind_name: &str) -> Freshness {
    kinds_read(kind, kind_name).iter().map(|kind| index.freshness(*kind)).max().unwrap_or_default()
}
