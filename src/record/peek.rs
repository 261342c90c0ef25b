//! A look at the few fields that decide whether a record is ours, before anything else is read.

use super::cursor::{Cursor, Fault, Token};

/// What a body is, as far as a glance tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape<'a> {
    Event(Peek<'a>),
    /// A list: `items` is a whole MessagePack array of bodies.
    List {
        items: &'a [u8],
    },
    Other,
}

/// Bytes that should be UTF-8; empty when absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Peek<'a> {
    /// `involvedObject.namespace` (`regarding.namespace`), else `metadata.namespace`.
    pub namespace: &'a [u8],
    pub event_type: &'a [u8],
    pub reason: &'a [u8],
}

/// Looks at the top of a body and at the two namespaces; everything else is passed over.
///
/// # Errors
/// When the body is no MessagePack map.
pub fn peek(body: &[u8]) -> Result<Shape<'_>, Fault> {
    let mut cursor = Cursor::new(body);
    let mut peek = Peek::default();
    let mut own_namespace: &[u8] = b"";
    let mut is_event = false;
    let mut items = None;
    let Token::Map(len) = cursor.token()? else { return Ok(Shape::Other) };
    for _ in 0..len {
        match cursor.token()? {
            Token::Str(b"involvedObject" | b"regarding") => {
                let mut ahead = cursor;
                is_event |= matches!(ahead.token()?, Token::Map(_));
                peek.namespace = namespace_in(&mut cursor)?;
            }
            Token::Str(b"metadata") => own_namespace = namespace_in(&mut cursor)?,
            Token::Str(b"type") => peek.event_type = text(&mut cursor)?,
            Token::Str(b"reason") => peek.reason = text(&mut cursor)?,
            Token::Str(b"items") => {
                let mut ahead = cursor;
                let is_array = matches!(ahead.token()?, Token::Array(_));
                let value = cursor.value()?;
                items = is_array.then_some(value);
            }
            other => {
                cursor.skip_children(other)?;
                cursor.skip()?;
            }
        }
    }
    if peek.namespace.is_empty() {
        peek.namespace = own_namespace;
    }
    Ok(match items {
        _ if is_event => Shape::Event(peek),
        Some(items) => Shape::List { items },
        None => Shape::Other,
    })
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

fn text<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Fault> {
    match cursor.token()? {
        Token::Str(bytes) | Token::Bin(bytes) => Ok(bytes),
        other => {
            cursor.skip_children(other)?;
            Ok(b"")
        }
    }
}

fn namespace_in<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Fault> {
    let mut namespace: &[u8] = b"";
    match cursor.token()? {
        Token::Map(len) => {
            for _ in 0..len {
                match cursor.token()? {
                    Token::Str(b"namespace") => namespace = text(cursor)?,
                    other => {
                        cursor.skip_children(other)?;
                        cursor.skip()?;
                    }
                }
            }
        }
        other => cursor.skip_children(other)?,
    }
    Ok(namespace)
}
