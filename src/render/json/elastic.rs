//! What Elasticsearch refuses in a document, avoided where a record brings it.
//!
//! - A point in a name is an object in an object there: an underscore stands for it, as metricbeat has it.
//! - A name must not be empty or blank (`DocumentParser`: "field name cannot be an empty string", "Field name cannot
//!   contain only whitespace"): it is called [`NO_NAME`].
//! - Objects nest 20 levels at the most, the document itself included (`index.mapping.depth.limit`): what lies deeper is
//!   a text, its JSON.
//! - A number is a `long` or a `float` unless somebody mapped it; what fits neither is a text, which every mapping of
//!   numbers takes as well.

use super::text;

/// Of a member without a name.
const NO_NAME: &[u8] = b"\"_empty\"";
/// Of `index.mapping.depth.limit`.
const MOST_LEVELS: u8 = 20;

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

/// Whether a JSON string holds nothing but white space. Control characters are told by their numbers by then, but for
/// these three, which JSON escapes.
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
    let json = out.split_off(start);
    text::write(&String::from_utf8_lossy(&json), out);
}

pub(super) fn is_long(number: u64) -> bool {
    i64::try_from(number).is_ok()
}

/// NaN and infinity are null in JSON.
pub(super) fn is_float(number: f64) -> bool {
    !number.is_finite() || number.abs() <= f64::from(f32::MAX)
}
