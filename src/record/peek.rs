//! A look at a body that was not read as an event: a list of events, or something else?

use super::cursor::{Cursor, Fault, Token};

/// What a body is, as far as a glance tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape<'a> {
    /// It names an object it is about.
    Event,
    /// `items` is a whole MessagePack array of bodies.
    List {
        items: &'a [u8],
    },
    Other,
}

/// Looks at the top of a body; everything inside is passed over.
///
/// # Errors
/// When the body is a map that is not whole.
pub fn peek(body: &[u8]) -> Result<Shape<'_>, Fault> {
    let mut cursor = Cursor::new(body);
    let mut is_event = false;
    let mut items = None;
    let Token::Map(len) = cursor.token()? else { return Ok(Shape::Other) };
    for _ in 0..len {
        match cursor.token()? {
            Token::Str(b"involvedObject" | b"regarding") => {
                is_event |= matches!(cursor.clone().token()?, Token::Map(_));
                cursor.skip()?;
            }
            Token::Str(b"items") => {
                let is_array = matches!(cursor.clone().token()?, Token::Array(_));
                let value = cursor.value()?;
                items = is_array.then_some(value);
            }
            other => {
                cursor.skip_children(other)?;
                cursor.skip()?;
            }
        }
    }
    Ok(match items {
        _ if is_event => Shape::Event,
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
