//! What a body is, read as what it is: the one way from bytes to [`Content`].

use bumpalo::Bump;

use super::audit::AuditEvent;
use super::content::Content;
use super::event::KubeEvent;
use super::json;
use super::peek::{Items, Shape, Text, peek};
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
pub struct Looked<'a> {
    /// The one that was given, or what was found in it as a text.
    pub body: &'a [u8],
    pub is: Understood<'a>,
}

/// What a body is.
#[derive(Debug)]
pub enum Understood<'a> {
    Event(KubeEvent<'a>),
    Audit(AuditEvent<'a>),
    Violation(Violation<'a>),
    /// Bodies, one by one.
    List(Items<'a>),
    /// A body in a string that begins as JSON and is none; under which key, and why not.
    Broken {
        key: &'static str,
        why: String,
    },
    Other,
}

/// Looks at a body. What has to be made for it lies in `arena`.
///
/// JSON in a text is taken out of its record only when it is something that is known: else what stood beside it
/// would be lost for nothing.
pub fn understand<'a>(body: &'a [u8], within: Within, repair: &Repair, arena: &'a Bump) -> Looked<'a> {
    let read = match peek(body) {
        Ok(Shape::List { items }) if within != Within::List => Some(Understood::List(Items::new(items))),
        Ok(Shape::Texts(texts)) if within == Within::Record => {
            let mut broken = None;
            for Text { key, json } in texts.into_iter().flatten() {
                match json::packed(json) {
                    Ok(packed) => {
                        let inside = understand(arena.alloc_slice_copy(&packed), Within::Text, repair, arena);
                        if !matches!(inside.is, Understood::Other) {
                            return inside;
                        }
                    }
                    Err(why) => drop(broken.get_or_insert(Understood::Broken { key, why })),
                }
            }
            broken
        }
        Ok(Shape::Event) => KubeEvent::read(body, repair).ok().flatten().map(Understood::Event),
        Ok(Shape::Audit) => AuditEvent::read(body, repair).ok().flatten().map(Understood::Audit),
        Ok(Shape::Violation) => Violation::read(body, repair).ok().flatten().map(Understood::Violation),
        _ => None,
    };
    Looked { body, is: read.unwrap_or(Understood::Other) }
}

/// Calls with each body that a record holds, and with what it says.
pub fn each<'a>(
    body: &'a [u8],
    within: Within,
    arena: &'a Bump,
    then: &mut dyn FnMut(&'a [u8], &Content<'_, 'a>),
) {
    let Looked { body, is } = understand(body, within, &Repair::default(), arena);
    match is {
        Understood::Event(event) => then(body, &Content::Event(&event)),
        Understood::Audit(audit) => then(body, &Content::Audit(&audit)),
        Understood::Violation(violation) => then(body, &Content::Violation(&violation)),
        Understood::List(items) => items.for_each(|item| each(item, Within::List, arena, then)),
        Understood::Broken { .. } | Understood::Other => then(body, &Content::Other),
    }
}
