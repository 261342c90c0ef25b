//! What a body is, read as what it is: the one way from bytes to [`Content`].
//!
//! A record of a known kind may come in a wrapper, and that in another one: as a member of a map, as an item of a list,
//! or as JSON in a text. It is taken out of them; what they say themselves is left behind. So a wrapper is opened only
//! for a known kind: otherwise what stands beside it would be lost for nothing.

use bumpalo::Bump;

use super::audit::AuditEvent;
use super::content::Content;
use super::event::KubeEvent;
use super::peek::{Items, Shape, peek};
pub use super::search::Within;
use super::search::{self, Part, Search};
use super::text::Repair;
use super::violation::Violation;
use crate::kind::Kind;

/// A body that was looked at.
#[derive(Debug)]
pub struct Looked<'a> {
    /// The one that was given, or what was found in it.
    pub body: &'a [u8],
    pub is: Understood<'a>,
}

/// What a body is.
#[derive(Debug)]
pub enum Understood<'a> {
    Event(KubeEvent<'a>),
    Audit(AuditEvent<'a>),
    Violation(Violation<'a>),
    /// Bodies, to be looked at one by one.
    List {
        items: Items<'a>,
        within: Within,
    },
    /// What a wrapper holds, if that is more than one body.
    Several(Vec<Part<'a>>),
    /// A body in a string that begins as JSON and is none; under which key, and why not.
    Broken {
        key: &'static str,
        why: String,
    },
    Other,
}

/// Looks at a body. What has to be made for it lies in `arena`.
pub fn understand<'a>(body: &'a [u8], within: Within, repair: &Repair, arena: &'a Bump) -> Looked<'a> {
    let is = match (peek(body), within.left()) {
        // A list in a wrapper is taken out only for a known kind, like a record.
        (Ok(Shape::List { items }), Some(_)) => (within == Within::Record || search::is_of_known(items))
            .then(|| Understood::List { items: Items::new(items), within: Within::List }),
        (Ok(Shape::Wrapper), Some(left)) => match Search::of(body, left, arena) {
            Search { found, .. } if found.len() > 1 => Some(Understood::Several(found)),
            Search { found, broken, .. } => match found.first() {
                Some(part) => return understand(part.body, part.within, repair, arena),
                None => broken.map(|(key, why)| Understood::Broken { key, why }),
            },
        },
        (Ok(Shape::Event), _) => KubeEvent::read(body, repair).ok().flatten().map(Understood::Event),
        (Ok(Shape::Audit), _) => AuditEvent::read(body, repair).ok().flatten().map(Understood::Audit),
        (Ok(Shape::Violation), _) => read_as(Kind::Violation, body, repair),
        _ => None,
    };
    Looked { body, is: is.unwrap_or(Understood::Other) }
}

/// Reads a body whose kind was found out before, even if by now it lacks what it was known by.
pub fn read_as<'a>(kind: Kind, body: &'a [u8], repair: &Repair) -> Option<Understood<'a>> {
    match kind {
        Kind::Event => KubeEvent::read_known(body, repair).ok().flatten().map(Understood::Event),
        Kind::Audit => AuditEvent::read_known(body, repair).ok().flatten().map(Understood::Audit),
        Kind::Violation => Violation::read(body, repair).ok().flatten().map(Understood::Violation),
        Kind::Other => (!body.is_empty()).then_some(Understood::Other),
    }
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
        Understood::List { items, within } => items.for_each(|item| each(item, within, arena, then)),
        Understood::Several(parts) => {
            parts.into_iter().for_each(|Part { body, within }| each(body, within, arena, then));
        }
        Understood::Broken { .. } | Understood::Other => then(body, &Content::Other),
    }
}
