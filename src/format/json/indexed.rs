//! JSON for receivers that index each field, such as Elasticsearch. Values of a record that an index would reject are
//! changed.
//!
//! - A dot in a name would mean a nested object, so it becomes an underscore, as in metricbeat.
//! - A name must not be empty or blank (`DocumentParser`: "field name cannot be an empty string", "Field name cannot
//!   contain only whitespace"), so it becomes [`NO_NAME`].
//! - Objects nest at most 20 levels, including the document itself (`index.mapping.depth.limit`). A deeper object becomes
//!   a text, its JSON.
//! - A number is a `long` or a `float` unless the field is mapped otherwise. A number that fits neither becomes a text.
//!   The document is still rejected if an earlier one has made the field numeric.
//! - All values of a list, and of lists in it, become one field, so they must have one type: object, text, number or
//!   boolean ("Arrays with a mixture of data types are not supported"). A list of several types becomes a text, its JSON.

use super::object::{self, MIXED};
use super::text;

/// How deep objects may nest, including the document (`index.mapping.depth.limit`).
pub const MOST_LEVELS: u8 = 20;
/// The name of a member without a name.
const NO_NAME: &[u8] = b"\"_empty\"";

/// Changes the key that was written from `start` on, in quotation marks, to a name that an index takes.
pub(super) fn name(out: &mut Vec<u8>, start: usize) {
    let written = out.get_mut(start..).unwrap_or_default();
    written.iter_mut().filter(|byte| **byte == b'.').for_each(|byte| *byte = b'_');
    // Nearly every name begins with a letter.
    if !written.get(1).is_some_and(u8::is_ascii_alphanumeric) && is_blank(written) {
        out.truncate(start);
        out.extend_from_slice(NO_NAME);
    }
}

/// Whether a JSON string holds only white space. It holds no control characters but these three: others were replaced by
/// their numbers before.
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

/// Whether an object on this level becomes a text: it is the first that is too deep. Deeper ones are part of its text.
pub(super) fn is_too_deep(level: u8) -> bool {
    level == MOST_LEVELS + 1
}

/// Turns the JSON that was written from `start` on into a text.
#[cold]
pub(super) fn as_text(out: &mut Vec<u8>, start: usize) {
    let mut json = out.split_off(start);
    json.iter_mut().filter(|byte| **byte == MIXED).for_each(|byte| *byte = b'[');
    text::write(&String::from_utf8_lossy(&json), out);
}

/// The types of the items of a list, one bit each; null fits every type.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ItemTypes(u8);

impl ItemTypes {
    /// Adds the type of a written item.
    pub(super) fn note(&mut self, item: &[u8]) {
        // A nested list that is not marked has one type, that of its first value.
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

    /// Whether the items have several types.
    pub(super) fn are_mixed(self) -> bool {
        self.0.count_ones() > 1
    }
}

/// Turns the lists of several types that were written from `start` on into texts. There are rarely any.
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

/// Whether a number fits a `long`.
pub(super) fn is_long(number: u64) -> bool {
    i64::try_from(number).is_ok()
}

/// Whether a number fits a `float`. NaN and infinity do, because they become null.
pub(super) fn is_float(number: f64) -> bool {
    !number.is_finite() || number.abs() <= f64::from(f32::MAX)
}
