//! Classifies a body and reads it as its kind: the one way from bytes to [`Content`].
//!
//! A record of a known kind may be in a wrapper, and that in another one: as a value in a map, as an item of
//! a list, or as JSON in a string. It is extracted, and the other fields of the wrapper are dropped. So a
//! wrapper is opened only for a known kind; otherwise its other fields would be lost for nothing.

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

/// A body and its class.
#[derive(Debug)]
pub struct ClassifiedBody<'a> {
    /// The given body, or the one found in its wrapper.
    pub body: &'a [u8],
    /// The body as its kind, or what to do with the bodies in it.
    pub class: BodyClass<'a>,
}

/// The class of a body.
#[derive(Debug)]
pub enum BodyClass<'a> {
    /// An event of either API group.
    Event(KubeEvent<'a>),
    /// One stage of a request, from the API server's audit log.
    Audit(AuditEvent<'a>),
    /// A violation of a Gatekeeper constraint.
    Violation(Violation<'a>),
    /// Several bodies, to be classified one by one.
    List {
        /// Yields the body of each item.
        items: Items<'a>,
        /// What the items may be.
        within: Within,
    },
    /// A wrapper with more than one body.
    Several(Vec<WrappedBody<'a>>),
    /// A string under this key begins like JSON but is not valid, and why.
    InvalidJson {
        /// One of the keys under which wrappers have text, such as `log`.
        key: &'static str,
        /// The error of the JSON reader, with its position.
        why: String,
    },
    /// None of these, also if its wrappers nest too deep. It stays as it came.
    Other,
}

/// Classifies a body. Bodies that have to be built are allocated in `arena`.
pub fn classify<'a>(body: &'a [u8], within: Within, repair: &Repair, arena: &'a Bump) -> ClassifiedBody<'a> {
    let class = match (shape_of(body), within.left()) {
        // A list in a wrapper is extracted only if it contains a known kind.
        (Ok(Shape::List { items }), Some(_)) => (within == Within::Record
            || wrapper_search::is_of_known(items))
        .then(|| BodyClass::List { items: Items::new(items), within: Within::List }),
        (Ok(Shape::Wrapper), Some(left)) => match WrapperSearch::of(body, left, arena) {
            WrapperSearch { found, .. } if found.len() > 1 => Some(BodyClass::Several(found)),
            WrapperSearch { found, invalid, .. } => match found.first() {
                Some(part) => return classify(part.body, part.within, repair, arena),
                None => invalid.map(|(key, why)| BodyClass::InvalidJson { key, why }),
            },
        },
        (Ok(Shape::Event), _) => KubeEvent::read(body, repair).ok().flatten().map(BodyClass::Event),
        (Ok(Shape::Audit), _) => AuditEvent::read(body, repair).ok().flatten().map(BodyClass::Audit),
        (Ok(Shape::Violation), _) => read_as(Kind::Violation, body, repair),
        _ => None,
    };
    ClassifiedBody { body, class: class.unwrap_or(BodyClass::Other) }
}

/// Reads a body of a known kind, even if it no longer has the keys by which it was recognised.
pub fn read_as<'a>(kind: Kind, body: &'a [u8], repair: &Repair) -> Option<BodyClass<'a>> {
    match kind {
        Kind::Event => KubeEvent::read_known(body, repair).ok().flatten().map(BodyClass::Event),
        Kind::Audit => AuditEvent::read_known(body, repair).ok().flatten().map(BodyClass::Audit),
        Kind::Violation => Violation::read(body, repair).ok().flatten().map(BodyClass::Violation),
        Kind::Other => (!body.is_empty()).then_some(BodyClass::Other),
    }
}

/// Calls `then` with each body of a record and its content.
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
        BodyClass::InvalidJson { .. } | BodyClass::Other => then(body, &Content::Other),
    }
}
