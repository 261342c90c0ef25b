//! What a body is, read as what it is: the one way from bytes to [`Content`].

use bumpalo::Bump;

use super::audit::AuditEvent;
use super::content::Content;
use super::event::KubeEvent;
use super::json;
use super::peek::{Items, Shape, peek};
use super::text::Repair;
use super::violation::Violation;

/// In what a body came, and so what it may be yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    Record,
    /// JSON in a string of a record.
    Text,
    List,
}

/// A body that was looked at.
#[derive(Debug)]
pub enum Understood<'a> {
    Event(KubeEvent<'a>),
    Audit(AuditEvent<'a>),
    Violation(Violation<'a>),
    /// Bodies, one by one.
    List(Items<'a>),
    /// A body that was JSON in a string, as MessagePack.
    Packed(&'a [u8]),
    /// A body in a string that begins as JSON and is none; under which key, and why not.
    Broken {
        key: &'static str,
        why: String,
    },
    Other,
}

/// Looks at a body. What has to be made for it lies in `arena`.
pub fn understand<'a>(body: &'a [u8], within: Within, repair: &Repair, arena: &'a Bump) -> Understood<'a> {
    let read = match peek(body) {
        Ok(Shape::List { items }) if within != Within::List => Some(Understood::List(Items::new(items))),
        Ok(Shape::Text { key, json }) if within == Within::Record => Some(match json::packed(json) {
            Ok(packed) => Understood::Packed(arena.alloc_slice_copy(&packed)),
            Err(why) => Understood::Broken { key, why },
        }),
        Ok(Shape::Event) => KubeEvent::read(body, repair).ok().flatten().map(Understood::Event),
        Ok(Shape::Audit) => AuditEvent::read(body, repair).ok().flatten().map(Understood::Audit),
        Ok(Shape::Violation) => Violation::read(body, repair).ok().flatten().map(Understood::Violation),
        _ => None,
    };
    read.unwrap_or(Understood::Other)
}

/// Calls with each body that a record holds, and with what it says.
pub fn each<'a>(
    body: &'a [u8],
    within: Within,
    arena: &'a Bump,
    then: &mut dyn FnMut(&'a [u8], &Content<'_, 'a>),
) {
    match understand(body, within, &Repair::default(), arena) {
        Understood::Event(event) => then(body, &Content::Event(&event)),
        Understood::Audit(audit) => then(body, &Content::Audit(&audit)),
        Understood::Violation(violation) => then(body, &Content::Violation(&violation)),
        Understood::List(items) => items.for_each(|item| each(item, Within::List, arena, then)),
        Understood::Packed(packed) => each(packed, Within::Text, arena, then),
        Understood::Broken { .. } | Understood::Other => then(body, &Content::Other { taken: None }),
    }
}
