//! Strings of records: borrowed when they are UTF-8, repaired and counted when they are not.

use std::borrow::Cow;
use std::cell::Cell;

/// Text of a record.
pub type Text<'a> = Cow<'a, str>;

/// Turns bytes into text and counts what had to be replaced, over one record or more.
#[derive(Debug, Default)]
pub struct Repair {
    replaced: Cell<u64>,
}

impl Repair {
    /// The bytes as text; what is no UTF-8 becomes U+FFFD.
    pub fn text<'a>(&self, bytes: &'a [u8]) -> Text<'a> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                self.replaced.set(self.replaced.get() + 1);
                String::from_utf8_lossy(bytes)
            }
        }
    }

    /// How many strings were repaired since the last call.
    pub fn take_count(&self) -> u64 {
        self.replaced.take()
    }
}
