//! Extracts the items of a list from its bytes, which may be cut anywhere. It buffers at most one item.
//!
//! ```text
//! {"kind":"PodList","apiVersion":"v1","metadata":{…},"items":[ {…}, {…}, … ]}
//! ```
//! It passes each item on as bytes and keeps `metadata`; other members are skipped. An item that is too large
//! or too deep is dropped and counted, and the scan goes on. Members may come in any order, and `items` may
//! be null, as Go writes an empty list.

use serde::Deserialize;

use super::json_value::{JsonError, MAX_DEPTH, ValueWalker};

/// A larger item is dropped. etcd accepts no object above 1.5 MiB by default.
pub const MAX_ITEM_BYTES: usize = 4 << 20;
/// A larger buffer is released after a rare large item.
const KEPT_BYTES: usize = 256 << 10;
/// No member that matters has a longer name.
const NAME_BYTES: usize = 16;

/// The body is not the JSON of a list, from this byte on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListError {
    /// In bytes from the start of the body.
    pub offset: u64,
}

/// The `metadata` of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    /// The version of the whole list, at which a watch can start; absent if the server sent none.
    pub resource_version: Option<String>,
    /// Where the next page begins; absent or empty on the last page.
    #[serde(rename = "continue")]
    pub token: Option<String>,
    /// An estimate by the API server; absent on the last page.
    pub remaining_item_count: Option<i64>,
}

/// Takes the bytes of one list and returns its items.
#[derive(Debug, Default)]
pub struct ListScanner {
    state: ScanState,
    offset: u64,
    member: Member,
    name: Vec<u8>,
    value: ValueWalker,
    /// The part of an item or of the metadata that came in earlier bytes.
    partial: Vec<u8>,
    too_large: bool,
    meta: Option<ListMeta>,
    refused: u64,
    error: Option<ListError>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum ScanState {
    #[default]
    Start,
    /// After `{`: a name or the end.
    FirstName,
    /// After a comma: a name.
    NextName,
    Name,
    Colon,
    /// Before a member's value.
    ValueStart,
    Value,
    AfterValue,
    /// After the `[` of the items: an item or the end.
    FirstItem,
    /// After a comma: an item.
    NextItem,
    Item,
    AfterItem,
    End,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Member {
    Items,
    Metadata,
    #[default]
    Other,
}

impl ListScanner {
    /// Reads more bytes and calls `each` with every complete item.
    ///
    /// # Errors
    /// When the bytes are not a list. Every later call fails too.
    pub fn feed(&mut self, bytes: &[u8], each: impl FnMut(&[u8])) -> Result<(), ListError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.scan(bytes, each).inspect_err(|error| self.error = Some(*error))
    }

    fn scan(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), ListError> {
        let mut at = 0;
        while at < bytes.len() {
            match self.state {
                ScanState::Item | ScanState::Value => {
                    let end = self
                        .value
                        .walk(&bytes[at..])
                        .map_err(|JsonError { at: inner }| self.error_at(at + inner))?;
                    let stop = end.map_or(bytes.len(), |end| at + end);
                    self.collect(&bytes[at..stop], end.is_some(), &mut each)
                        .map_err(|()| self.error_at(stop))?;
                    at = stop;
                }
                ScanState::Name => at = self.name(bytes, at)?,
                _ if matches!(bytes[at], b' ' | b'\t' | b'\r' | b'\n') => at += 1,
                state => {
                    let (next, taken) = self.next(state, bytes[at]).ok_or_else(|| self.error_at(at))?;
                    if matches!(next, ScanState::Item | ScanState::Value) {
                        self.value = ValueWalker::default();
                    }
                    self.state = next;
                    at += usize::from(taken);
                }
            }
        }
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Ends the body.
    ///
    /// # Errors
    /// When the list is not complete.
    pub fn finish(self) -> Result<ListMeta, ListError> {
        match (self.error, self.state) {
            (Some(error), _) => Err(error),
            (None, ScanState::End) => Ok(self.meta.unwrap_or_default()),
            (None, _) => Err(ListError { offset: self.offset }),
        }
    }

    /// The `metadata`, once it has been read. The API server writes it before the items.
    #[must_use]
    pub fn meta(&self) -> Option<&ListMeta> {
        self.meta.as_ref()
    }

    /// How many items were dropped as too large or too deep.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// The next state, and whether the byte is consumed.
    fn next(&mut self, state: ScanState, byte: u8) -> Option<(ScanState, bool)> {
        Some(match (state, byte) {
            (ScanState::Start, b'{') => (ScanState::FirstName, true),
            (ScanState::FirstName, b'}') | (ScanState::AfterValue, b'}') => (ScanState::End, true),
            (ScanState::FirstName | ScanState::NextName, b'"') => {
                self.name.clear();
                (ScanState::Name, true)
            }
            (ScanState::Colon, b':') => (ScanState::ValueStart, true),
            (ScanState::ValueStart, b'[') if self.member == Member::Items => (ScanState::FirstItem, true),
            // Items that are not a list, such as null, count as no items.
            (ScanState::ValueStart, _) => (ScanState::Value, false),
            (ScanState::AfterValue, b',') => (ScanState::NextName, true),
            (ScanState::FirstItem, b']') | (ScanState::AfterItem, b']') => (ScanState::AfterValue, true),
            (ScanState::FirstItem | ScanState::NextItem, _) => (ScanState::Item, false),
            (ScanState::AfterItem, b',') => (ScanState::NextItem, true),
            _ => return None,
        })
    }

    /// Reads a member's name up to its closing quote. The names that matter have no escapes.
    fn name(&mut self, bytes: &[u8], at: usize) -> Result<usize, ListError> {
        let rest = &bytes[at..];
        // Keeps only as much as is needed to recognise the name and an escaped quote.
        for (index, byte) in rest.iter().enumerate() {
            match byte {
                b'"' if self.name.last() != Some(&b'\\') => {
                    self.member = match self.name.as_slice() {
                        b"items" => Member::Items,
                        b"metadata" => Member::Metadata,
                        _ => Member::Other,
                    };
                    self.state = ScanState::Colon;
                    return Ok(at + index + 1);
                }
                b'\\' if self.name.last() == Some(&b'\\') => {
                    // An escaped backslash does not escape the next byte.
                    self.name.pop();
                    self.name.push(b'?');
                }
                0..0x20 => return Err(self.error_at(at + index)),
                _ => {
                    if self.name.len() >= NAME_BYTES {
                        self.name.pop();
                    }
                    self.name.push(*byte);
                }
            }
        }
        Ok(bytes.len())
    }

    /// Takes bytes of an item or of a member's value; `ends` says that they are the last ones.
    fn collect(&mut self, bytes: &[u8], ends: bool, each: &mut impl FnMut(&[u8])) -> Result<(), ()> {
        let is_item = self.state == ScanState::Item;
        let is_kept = is_item || self.member == Member::Metadata;
        if is_kept && !self.too_large && self.partial.len() + bytes.len() > MAX_ITEM_BYTES {
            self.too_large = true;
            self.partial = Vec::new();
        }
        let keep = is_kept && !self.too_large;
        if !ends {
            if keep {
                self.partial.extend_from_slice(bytes);
            }
            return Ok(());
        }
        let mut partial = std::mem::take(&mut self.partial);
        // An item that is contained in the bytes is not copied.
        let whole = if partial.is_empty() {
            bytes
        } else {
            partial.extend_from_slice(bytes);
            &partial
        };
        if is_item {
            if keep && self.value.deepest() <= MAX_DEPTH {
                each(whole);
            } else {
                self.refused += 1;
            }
        } else if keep {
            self.meta = serde_json::from_slice(whole).map_err(drop)?;
        }
        partial.clear();
        partial.shrink_to(KEPT_BYTES);
        self.partial = partial;
        self.too_large = false;
        self.state = if is_item { ScanState::AfterItem } else { ScanState::AfterValue };
        Ok(())
    }

    fn error_at(&self, at: usize) -> ListError {
        ListError { offset: self.offset + at as u64 }
    }
}
