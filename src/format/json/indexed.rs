//! JSON for receivers that index each field, such as Elasticsearch: what an index refuses is avoided where a record brings
//! it.
//!
//! - A point in a name is an object in an object there: an underscore stands for it, as metricbeat has it.
//! - A name must not be empty or blank (`DocumentParser`: "field name cannot be an empty string", "Field name cannot
//!   contain only whitespace"): it is called [`NO_NAME`].
//! - Objects nest 20 levels at the most, the document itself included (`index.mapping.depth.limit`): what lies deeper is
//!   a text, its JSON.
//! - A number is a `long` or a `float` unless somebody mapped it; what fits neither is a text. That helps where the
//!   field is not mapped yet: a number of the same name in an earlier document has made it one of numbers, and then the
//!   document is refused.
//! - All values of a list, and of the lists in it, become one field, so they must be of one kind: objects, texts, numbers
//!   or booleans ("Arrays with a mixture of data types are not supported"). A list of several kinds is a text, its JSON.

use super::object::{self, MIXED};
use super::text;

/// How deep objects nest, the document included (`index.mapping.depth.limit`).
pub const MOST_LEVELS: u8 = 20;
/// The name of a member without a name.
const NO_NAME: &[u8] = b"\"_empty\"";
/// Makes a name of the key that was written from here on, in its quotation marks.
pub(super) fn name(out: &mut Vec<u8>, start: usize) {
    let written = out.get_mut(start..).unwrap_or_default();
    written.iter_mut().filter(|byte| **byte == b'.').for_each(|byte| *byte = b'_');
    // Nearly every name begins with a letter.
    if !written.get(1).is_some_and(u8::is_ascii_alphanumeric) && is_blank(written) {
        out.truncate(start);
        out.extend_from_slice(NO_NAME);
    }
}

/// Whether a JSON string holds nothing but white space. Control characters were replaced by their numbers by
/// then, but for these three, which JSON escapes.
fn is_blank(string: &[u8]) -> bool {
    let Ok(mut rest) = str::from_utf8(string.get(1..string.len().saturating_sub(1)).unwrap_or_default())
    else {
        return false;
    };
    while let Some(next) =
        ["\\t", "\\n", "\\r"].iter().find_map(|escape| rest.trim_start().strip_prefix(escape))
    {
        rest = next;
    }
    rest.trim_start().is_empty()
}

/// Whether an object on this level is the first too deep one; those inside it are a part of its text.
pub(super) fn is_too_deep(level: u8) -> bool {
    level == MOST_LEVELS + 1
}

/// Makes a text of the JSON that was written from here on.
#[cold]
pub(super) fn as_text(out: &mut Vec<u8>, start: usize) {
    let mut json = out.split_off(start);
    json.iter_mut().filter(|byte| **byte == MIXED).for_each(|byte| *byte = b'[');
    text::write(&String::from_utf8_lossy(&json), out);
}

/// The kinds of values that the items of a list have, one bit each; null is of every kind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ItemTypes(u8);

impl ItemTypes {
    /// An item was written.
    pub(super) fn note(&mut self, item: &[u8]) {
        // A list within is of one kind, unless it is marked: that of its first value.
        let first = match item.first() {
            Some(b'[') => item.iter().find(|byte| !matches!(byte, b'[' | b']' | b',' | b'n' | b'u' | b'l')),
            first => first,
        };
        self.0 |= match first {
            None | Some(b'n') => 0,
            Some(b'{') => 1,
            Some(b'"') => 2,
            Some(b't' | b'f') => 4,
            Some(&MIXED) => 1 | 2,
            Some(_) => 8,
        };
    }

    pub(super) fn are_mixed(self) -> bool {
        self.0.count_ones() > 1
    }
}

/// Makes texts of the lists of several kinds in what was written from here on. Nearly always there are none.
pub(super) fn finish(out: &mut Vec<u8>, start: usize) {
    if let Some(first) = memchr::memchr(MIXED, out.get(start..).unwrap_or_default()) {
        write_mixed(out, start + first);
    }
}

#[cold]
fn write_mixed(out: &mut Vec<u8>, first: usize) {
    let written = out.split_off(first);
    let mut rest = &written[..];
    while let Some(at) = memchr::memchr(MIXED, rest) {
        let (before, list) = rest.split_at(at);
        out.extend_from_slice(before);
        let (list, behind) = list.split_at(object::value_end(list, 0));
        let start = out.len();
        out.extend_from_slice(list);
        as_text(out, start);
        rest = behind;
    }
    out.extend_from_slice(rest);
}

pub(super) fn is_long(number: u64) -> bool {
    i64::try_from(number).is_ok()
}

/// NaN and infinity are null in JSON.
pub(super) fn is_float(number: f64) -> bool {
    !number.is_finite() || number.abs() <= f64::from(f32::MAX)
}
