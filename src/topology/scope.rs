//! Which objects may be related: two of the same namespace, or one of them cluster-scoped.
//!
//! RBAC grants rights per namespace. The API server checks that a writer may write to the object's
//! `metadata.namespace`. It does not check references: the uid in a slice's `targetRef` or in an owner
//! reference, the uid in an annotation, and the `involvedObject` of an event are text that the writer chose.
//! Without this rule, a tenant could put his Services into the events of another namespace.
//!
//! So a uid reference counts only in the namespace of the object that makes it: its key is [`within`] that
//! namespace, and look-ups from other namespaces use other keys. Other tenants can neither add to a result
//! nor make a look-up longer. References by name stay in one namespace by Kubernetes' own rules.

use super::key::Key;
use super::kind::ObjectKind;
use super::object::Object;

/// Namespaces that hold events about cluster-scoped objects: client-go writes them to `default`, the control
/// plane to `kube-system`. Only administrators may write there, unless tenants are given `default`.
pub const OF_CLUSTER: [&str; 2] = ["default", "kube-system"];

/// The one cluster-scoped kind that has a rule and is not followed.
pub const PERSISTENT_VOLUME: &str = "PersistentVolume";

/// A uid as the objects of one namespace refer to it.
#[must_use]
pub fn within(namespace: &str, uid: Key) -> Key {
    Key::of(namespace).with(uid)
}

/// Whether a reference from one object to another counts. Kubernetes' garbage collector applies the same rule
/// to owners.
#[must_use]
pub fn may_refer(from: &Object, to: &Object) -> bool {
    to.namespace.is_empty() || from.namespace == to.namespace
}

/// Whether an event in namespace `lies_in` may be about an object in namespace `on` (`""` for cluster-scoped
/// objects). An event without a namespace did not pass the API server's check; its sender is trusted as much
/// as the input.
#[must_use]
pub fn may_report(lies_in: &str, on: &str) -> bool {
    lies_in.is_empty() || if on.is_empty() { OF_CLUSTER.contains(&lies_in) } else { lies_in == on }
}

/// Whether an event is about a cluster-scoped object: its kind is cluster-scoped, or the kind is not
/// followed, the event states no namespace, and it lies where such events are written. The last condition is
/// needed because some senders leave out the namespace.
#[must_use]
pub fn is_of_cluster(kind: Option<ObjectKind>, kind_name: &str, namespace: &str, lies_in: &str) -> bool {
    match kind {
        Some(kind) => kind.is_of_cluster(),
        None => kind_name == PERSISTENT_VOLUME || (namespace.is_empty() && may_report(lies_in, "")),
    }
}
