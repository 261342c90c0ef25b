//! The object that an event is about, looked up in the topology.

use super::About;
use crate::topology::freshness::Freshness;
use crate::topology::index::Index;
use crate::topology::key::Key;
use crate::topology::kind::{ObjectKind, group_of};
use crate::topology::object::Object;
use crate::topology::scope::{self, PERSISTENT_VOLUME, may_report};

#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'i> {
    pub(super) about: About<'i>,
    /// `None` if the topology does not hold the kind.
    pub(super) kind: Option<ObjectKind>,
    pub(super) namespace: &'i str,
    pub(super) uid: Option<Key>,
    pub(super) entry: Option<(Key, &'i Object)>,
    /// Whether the event is in a namespace from which it may not be about the object.
    pub(super) is_foreign: bool,
    /// Whether the object may be cluster-scoped, and so may own objects in several namespaces. True only for
    /// kinds that are not followed.
    pub(super) may_be_of_cluster: bool,
}

impl<'i> Subject<'i> {
    pub(super) fn find(index: &'i Index, about: About<'i>) -> Self {
        let kind = ObjectKind::of(group_of(about.api_version), about.kind);
        // Some senders leave the namespace out. A Node has none, whatever the namespace of its events; other
        // objects are in the namespace of their events.
        let is_of_cluster = scope::is_of_cluster(kind, about.kind, about.namespace, about.event_namespace);
        let namespace = match about.namespace {
            _ if is_of_cluster && (kind.is_some() || about.kind == PERSISTENT_VOLUME) => "",
            "" => about.event_namespace,
            said => said,
        };
        // The kubelet and tools that watch nodes write the node's name in place of its uid.
        let by_name = about.uid.is_empty() || (kind == Some(ObjectKind::Node) && about.uid == about.name);
        let uid = (!by_name).then(|| Key::of(about.uid));
        let entry = match uid {
            // An object with the same name but another uid is another object.
            Some(uid) => known(index, kind, namespace, about.name, uid),
            None => index
                .by_name(Key::object(about.api_version, about.kind, namespace, about.name))
                .map(|entry| (entry.key(), entry)),
        };
        let is_foreign = !may_report(about.event_namespace, namespace)
            || entry.is_some_and(|(_, entry)| !may_report(about.event_namespace, &entry.namespace));
        // The event may state another namespace than the object's, or none.
        let namespace = entry.map_or(namespace, |(_, entry)| &*entry.namespace);
        let may_be_of_cluster = is_of_cluster && kind.is_none();
        Self { about, kind, namespace, uid, entry, is_foreign, may_be_of_cluster }
    }

    /// Whether its kind is followed but the object was never seen. An audit record of a list request names no
    /// object.
    pub(super) fn is_unknown(&self, index: &Index) -> bool {
        let is_named = !self.about.name.is_empty() || !self.about.uid.is_empty();
        let is_followed = self.kind.is_some_and(|kind| index.freshness(kind) != Freshness::Refused);
        self.entry.is_none() && is_named && is_followed
    }

    /// Key by which its children refer to a cluster-scoped owner.
    pub(super) fn reference_key(&self, uid: Key) -> Key {
        Key::object(self.about.api_version, self.about.kind, "", self.about.name).with(uid)
    }

    /// Whether look-ups by its name find this object: not if another object has the name now.
    pub(super) fn has_its_name(&self, index: &Index) -> bool {
        match (self.entry, self.uid) {
            (Some((uid, entry)), _) => index.by_name(entry.name_key()).is_none_or(|named| named.key() == uid),
            (None, Some(_)) => {
                let name =
                    Key::object(self.about.api_version, self.about.kind, self.namespace, self.about.name);
                index.by_name(name).is_none()
            }
            (None, None) => true,
        }
    }
}

/// The object with this uid; for a static pod also by the uid that its kubelet uses.
fn known<'i>(
    index: &'i Index,
    kind: Option<ObjectKind>,
    namespace: &str,
    name: &str,
    uid: Key,
) -> Option<(Key, &'i Object)> {
    let found = index.by_uid(uid).filter(|(_, entry)| Some(entry.kind) == kind);
    match kind {
        Some(ObjectKind::Pod) => {
            found.or_else(|| index.mirror(Key::held(ObjectKind::Pod, namespace, name), uid))
        }
        _ => found,
    }
}
