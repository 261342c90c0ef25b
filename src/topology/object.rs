//! What is kept of an object, which is little: what connects it to others, and what we tell of it.

use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::key::Key;
use super::kind::ObjectKind;
use super::labels::Labels;
use super::selector::Selector;
use super::uid::Uid;

/// Versions from here on have no order: they are no numbers in the API server. etcd counts with 63 bits.
pub const UNORDERED: u64 = 1 << 63;

/// One state of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    pub kind: ObjectKind,
    pub uid: Uid,
    /// Empty for objects of the cluster.
    pub namespace: Arc<str>,
    pub name: Box<str>,
    /// Of its resourceVersion: tells whether two states are the same.
    pub version: u64,
    /// 0 when unknown.
    pub created_seconds: u64,
    pub labels: Arc<Labels>,
    /// Those that a setting asks for.
    pub annotations: Arc<Labels>,
    pub owners: Owners,
    /// When it went, by our clock; `None` while it is there. Of one run only.
    #[serde(skip)]
    pub deleted_seconds: Option<NonZeroU64>,
    pub details: Details,
}

/// The owners of an object, shared by all objects that have the same; `None`: nobody.
pub type Owners = Option<Arc<Box<[Owner]>>>;

impl Object {
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.deleted_seconds.is_none()
    }

    /// Whether this is an earlier state than the other, as far as the versions tell.
    #[must_use]
    pub fn is_older_than(&self, other: &Self) -> bool {
        self.version < other.version && other.version < UNORDERED
    }

    /// Whether nothing that is kept differs but whether it is there.
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

    /// Takes over from an earlier state what both have in common, so that it is held once.
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

    /// The same object, gone or there again.
    #[must_use]
    pub fn deleted_at(&self, deleted_seconds: Option<NonZeroU64>) -> Self {
        Self { deleted_seconds, ..self.clone() }
    }

    /// Of the mirror of a static pod, the uid that its kubelet's events carry.
    #[must_use]
    pub fn mirrors(&self) -> Option<&str> {
        match &self.details {
            Details::Pod { extras: Some(extras), .. } => extras.mirrors.as_deref(),
            _ => None,
        }
    }

    #[must_use]
    pub fn owners(&self) -> &[Owner] {
        self.owners.as_ref().map_or(&[], |owners| owners)
    }

    /// Of two by the same name: one that is there, else the one that went last.
    #[must_use]
    pub fn rank(&self) -> (bool, u64, u64) {
        (self.is_live(), self.deleted_seconds.map_or(0, NonZeroU64::get), self.version)
    }

    #[must_use]
    pub fn key(&self) -> Key {
        self.uid.key()
    }

    #[must_use]
    pub fn name_key(&self) -> Key {
        Key::held(self.kind, &self.namespace, &self.name)
    }

    /// The owner that controls it, else the first.
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
    pub api_version: Arc<str>,
    pub kind: Arc<str>,
    pub name: Arc<str>,
    pub uid: Uid,
    /// Of the uid. Of one run only.
    #[serde(skip_serializing)]
    pub key: Key,
    pub controls: bool,
}

/// An owner as it is written.
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
    /// Owners live in the namespace of what they own, unless they belong to the cluster.
    #[must_use]
    pub fn name_key(&self, namespace: &str) -> Key {
        Key::object(&self.api_version, &self.kind, namespace, &self.name)
    }

    /// Who it is by uid, kind and name: a reference that has the uid alone does not mean it.
    #[must_use]
    pub fn reference_key(&self) -> Key {
        self.name_key("").with(self.key)
    }
}

/// What is kept of the spec and the status, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Details {
    Service {
        /// Empty for Services without one: they select nothing.
        selector: Arc<Labels>,
    },
    /// Never saved: what it says last stands in the places of its pods.
    #[serde(skip)]
    EndpointSlice {
        /// Name of the Service, from the label `kubernetes.io/service-name`; empty without.
        service: Arc<str>,
        endpoints: Box<[Endpoint]>,
    },
    Pod {
        /// Name of its node; empty while it has none.
        node: Arc<str>,
        ip: Option<IpAddr>,
        /// In seconds since 1970; `None` while it has not started.
        started_seconds: Option<NonZeroU64>,
        /// What most pods have nothing of.
        extras: Option<Box<PodExtras>>,
    },
    Node {
        zone: Arc<str>,
        region: Arc<str>,
        addresses: Box<[Box<str>]>,
    },
    /// What owns pods, or owns what does.
    Workload {
        /// Labels of its pod template, where the spec was read.
        template: Option<Arc<Labels>>,
    },
    Autoscaler {
        target: ScaleTarget,
    },
    Budget {
        /// `None` selects nothing.
        selector: Option<Selector>,
    },
    Claim {
        /// Name of the PersistentVolume; empty while it is not bound to one.
        volume: Box<str>,
    },
    Ingress {
        /// Names of the Services behind it.
        backends: Box<[Arc<str>]>,
    },
}

/// What only some pods have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodExtras {
    /// Names of the PersistentVolumeClaims it mounts.
    pub claims: Box<[Arc<str>]>,
    /// For the mirror of a static pod: the uid that its kubelet's events carry.
    pub mirrors: Option<Box<str>>,
}

/// What an autoscaler scales.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaleTarget {
    pub api_version: Box<str>,
    pub kind: Box<str>,
    pub name: Box<str>,
}

/// One endpoint of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// Of the uid of the pod behind it; of its first address where there is no pod.
    pub target: Key,
    /// Of the name of its node.
    pub node: Option<Key>,
    pub ready: bool,
    pub is_pod: bool,
}
