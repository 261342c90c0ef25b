//! What an event is about, as far as the topology knows it.

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
    /// `None`: a kind that the topology does not hold.
    pub(super) kind: Option<ObjectKind>,
    pub(super) namespace: &'i str,
    pub(super) uid: Option<Key>,
    pub(super) entry: Option<(Key, &'i Object)>,
    /// Whether the event lies where nobody may speak for the object.
    pub(super) is_foreign: bool,
    /// Whether it may belong to the cluster, and own objects of several namespaces: its kind is not followed.
    pub(super) may_be_of_cluster: bool,
}

impl<'i> Subject<'i> {
    pub(super) fn find(index: &'i Index, about: About<'i>) -> Self {
        let kind = ObjectKind::of(group_of(about.api_version), about.kind);
        // Some senders leave the namespace out. A Node has none, whatever namespace its events lie in;
        // other objects live where their events do.
        let is_of_cluster = scope::is_of_cluster(kind, about.kind, about.namespace, about.event_namespace);
        let namespace = match about.namespace {
            _ if is_of_cluster && (kind.is_some() || about.kind == PERSISTENT_VOLUME) => "",
            "" => about.event_namespace,
            said => said,
        };
        // The kubelet, and the tools that watch a node, write the node's name in place of its uid.
        let by_name = about.uid.is_empty() || (kind == Some(ObjectKind::Node) && about.uid == about.name);
        let uid = (!by_name).then(|| Key::of(about.uid));
        let entry = match uid {
            // An object of the same name is another one: a uid finds itself or nothing.
            Some(uid) => known(index, kind, namespace, about.name, uid),
            None => index
                .by_name(Key::object(about.api_version, about.kind, namespace, about.name))
                .map(|entry| (entry.key(), entry)),
        };
        let is_foreign = !may_report(about.event_namespace, namespace)
            || entry.is_some_and(|(_, entry)| !may_report(about.event_namespace, &entry.namespace));
        // The event may say another namespace than the object's, or none.
        let namespace = entry.map_or(namespace, |(_, entry)| &*entry.namespace);
        let may_be_of_cluster = is_of_cluster && kind.is_none();
        Self { about, kind, namespace, uid, entry, is_foreign, may_be_of_cluster }
    }

    /// Whether it is of a kind that is followed, and was never seen. An audit record of a list names no object.
    pub(super) fn is_unknown(&self, index: &Index) -> bool {
        let is_named = !self.about.name.is_empty() || !self.about.uid.is_empty();
        let is_followed = self.kind.is_some_and(|kind| index.freshness(kind) != Freshness::Refused);
        self.entry.is_none() && is_named && is_followed
    }

    /// How the children of an owner of the cluster call it.
    pub(super) fn reference_key(&self, uid: Key) -> Key {
        Key::object(self.about.api_version, self.about.kind, "", self.about.name).with(uid)
    }

    /// Whether what goes by its name may be taken for it: not when its name has passed to another.
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

/// The object of a uid; for a static pod also by the uid that its kubelet knows it by.
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
