//! Recognises what a body is, if it was not read as an event: another kind, a list, a wrapper, or something
//! else.
//!
//! A kind is recognised by keys that only its records have. Other records with one of these keys stay as they
//! came.

use super::audit::is_stage;
use super::cursor::{Cursor, DecodeError, Token};
use super::fields::FieldReader;
use super::raw::Raw;
use super::text::Repair;
use super::violation::is_violation;
use super::wrapper;

/// The class of a body, decided by its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape<'a> {
    /// It has an object that it is about.
    Event,
    /// It has an `auditID` and names the stage or the request.
    Audit,
    /// Its type is that of a violation, and it has one of Gatekeeper's keys.
    Violation,
    /// An `EventList`, or a `v1` `List` as `kubectl` prints them; `items` is a whole MessagePack array.
    List {
        /// The value of its field `items`.
        items: &'a [u8],
    },
    /// None of these, but one of its values may contain a record.
    Wrapper,
    /// None of these; it stays as it came.
    Other,
}

/// The keys found so far. If a key occurs twice, the last one counts.
#[derive(Default)]
struct Seen<'a> {
    is_about: bool,
    regarding: Option<&'a [u8]>,
    /// It has a key that only events have.
    is_surely_event: bool,
    /// It has a key that events and other documents have.
    is_likely_event: bool,
    has_audit_id: bool,
    /// Which keys of [`REQUEST`] have a value.
    of_a_request: [bool; REQUEST.len()],
    is_violation: bool,
    is_gatekeepers: bool,
    /// The event type is one that only Gatekeeper uses; `group` is then the constraint's.
    is_gatekeepers_word: bool,
    has_group: bool,
    is_event_list: bool,
    is_list: bool,
    api: Api,
    items: Option<&'a [u8]>,
    is_wrapper: bool,
}

/// Keys about the request; an audit record has at least one.
const REQUEST: [&[u8]; 5] =
    [b"stage", b"verb", b"requestURI", b"stageTimestamp", b"requestReceivedTimestamp"];

/// The API group in an `apiVersion`.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Api {
    #[default]
    Unsaid,
    V1,
    Events,
    Audit,
}

impl Api {
    fn of(head: Token<'_>) -> Self {
        match head {
            Token::Str(b"v1") => Self::V1,
            Token::Str(text) if text.starts_with(b"events.k8s.io/") => Self::Events,
            Token::Str(text) if text.starts_with(b"audit.k8s.io/") => Self::Audit,
            _ => Self::Unsaid,
        }
    }
}

/// Looks at the top level of a body and skips everything below.
///
/// # Errors
/// When the body is an incomplete map.
pub fn shape_of(body: &[u8]) -> Result<Shape<'_>, DecodeError> {
    let mut cursor = Cursor::new(body);
    let mut seen = Seen::default();
    let Token::Map(len) = cursor.token()? else { return Ok(Shape::Other) };
    for _ in 0..len {
        let key = cursor.token()?;
        cursor.skip_children(key)?;
        let start = cursor;
        let head = cursor.token()?;
        cursor.skip_children(head)?;
        let Token::Str(key) = key else { continue };
        match (key, head) {
            // Only events have this key, even if it is null.
            (b"involvedObject", _) => {
                seen.is_about = matches!(head, Token::Map(_));
                seen.is_surely_event = true;
            }
            (b"regarding", Token::Map(_)) => seen.regarding = Some(start.up_to(&cursor)),
            (b"regarding", _) => seen.regarding = None,
            (b"note" | b"eventTime", _) => seen.is_likely_event = true,
            (
                b"reportingController"
                | b"deprecatedSource"
                | b"deprecatedCount"
                | b"deprecatedFirstTimestamp"
                | b"deprecatedLastTimestamp",
                _,
            ) => seen.is_surely_event = true,
            (b"auditID", _) => seen.has_audit_id = is_said(head),
            (b"stage", _) => {
                seen.of_a_request[0] = matches!(head, Token::Str(stage) if is_stage(stage));
            }
            (b"verb" | b"requestURI" | b"stageTimestamp" | b"requestReceivedTimestamp", _) => {
                if let Some(place) = REQUEST.iter().position(|name| *name == key) {
                    seen.of_a_request[place] = is_said(head);
                }
            }
            (b"eventType" | b"event_type", _) => {
                seen.is_violation = matches!(head, Token::Str(text) if is_violation(text));
                seen.is_gatekeepers_word = head != Token::Str(b"violation");
            }
            // Other documents with items are passed on as they are.
            (b"kind", _) => {
                seen.is_event_list = head == Token::Str(b"EventList");
                seen.is_list = head == Token::Str(b"List");
            }
            (b"apiVersion", _) => seen.api = Api::of(head),
            // A list without items is passed on as it is.
            (b"items", Token::Array(1..)) => seen.items = Some(start.up_to(&cursor)),
            (b"items", _) => seen.items = None,
            (b"group", _) => seen.has_group = is_said(head),
            _ if is_gatekeepers(key) => seen.is_gatekeepers = true,
            _ => seen.is_wrapper |= wrapper::may_hold(key, head),
        }
    }
    Ok(seen.shape())
}

impl<'a> Seen<'a> {
    fn shape(self) -> Shape<'a> {
        let is_event = |regarding| {
            self.is_surely_event
                || self.api == Api::Events
                || (self.is_likely_event && names_an_object(regarding))
        };
        match self {
            Self { is_about: true, .. } => Shape::Event,
            Self { regarding: Some(object), .. } if is_event(object) => Shape::Event,
            Self { has_audit_id: true, of_a_request, .. } if of_a_request.contains(&true) => Shape::Audit,
            Self { is_violation: true, is_gatekeepers: true, .. }
            | Self { is_violation: true, is_gatekeepers_word: true, has_group: true, .. } => Shape::Violation,
            Self { is_event_list: true, items: Some(items), .. }
                if self.api != Api::Unsaid || holds_events(items) =>
            {
                Shape::List { items }
            }
            Self { is_list: true, api: Api::V1, items: Some(items), .. } => Shape::List { items },
            Self { is_wrapper: true, .. } => Shape::Wrapper,
            _ => Shape::Other,
        }
    }
}

/// Whether an item is an event or an audit record. Others, such as calendars, call their lists `EventList`
/// too.
fn holds_events(items: &[u8]) -> bool {
    Items::new(items).any(|item| {
        // A list inside a list does not count.
        let is_list = Raw::new(item).get("items").is_some();
        !is_list && matches!(shape_of(item), Ok(Shape::Event | Shape::Audit))
    })
}

/// Whether an object has a kind or a name, unlike the objects in other documents.
fn names_an_object(object: &[u8]) -> bool {
    let (mut has_kind, mut has_name) = (false, false);
    let reader = FieldReader { repair: &Repair::default() };
    let read = reader.fields(&mut Cursor::new(object), |key, value| {
        let head = value.token()?;
        value.skip_children(head)?;
        let is_said = matches!(head, Token::Str(text) | Token::Bin(text) if !text.is_empty());
        match key {
            b"kind" => has_kind = is_said,
            b"name" => has_name = is_said,
            _ => {}
        }
        Ok(())
    });
    read.is_ok() && (has_kind || has_name)
}

fn is_said(head: Token<'_>) -> bool {
    matches!(head, Token::Str(text) if !text.is_empty())
}

/// The keys that only Gatekeeper's violations have. They describe the constraint and the object, in exports
/// and in the log.
fn is_gatekeepers(key: &[u8]) -> bool {
    const CONSTRAINT: [&[u8]; 9] = [
        b"Annotations",
        b"_group",
        b"_api_version",
        b"_kind",
        b"_namespace",
        b"_name",
        b"_annotations",
        b"_action",
        b"_enforcement_actions",
    ];
    const RESOURCE: [&[u8]; 12] = [
        b"Group",
        b"APIVersion",
        b"Kind",
        b"Namespace",
        b"Name",
        b"Labels",
        b"_group",
        b"_api_version",
        b"_kind",
        b"_namespace",
        b"_name",
        b"_labels",
    ];
    let is_one =
        |prefix: &[u8], of: &[&[u8]]| key.strip_prefix(prefix).is_some_and(|rest| of.contains(&rest));
    is_one(b"constraint", &CONSTRAINT) || is_one(b"resource", &RESOURCE)
}

/// The bodies in a list.
#[derive(Debug)]
pub struct Items<'a> {
    cursor: Cursor<'a>,
    left: u32,
}

impl<'a> Items<'a> {
    /// `items` is a whole array, as in [`Shape::List`].
    #[must_use]
    pub fn new(items: &'a [u8]) -> Self {
        let mut cursor = Cursor::new(items);
        let left = if let Ok(Token::Array(len)) = cursor.token() { len } else { 0 };
        Self { cursor, left }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        self.cursor.value().ok()
    }
}
