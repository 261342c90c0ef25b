//! The kinds of objects that are listed and watched: the one place that names them and their paths.

use serde::{Deserialize, Serialize};

/// A kind of objects that the topology holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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

    /// As an object's `kind` says it.
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

    /// Where all objects of the kind are listed and watched. The versions are those that every Kubernetes
    /// since 1.23 serves.
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

    /// The resource, as RBAC rules name it: the end of the path.
    #[must_use]
    pub fn resource(self) -> &'static str {
        self.path().rsplit('/').next().unwrap_or_default()
    }

    /// Whether the metadata is all that is needed, so that the API server may leave out the rest
    /// (`PartialObjectMetadata`). A Deployment writes its pod template's labels on its ReplicaSets, and
    /// there are more ReplicaSets than anything else but pods; of the other kinds something of the spec
    /// or status is needed.
    #[must_use]
    pub const fn metadata_only(self) -> bool {
        matches!(self, Self::ReplicaSet)
    }

    /// Whether its objects belong to the cluster and lie in no namespace.
    #[must_use]
    pub const fn is_of_cluster(self) -> bool {
        matches!(self, Self::Node)
    }

    /// Whether pods run below objects of this kind.
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

    /// The kind that a reference means. Without a group the name alone counts, as in events of old senders;
    /// a `Service` of another group, Knative's for one, is not ours.
    #[must_use]
    pub fn of(group: Option<&str>, name: &str) -> Option<Self> {
        let kind = Self::named(name)?;
        // Ingress and the workloads have lived in `extensions` before.
        group.is_none_or(|group| group == kind.group() || group == "extensions").then_some(kind)
    }

    /// The other way of [`ObjectKind::name`].
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

    /// The kind whose objects a path names so.
    #[must_use]
    pub fn of_resource(group: Option<&str>, resource: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.resource() == resource && group == Some(kind.group()))
    }

    /// Its place in tables with one row a kind.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The group in an `apiVersion`: `apps` of `apps/v1`, empty for `v1`; `None` when there is no version.
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
