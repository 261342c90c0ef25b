//! What an event is about, as far as a world knows it.

use event_gateway::topology::kind::ObjectKind;

use super::{Model, Thing};
use crate::oracle::world::About;

pub(super) struct Subject<'m> {
    pub(super) about: &'m About,
    /// One of those that are watched.
    pub(super) kind: Option<ObjectKind>,
    pub(super) namespace: &'m str,
    pub(super) thing: Option<&'m Thing>,
    /// Nothing else bears its name by now.
    pub(super) has_its_name: bool,
    /// The event tells no uid by which it could be found.
    pub(super) by_name: bool,
}

impl Model {
    pub(super) fn subject<'m>(&'m self, about: &'m About) -> Subject<'m> {
        let is_foreign = about.api_version.starts_with("serving");
        let kind = ObjectKind::of(None, &about.kind).filter(|_| !is_foreign);
        let namespace = match (kind, &*about.namespace) {
            (Some(ObjectKind::Node), _) => "",
            (_, "") => "default",
            (_, namespace) => namespace,
        };
        let by_name = about.uid.is_empty() || about.uid == about.name && kind == Some(ObjectKind::Node);
        let thing = match kind {
            Some(kind) if by_name => self.by_name(kind, namespace, &about.name),
            Some(kind) => self.by_uid(&about.uid).filter(|thing| thing.kind == kind),
            None => None,
        };
        let namesake = kind.and_then(|kind| self.by_name(kind, namespace, &about.name));
        let has_its_name = match thing {
            Some(thing) => namesake.is_none_or(|named| named.uid() == thing.uid()),
            None => by_name || namesake.is_none(),
        };
        Subject { about, kind, namespace, thing, has_its_name, by_name }
    }
}
