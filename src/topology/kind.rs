//! The kinds that are listed and watched, with their names and paths.

use serde::{Deserialize, Serialize};

/// A kind that the topology holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the variants are the kinds of Kubernetes, by their own names")]
pub enum ObjectKind {
    Service,
    EndpointSlice,
    Pod,
    Node,
    ReplicaSet,
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
    HorizontalPodAutoscaler,
    PodDisruptionBudget,
    PersistentVolumeClaim,
    Ingress,
}

/// How many kinds there are.
pub const KINDS: usize = 14;

impl ObjectKind {
    /// In the order of their numbers.
    pub const ALL: [Self; KINDS] = [
        Self::Service,
        Self::EndpointSlice,
        Self::Pod,
        Self::Node,
        Self::ReplicaSet,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Job,
        Self::CronJob,
        Self::HorizontalPodAutoscaler,
        Self::PodDisruptionBudget,
        Self::PersistentVolumeClaim,
        Self::Ingress,
    ];

    /// The name, as in the `kind` of an object.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::EndpointSlice => "EndpointSlice",
            Self::Pod => "Pod",
            Self::Node => "Node",
            Self::ReplicaSet => "ReplicaSet",
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::HorizontalPodAutoscaler => "HorizontalPodAutoscaler",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::Ingress => "Ingress",
        }
    }

    /// The API group; empty for the core group.
    #[must_use]
    pub const fn group(self) -> &'static str {
        match self {
            Self::Service | Self::Pod | Self::Node | Self::PersistentVolumeClaim => "",
            Self::EndpointSlice => "discovery.k8s.io",
            Self::ReplicaSet | Self::Deployment | Self::StatefulSet | Self::DaemonSet => "apps",
            Self::Job | Self::CronJob => "batch",
            Self::HorizontalPodAutoscaler => "autoscaling",
            Self::PodDisruptionBudget => "policy",
            Self::Ingress => "networking.k8s.io",
        }
    }

    /// The path for listing and watching all objects of the kind. Every Kubernetes since 1.23 serves these
    /// versions.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Service => "/api/v1/services",
            Self::EndpointSlice => "/apis/discovery.k8s.io/v1/endpointslices",
            Self::Pod => "/api/v1/pods",
            Self::Node => "/api/v1/nodes",
            Self::ReplicaSet => "/apis/apps/v1/replicasets",
            Self::Deployment => "/apis/apps/v1/deployments",
            Self::StatefulSet => "/apis/apps/v1/statefulsets",
            Self::DaemonSet => "/apis/apps/v1/daemonsets",
            Self::Job => "/apis/batch/v1/jobs",
            Self::CronJob => "/apis/batch/v1/cronjobs",
            Self::HorizontalPodAutoscaler => "/apis/autoscaling/v2/horizontalpodautoscalers",
            Self::PodDisruptionBudget => "/apis/policy/v1/poddisruptionbudgets",
            Self::PersistentVolumeClaim => "/api/v1/persistentvolumeclaims",
            Self::Ingress => "/apis/networking.k8s.io/v1/ingresses",
        }
    }

    /// The resource name as in RBAC rules: the end of the path.
    #[must_use]
    pub fn resource(self) -> &'static str {
        self.path().rsplit('/').next().unwrap_or_default()
    }

    /// Whether the metadata is enough, so that the API server may leave out the rest
    /// (`PartialObjectMetadata`). This helps most for ReplicaSets: a Deployment copies its pod template's
    /// labels to them, and only pods are more numerous. The other kinds need something from the spec or
    /// status.
    #[must_use]
    pub const fn metadata_only(self) -> bool {
        matches!(self, Self::ReplicaSet)
    }

    /// Whether the kind is cluster-scoped.
    #[must_use]
    pub const fn is_of_cluster(self) -> bool {
        matches!(self, Self::Node)
    }

    /// Whether objects of this kind own pods, directly or indirectly.
    #[must_use]
    pub const fn is_workload(self) -> bool {
        matches!(
            self,
            Self::ReplicaSet
                | Self::Deployment
                | Self::StatefulSet
                | Self::DaemonSet
                | Self::Job
                | Self::CronJob
        )
    }

    /// The kind that a reference means. Without a group the name is enough, for events of old senders. A
    /// `Service` of another group, such as Knative's, does not match.
    #[must_use]
    pub fn of(group: Option<&str>, name: &str) -> Option<Self> {
        let kind = Self::named(name)?;
        // Ingress and the workloads used to be in the group `extensions`.
        group.is_none_or(|group| group == kind.group() || group == "extensions").then_some(kind)
    }

    /// The inverse of [`ObjectKind::name`].
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Service" => Self::Service,
            "EndpointSlice" => Self::EndpointSlice,
            "Pod" => Self::Pod,
            "Node" => Self::Node,
            "ReplicaSet" => Self::ReplicaSet,
            "Deployment" => Self::Deployment,
            "StatefulSet" => Self::StatefulSet,
            "DaemonSet" => Self::DaemonSet,
            "Job" => Self::Job,
            "CronJob" => Self::CronJob,
            "HorizontalPodAutoscaler" => Self::HorizontalPodAutoscaler,
            "PodDisruptionBudget" => Self::PodDisruptionBudget,
            "PersistentVolumeClaim" => Self::PersistentVolumeClaim,
            "Ingress" => Self::Ingress,
            _ => return None,
        })
    }

    /// The kind with this resource name in this group.
    #[must_use]
    pub fn of_resource(group: Option<&str>, resource: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.resource() == resource && group == Some(kind.group()))
    }

    /// Index in a table with one row per kind.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The group in an `apiVersion`: `apps` for `apps/v1`, empty for `v1`, `None` for an empty `apiVersion`.
#[must_use]
pub fn group_of(api_version: &str) -> Option<&str> {
    (!api_version.is_empty()).then(|| api_version.split_once('/').map_or("", |(group, _)| group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_means_a_kind_of_its_own_group_only() {
        for kind in ObjectKind::ALL {
            assert_eq!(ObjectKind::of(Some(kind.group()), kind.name()), Some(kind));
            assert_eq!(ObjectKind::of(None, kind.name()), Some(kind));
            assert_eq!(ObjectKind::ALL[kind.index()], kind);
        }
        assert_eq!(ObjectKind::of(group_of("serving.knative.dev/v1"), "Service"), None);
        assert_eq!(ObjectKind::of(group_of("v1"), "Service"), Some(ObjectKind::Service));
        assert_eq!(ObjectKind::of(group_of(""), "Service"), Some(ObjectKind::Service));
        assert_eq!(ObjectKind::of(group_of("extensions/v1beta1"), "Ingress"), Some(ObjectKind::Ingress));
        assert_eq!(ObjectKind::of(None, "Rollout"), None);
    }

    #[test]
    fn the_resource_is_what_rbac_calls_it() {
        assert_eq!(ObjectKind::HorizontalPodAutoscaler.resource(), "horizontalpodautoscalers");
        assert_eq!(ObjectKind::Service.resource(), "services");
        for kind in ObjectKind::ALL {
            assert_eq!(ObjectKind::of_resource(Some(kind.group()), kind.resource()), Some(kind));
        }
        assert_eq!(ObjectKind::of_resource(Some("serving.knative.dev"), "services"), None);
        assert_eq!(ObjectKind::of_resource(Some(""), "configmaps"), None);
    }
}
