//! A look at a body that was not read as an event: another kind, a list, a wrapper, or something else?
//!
//! A kind is known by keys that only its records have: whatever else has a key of the same name stays as it came, with
//! all its fields.

use super::audit::is_stage;
use super::cursor::{Cursor, DecodeError, Token};
use super::fields::FieldReader;
use super::raw::Raw;
use super::text::Repair;
use super::violation::is_violation;
use super::wrapper;

/// What a body is, as far as a glance tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape<'a> {
    /// It names an object it is about.
    Event,
    /// It has an `auditID`, and says at which stage of which request it was written.
    Audit,
    /// Its type is a violation's, and a key is Gatekeeper's.
    Violation,
    /// An `EventList`, or a `List` of `v1` as `kubectl` makes them; `items` is a whole MessagePack array of bodies.
    List {
        items: &'a [u8],
    },
    /// None of these; a member of it may hold one.
    Wrapper,
    Other,
}

/// What was seen so far; of a key that comes twice the last counts.
#[derive(Default)]
struct Seen<'a> {
    is_about: bool,
    regarding: Option<&'a [u8]>,
    /// A key that only events have.
    is_surely_event: bool,
    /// One that others have as well.
    is_likely_event: bool,
    has_audit_id: bool,
    /// Which of [`REQUEST`] say something.
    of_a_request: [bool; REQUEST.len()],
    is_violation: bool,
    is_gatekeepers: bool,
    /// The event type is a word that only Gatekeeper uses; `group` is then its constraint's.
    is_gatekeepers_word: bool,
    has_group: bool,
    is_event_list: bool,
    is_list: bool,
    api: Api,
    items: Option<&'a [u8]>,
    is_wrapper: bool,
}

/// What an audit record says of its request, one of these at least.
const REQUEST: [&[u8]; 5] =
    [b"stage", b"verb", b"requestURI", b"stageTimestamp", b"requestReceivedTimestamp"];

/// What an `apiVersion` says.
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

/// Looks at the top of a body; everything inside is passed over.
///
/// # Errors
/// When the body is a map that is not whole.
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
            // Even null, nobody else has it.
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
            // Whatever else has items is passed on as it is.
            (b"kind", _) => {
                seen.is_event_list = head == Token::Str(b"EventList");
                seen.is_list = head == Token::Str(b"List");
            }
            (b"apiVersion", _) => seen.api = Api::of(head),
            // Without items nothing would be left of it.
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

/// Whether an item is an event or an audit record: others, as calendars, call their lists `EventList` as well.
fn holds_events(items: &[u8]) -> bool {
    Items::new(items).any(|item| {
        // A list in a list is none.
        let is_list = Raw::new(item).get("items").is_some();
        !is_list && matches!(shape_of(item), Ok(Shape::Event | Shape::Audit))
    })
}

/// Whether an object has a kind or a name, which the objects of other documents lack.
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

/// The keys that only Gatekeeper's violations have: they describe the constraint and the resource, in exported records
/// and in its log.
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

/// The bodies inside a list, with their offsets in it.
#[derive(Debug)]
pub struct Items<'a> {
    cursor: Cursor<'a>,
    left: u32,
}

impl<'a> Items<'a> {
    /// `items` is a whole array, as [`Shape::List`] holds it.
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
