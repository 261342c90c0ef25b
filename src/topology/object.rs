//! The fields that are kept of an object: those that connect it to others, and those that records show.

use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::key::Key;
use super::kind::ObjectKind;
use super::labels::Labels;
use super::selector::Selector;
use super::uid::Uid;

/// Versions from here on are hashes and have no order. Numeric versions stay below, because etcd counts with
/// 63 bits.
pub const UNORDERED: u64 = 1 << 63;

/// One object in one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Decides which variant `details` is.
    pub kind: ObjectKind,
    /// Never empty: an object without one is not kept.
    pub uid: Uid,
    /// Empty for cluster-scoped objects.
    pub namespace: Arc<str>,
    /// Never empty. An object of the same name may come after a deletion, with another uid.
    pub name: Box<str>,
    /// The resourceVersion as a number; two states are the same if their versions are equal.
    pub version: u64,
    /// 0 if unknown.
    pub created_seconds: u64,
    /// `metadata.labels`.
    pub labels: Arc<Labels>,
    /// The annotations that the settings ask for.
    pub annotations: Arc<Labels>,
    /// From `metadata.ownerReferences`, at most 32.
    pub owners: Owners,
    /// When it was deleted, by our clock; `None` for a live object. Not saved.
    #[serde(skip)]
    pub deleted_seconds: Option<NonZeroU64>,
    /// What the kind has beside its metadata.
    pub details: Details,
}

/// The owners of an object, shared by all objects with the same owners. `None` means no owner.
pub type Owners = Option<Arc<Box<[Owner]>>>;

impl Object {
    /// Whether it is not deleted.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.deleted_seconds.is_none()
    }

    /// Whether this state is earlier than the other, as far as the versions can be compared.
    #[must_use]
    pub fn is_older_than(&self, other: &Self) -> bool {
        self.version < other.version && other.version < UNORDERED
    }

    /// Whether both states are equal, apart from being deleted.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.version == other.version
            && self.details == other.details
            && self.labels == other.labels
            && self.annotations == other.annotations
            && self.owners == other.owners
            && (&self.namespace, &self.name, self.created_seconds)
                == (&other.namespace, &other.name, other.created_seconds)
    }

    /// Takes equal parts over from an earlier state, so that they are stored once.
    pub fn share(&mut self, earlier: &Self) {
        share(&mut self.namespace, &earlier.namespace);
        share(&mut self.labels, &earlier.labels);
        share(&mut self.annotations, &earlier.annotations);
        if self.owners == earlier.owners {
            self.owners.clone_from(&earlier.owners);
        }
        match (&mut self.details, &earlier.details) {
            (Details::Pod { node, .. }, Details::Pod { node: before, .. }) => share(node, before),
            (Details::Service { selector }, Details::Service { selector: before }) => share(selector, before),
            (Details::EndpointSlice { service, .. }, Details::EndpointSlice { service: before, .. }) => {
                share(service, before);
            }
            _ => {}
        }
    }

    /// The same object, marked as deleted or as live.
    #[must_use]
    pub fn deleted_at(&self, deleted_seconds: Option<NonZeroU64>) -> Self {
        Self { deleted_seconds, ..self.clone() }
    }

    /// For the mirror of a static pod: the uid in its kubelet's events.
    #[must_use]
    pub fn mirrors(&self) -> Option<&str> {
        match &self.details {
            Details::Pod { extras: Some(extras), .. } => extras.mirrors.as_deref(),
            _ => None,
        }
    }

    /// Its owner references.
    #[must_use]
    pub fn owners(&self) -> &[Owner] {
        self.owners.as_ref().map_or(&[], |owners| owners)
    }

    /// Order of objects with the same name: the live one first, then by time of deletion.
    #[must_use]
    pub fn rank(&self) -> (bool, u64, u64) {
        (self.is_live(), self.deleted_seconds.map_or(0, NonZeroU64::get), self.version)
    }

    /// Key of the uid.
    #[must_use]
    pub fn key(&self) -> Key {
        self.uid.key()
    }

    /// Key of kind, namespace and name.
    #[must_use]
    pub fn name_key(&self) -> Key {
        Key::held(self.kind, &self.namespace, &self.name)
    }

    /// The controlling owner, or the first one.
    #[must_use]
    pub fn controller(&self) -> Option<&Owner> {
        self.owners().iter().find(|owner| owner.controls).or(self.owners().first())
    }
}

fn share<T: ?Sized + PartialEq>(new: &mut Arc<T>, earlier: &Arc<T>) {
    if *new == *earlier {
        *new = Arc::clone(earlier);
    }
}

/// An entry of `metadata.ownerReferences`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "SavedOwner")]
pub struct Owner {
    /// Group and version, such as `apps/v1`.
    pub api_version: Arc<str>,
    /// Any kind, also one that the topology does not hold.
    pub kind: Arc<str>,
    /// The owner is in the object's namespace, or cluster-scoped.
    pub name: Arc<str>,
    /// Never empty: a reference without one is not kept.
    pub uid: Uid,
    /// Key of the uid. Valid in this process only.
    #[serde(skip_serializing)]
    pub key: Key,
    /// `controller`: at most one owner manages the object.
    pub controls: bool,
}

/// An owner as it is stored.
#[derive(Deserialize)]
struct SavedOwner {
    api_version: Arc<str>,
    kind: Arc<str>,
    name: Arc<str>,
    uid: Uid,
    controls: bool,
}

impl From<SavedOwner> for Owner {
    fn from(SavedOwner { api_version, kind, name, uid, controls }: SavedOwner) -> Self {
        Self { api_version, kind, name, key: uid.key(), uid, controls }
    }
}

impl Owner {
    /// Name key of the owner. An owner is in the namespace of the object it owns, or cluster-scoped.
    #[must_use]
    pub fn name_key(&self, namespace: &str) -> Key {
        Key::object(&self.api_version, &self.kind, namespace, &self.name)
    }

    /// Key of uid, kind and name together. A reference with the uid alone does not match.
    #[must_use]
    pub fn reference_key(&self) -> Key {
        self.name_key("").with(self.key)
    }
}

/// Fields of the spec and the status, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Details {
    /// Its endpoints are in its slices.
    Service {
        /// Empty if the Service has no selector; it then selects nothing.
        selector: Arc<Labels>,
    },
    /// Not saved: the snapshot file stores the Services with each pod instead.
    #[serde(skip)]
    EndpointSlice {
        /// Name of the Service, from the label `kubernetes.io/service-name`; empty without the label.
        service: Arc<str>,
        /// In the order of the slice.
        endpoints: Box<[Endpoint]>,
    },
    /// What connects it to its node, its volumes and its Services.
    Pod {
        /// Name of its node; empty until it is scheduled.
        node: Arc<str>,
        /// `status.podIP`; `None` until it has one.
        ip: Option<IpAddr>,
        /// Unix time in seconds; `None` until it has started.
        started_seconds: Option<NonZeroU64>,
        /// Fields that most pods do not have.
        extras: Option<Box<PodExtras>>,
    },
    /// What records show of it.
    Node {
        /// From the label `topology.kubernetes.io/zone`; empty without it.
        zone: Arc<str>,
        /// From the label `topology.kubernetes.io/region`; empty without it.
        region: Arc<str>,
        /// `status.addresses`, of all types.
        addresses: Box<[Box<str>]>,
    },
    /// Owns pods, directly or indirectly.
    Workload {
        /// Labels of its pod template, if the spec was read.
        template: Option<Arc<Labels>>,
    },
    /// A `HorizontalPodAutoscaler`.
    Autoscaler {
        /// Its `spec.scaleTargetRef`.
        target: ScaleTarget,
    },
    /// A `PodDisruptionBudget`.
    Budget {
        /// `None` selects nothing.
        selector: Option<Selector>,
    },
    /// A `PersistentVolumeClaim`.
    Claim {
        /// Name of the PersistentVolume; empty until the claim is bound.
        volume: Box<str>,
    },
    /// Only the Services in its rules and its default backend.
    Ingress {
        /// Names of its backend Services.
        backends: Box<[Arc<str>]>,
    },
}

/// Fields that only some pods have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodExtras {
    /// Names of the PersistentVolumeClaims that it mounts.
    pub claims: Box<[Arc<str>]>,
    /// For the mirror of a static pod: the uid in its kubelet's events.
    pub mirrors: Option<Box<str>>,
}

/// The object that an autoscaler scales.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaleTarget {
    /// Group and version, as the autoscaler states it: it may be an old version.
    pub api_version: Box<str>,
    /// Such as `Deployment`, or any kind with a scale.
    pub kind: Box<str>,
    /// In the namespace of the autoscaler.
    pub name: Box<str>,
}

/// One endpoint of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// Key of the pod's uid, or of the first address if there is no pod.
    pub target: Key,
    /// Key of the node's name.
    pub node: Option<Key>,
    /// Also if the slice does not say it (discovery.k8s.io/v1, `EndpointConditions`).
    pub ready: bool,
    /// Whether `target` is the key of a pod's uid.
    pub is_pod: bool,
}
