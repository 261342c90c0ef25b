//! Which two objects may be related: both of one namespace, or one of them an object of the whole cluster.
//!
//! RBAC grants rights by namespace. The API server checks that whoever writes an object may write into its
//! `metadata.namespace`, and it checks nothing of what the object says of others: the uid in a slice's `targetRef` or in an
//! owner reference, the uid in an annotation and the `involvedObject` of an event are text that the writer chose. Without this
//! rule whoever may write into one namespace could put his Services into the events of another.
//!
//! So a reference to a uid counts in the namespace of the object that makes it: its key is [`within`] that namespace, and a
//! look-up from any other namespace has another key. Others can neither add to an answer nor make the look-up longer. What
//! is referred to by name is in the same namespace by the rules of Kubernetes itself.

use super::key::Key;
use super::kind::ObjectKind;
use super::object::Object;

/// Namespaces from which events about objects of the cluster come: client-go writes them into `default`, the
/// control plane into `kube-system`. Only administrators may write there, unless somebody lets tenants have `default`.
pub const OF_CLUSTER: [&str; 2] = ["default", "kube-system"];

/// The one kind of objects of the cluster that has a rule and is not followed.
pub const PERSISTENT_VOLUME: &str = "PersistentVolume";

/// A uid as the objects of one namespace refer to it.
#[must_use]
pub fn within(namespace: &str, uid: Key) -> Key {
    Key::of(namespace).with(uid)
}

/// Whether a reference from one object to another counts. Kubernetes' garbage collector has the same rule for owners.
#[must_use]
pub fn may_refer(from: &Object, to: &Object) -> bool {
    to.namespace.is_empty() || from.namespace == to.namespace
}

/// Whether an event that lies in a namespace may be about an object of another one, or of the cluster (`""`).
/// What lies in none did not come through the API server's check, and its sender is trusted as the input is.
#[must_use]
pub fn may_report(lies_in: &str, on: &str) -> bool {
    lies_in.is_empty() || if on.is_empty() { OF_CLUSTER.contains(&lies_in) } else { lies_in == on }
}

/// Whether an event is about an object of the cluster: of such a kind, or of a kind that is not followed, without a namespace
/// and from where events about the cluster come. Some senders leave out the namespace of what has one.
#[must_use]
pub fn is_of_cluster(kind: Option<ObjectKind>, kind_name: &str, namespace: &str, lies_in: &str) -> bool {
    match kind {
        Some(kind) => kind.is_of_cluster(),
        None => kind_name == PERSISTENT_VOLUME || (namespace.is_empty() && may_report(lies_in, "")),
    }
}
