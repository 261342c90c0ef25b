//! What a body is, read as what it is: the one way from bytes to [`Content`].
//!
//! A record of a known kind may come in a wrapper, and that in another one: as a member of a map, as an item of a list,
//! or as JSON in a text. It is taken out of them; what they say themselves is left behind. So a wrapper is opened only
//! for a known kind: otherwise what stands beside it would be lost for nothing.

use bumpalo::Bump;

use super::audit::AuditEvent;
use super::content::Content;
use super::event::KubeEvent;
use super::shape::{Items, Shape, shape_of};
use super::text::Repair;
use super::violation::Violation;
pub use super::wrapper_search::Within;
use super::wrapper_search::{self, WrappedBody, WrapperSearch};
use crate::kind::Kind;

/// A body that was looked at.
#[derive(Debug)]
pub struct ClassifiedBody<'a> {
    /// The one that was given, or what was found in it.
    pub body: &'a [u8],
    pub class: BodyClass<'a>,
}

/// What a body is.
#[derive(Debug)]
pub enum BodyClass<'a> {
    Event(KubeEvent<'a>),
    Audit(AuditEvent<'a>),
    Violation(Violation<'a>),
    /// Bodies, to be looked at one by one.
    List {
        items: Items<'a>,
        within: Within,
    },
    /// What a wrapper holds, if that is more than one body.
    Several(Vec<WrappedBody<'a>>),
    /// A body in a string that begins as JSON and is none; under which key, and why not.
    Broken {
        key: &'static str,
        why: String,
    },
    Other,
}

/// Looks at a body. What has to be made for it lies in `arena`.
pub fn classify<'a>(body: &'a [u8], within: Within, repair: &Repair, arena: &'a Bump) -> ClassifiedBody<'a> {
    let class = match (shape_of(body), within.left()) {
        // A list in a wrapper is taken out only for a known kind, like a record.
        (Ok(Shape::List { items }), Some(_)) => (within == Within::Record
            || wrapper_search::is_of_known(items))
        .then(|| BodyClass::List { items: Items::new(items), within: Within::List }),
        (Ok(Shape::Wrapper), Some(left)) => match WrapperSearch::of(body, left, arena) {
            WrapperSearch { found, .. } if found.len() > 1 => Some(BodyClass::Several(found)),
            WrapperSearch { found, broken, .. } => match found.first() {
                Some(part) => return classify(part.body, part.within, repair, arena),
                None => broken.map(|(key, why)| BodyClass::Broken { key, why }),
            },
        },
        (Ok(Shape::Event), _) => KubeEvent::read(body, repair).ok().flatten().map(BodyClass::Event),
        (Ok(Shape::Audit), _) => AuditEvent::read(body, repair).ok().flatten().map(BodyClass::Audit),
        (Ok(Shape::Violation), _) => read_as(Kind::Violation, body, repair),
        _ => None,
    };
    ClassifiedBody { body, class: class.unwrap_or(BodyClass::Other) }
}

/// Reads a body whose kind was found out before, even if by now it lacks what it was known by.
pub fn read_as<'a>(kind: Kind, body: &'a [u8], repair: &Repair) -> Option<BodyClass<'a>> {
    match kind {
        Kind::Event => KubeEvent::read_known(body, repair).ok().flatten().map(BodyClass::Event),
        Kind::Audit => AuditEvent::read_known(body, repair).ok().flatten().map(BodyClass::Audit),
        Kind::Violation => Violation::read(body, repair).ok().flatten().map(BodyClass::Violation),
        Kind::Other => (!body.is_empty()).then_some(BodyClass::Other),
    }
}

/// Calls with each body that a record holds, and with what it says.
pub fn each<'a>(
    body: &'a [u8],
    within: Within,
    arena: &'a Bump,
    then: &mut dyn FnMut(&'a [u8], &Content<'_, 'a>),
) {
    let ClassifiedBody { body, class } = classify(body, within, &Repair::default(), arena);
    match class {
        BodyClass::Event(event) => then(body, &Content::Event(&event)),
        BodyClass::Audit(audit) => then(body, &Content::Audit(&audit)),
        BodyClass::Violation(violation) => then(body, &Content::Violation(&violation)),
        BodyClass::List { items, within } => items.for_each(|item| each(item, within, arena, then)),
        BodyClass::Several(parts) => {
            parts.into_iter().for_each(|WrappedBody { body, within }| each(body, within, arena, then));
        }
        BodyClass::Broken { .. } | BodyClass::Other => then(body, &Content::Other),
    }
}
