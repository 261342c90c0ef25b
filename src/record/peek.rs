//! A look at a body that was not read as an event: another kind, a list, a text, or something else?

use super::cursor::{Cursor, Fault, Token};
use super::violation::is_violation;

/// What a body is, as far as a glance tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape<'a> {
    /// It names an object it is about.
    Event,
    /// It has an `auditID` and a `stage`.
    Audit,
    /// Its type is a violation's.
    Violation,
    /// An `EventList`, or a `List` of `v1` as `kubectl` makes them; `items` is a whole MessagePack array of bodies.
    List {
        items: &'a [u8],
    },
    /// Texts that may be the body as JSON, each under the key that it stood under.
    Texts([Option<Text<'a>>; 2]),
    Other,
}

/// A text that begins as an object does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    pub key: &'static str,
    pub json: &'a [u8],
}

/// What was seen so far; of a key that comes twice the last counts.
#[derive(Default)]
struct Seen<'a> {
    has_object: bool,
    has_audit_id: bool,
    has_stage: bool,
    is_violation: bool,
    is_event_list: bool,
    is_list: bool,
    is_v1: bool,
    items: Option<&'a [u8]>,
    texts: [Option<Text<'a>>; 2],
}

/// Looks at the top of a body; everything inside is passed over.
///
/// # Errors
/// When the body is a map that is not whole.
pub fn peek(body: &[u8]) -> Result<Shape<'_>, Fault> {
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
            // Of the two names one may be there as null.
            (b"involvedObject" | b"regarding", _) => seen.has_object |= matches!(head, Token::Map(_)),
            (b"auditID", _) => seen.has_audit_id = is_said(head),
            (b"stage", _) => seen.has_stage = is_said(head),
            (b"eventType" | b"event_type", _) => {
                seen.is_violation = matches!(head, Token::Str(text) if is_violation(text));
            }
            // Whatever else has items is passed on as it is.
            (b"kind", _) => {
                seen.is_event_list = head == Token::Str(b"EventList");
                seen.is_list = head == Token::Str(b"List");
            }
            (b"apiVersion", _) => seen.is_v1 = head == Token::Str(b"v1"),
            (b"items", Token::Array(_)) => seen.items = Some(start.up_to(&cursor)),
            (b"items", _) => seen.items = None,
            (b"log", Token::Str(text)) => seen.texts[0] = json_in("log", text),
            (b"message", Token::Str(text)) => seen.texts[1] = json_in("message", text),
            _ => {}
        }
    }
    Ok(match seen {
        Seen { has_object: true, .. } => Shape::Event,
        Seen { has_audit_id: true, has_stage: true, .. } => Shape::Audit,
        Seen { is_violation: true, .. } => Shape::Violation,
        Seen { is_event_list: true, items: Some(items), .. }
        | Seen { is_list: true, is_v1: true, items: Some(items), .. } => Shape::List { items },
        Seen { texts: [None, None], .. } => Shape::Other,
        Seen { texts, .. } => Shape::Texts(texts),
    })
}

fn is_said(head: Token<'_>) -> bool {
    matches!(head, Token::Str(text) if !text.is_empty())
}

fn json_in<'a>(key: &'static str, text: &'a [u8]) -> Option<Text<'a>> {
    let json = text.trim_ascii();
    json.starts_with(b"{").then_some(Text { key, json })
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
