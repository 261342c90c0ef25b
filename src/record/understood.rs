//! What a body is, read as what it is: the one way from bytes to [`Content`].
//!
//! A record of a known kind may come in a wrapper, and that in another one: as a member of a map, as an item of a list,
//! or as JSON in a text. It is taken out of them; what they say themselves is left behind. So a wrapper is opened only
//! for a known kind: otherwise what stands beside it would be lost for nothing.

use bumpalo::Bump;

use super::audit::AuditEvent;
use super::content::Content;
use super::cursor::{Cursor, Token};
use super::event::KubeEvent;
use super::json;
use super::peek::{Items, Shape, peek};
use super::text::Repair;
use super::violation::Violation;
use super::wrapper::{self, Member, Row};
use crate::kind::Kind;

/// So many wrappers are opened, one in the other: Kafka's payload with a row of an Event Hub that holds a line of a
/// container's log makes five.
const MOST_WRAPPERS: u8 = 6;

/// In what a body came, and so what it may be yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    Record,
    Wrapper(Left),
    /// As an item of a list of Kubernetes it is what it says itself, and nothing inside it is looked for.
    List,
}

/// What may still be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    wrappers: u8,
    /// Whether a list may be opened. Each list is searched for a known kind before its items are read, so nested lists
    /// would be searched repeatedly.
    rows: bool,
}

impl Within {
    fn left(self) -> Option<Left> {
        match self {
            Self::Record => Some(Left { wrappers: MOST_WRAPPERS, rows: true }),
            Self::Wrapper(left) => Some(left),
            Self::List => None,
        }
    }
}

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
    /// A body in a string that begins as JSON and is none; under which key, and why not.
    Broken {
        key: &'static str,
        why: String,
    },
    Other,
}

impl Understood<'_> {
    fn is_known(&self) -> bool {
        matches!(self, Self::Event(_) | Self::Audit(_) | Self::Violation(_) | Self::List { .. })
    }
}

/// Looks at a body. What has to be made for it lies in `arena`.
pub fn understand<'a>(body: &'a [u8], within: Within, repair: &Repair, arena: &'a Bump) -> Looked<'a> {
    let is = match (peek(body), within.left()) {
        (Ok(Shape::List { items }), Some(_)) => {
            let is_wrapped = within != Within::Record;
            let items = || Items::new(items);
            // A list in a wrapper is taken out only for a known kind, like a record.
            let is_one = !is_wrapped
                || items()
                    .any(|item| matches!(peek(item), Ok(Shape::Event | Shape::Audit | Shape::Violation)));
            is_one.then(|| Understood::List { items: items(), within: Within::List })
        }
        (Ok(Shape::Wrapper), Some(left)) => match unwrap(body, left, repair, arena) {
            Some(Looked { is, .. }) if !is.is_known() => Some(is),
            Some(found) => return found,
            None => None,
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

/// What a wrapper holds: a known kind; broken JSON; or nothing of it.
fn unwrap<'a>(body: &'a [u8], left: Left, repair: &Repair, arena: &'a Bump) -> Option<Looked<'a>> {
    let mut broken = None;
    for member in wrapper::members(body) {
        match open(member, left, repair, arena) {
            Some(found) if found.is.is_known() => return Some(found),
            Some(found) => drop(broken.get_or_insert(found)),
            None => {}
        }
    }
    broken
}

/// What a member of a wrapper holds.
fn open<'a>(member: Member<'a>, left: Left, repair: &Repair, arena: &'a Bump) -> Option<Looked<'a>> {
    let left = Left { wrappers: left.wrappers.checked_sub(1)?, ..left };
    let Member { name, value, row } = member;
    let text = match Cursor::new(value).token().ok()? {
        Token::Map(_) => {
            let found = understand(value, Within::Wrapper(left), repair, arena);
            return (!matches!(found.is, Understood::Other)).then_some(found);
        }
        Token::Array(_) => return rows(value, row, left),
        Token::Str(text) | Token::Bin(text) => wrapper::json_in(text)?,
        _ => return None,
    };
    if text.starts_with(b"\"") {
        let text: String = serde_json::from_slice(text).ok()?;
        let mut value = Vec::with_capacity(text.len() + 5);
        // A Vec takes everything.
        let _ = rmp::encode::write_str(&mut value, &text);
        return open(Member { value: arena.alloc_slice_copy(&value), ..member }, left, repair, arena);
    }
    match json::packed(text) {
        Ok(packed) if matches!(peek(&packed), Ok(Shape::Other)) && !text.starts_with(b"[") => None,
        // The text is a map or a list now: it is opened once more, as the same wrapper.
        Ok(packed) => {
            let left = Left { wrappers: left.wrappers + 1, ..left };
            open(Member { value: arena.alloc_slice_copy(&packed), ..member }, left, repair, arena)
        }
        Err(why) if text.starts_with(b"{") => {
            Some(Looked { body: value, is: Understood::Broken { key: name, why } })
        }
        Err(_) => None,
    }
}

/// A list of wrappers, if each is a map and one at least holds a known kind.
fn rows<'a>(list: &'a [u8], row: Row, left: Left) -> Option<Looked<'a>> {
    if !left.rows {
        return None;
    }
    let within = Within::Wrapper(Left { rows: false, ..left });
    let items = || Items::new(list);
    let is_map = |item: &[u8]| matches!(Cursor::new(item).token(), Ok(Token::Map(_)));
    let mut arena = Bump::new();
    let mut holds_one = |item: &[u8]| {
        arena.reset();
        row.takes(item) && understand(item, within, &Repair::default(), &arena).is.is_known()
    };
    let is_one = items().all(is_map) && items().any(&mut holds_one);
    is_one.then(|| Looked { body: list, is: Understood::List { items: items(), within } })
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
        Understood::Broken { .. } | Understood::Other => then(body, &Content::Other),
    }
}
