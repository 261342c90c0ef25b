//! Finds where a JSON value ends, in bytes that may be cut anywhere.
//!
//! It tracks only brackets and strings. That is enough to find the end and the depth, and it is fast; whether
//! the value is valid inside is left to its parser. Nothing here recurses.

use memchr::memchr2;

/// Deeper objects are refused: real Kubernetes objects are far shallower, and their parser recurses.
pub const MAX_DEPTH: u32 = 64;

/// A byte that cannot stand at this place in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonError {
    /// Index in the bytes given.
    pub at: usize,
}

/// Follows one value through its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct ValueWalker {
    place: WalkState,
    depth: u32,
    deepest: u32,
    /// One bit for each of the outer 64 levels, set for a list.
    lists: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum WalkState {
    #[default]
    Before,
    /// A number or a keyword; it ends at the first byte that cannot belong to it.
    Scalar,
    /// Between the strings of a list or an object.
    Inside,
    Text,
    /// After a backslash.
    Escape,
}

impl ValueWalker {
    /// The deepest level seen; 0 for a string or a number.
    #[must_use]
    pub fn deepest(&self) -> u32 {
        self.deepest
    }

    /// Whether the value is complete if no more bytes follow.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        self.place == WalkState::Scalar
    }

    /// Reads more bytes. `Some(at)` means that the value ends before index `at`.
    ///
    /// # Errors
    /// When a bracket is closed by the wrong kind of bracket, or no value can begin with the first byte.
    pub fn walk(&mut self, bytes: &[u8]) -> Result<Option<usize>, JsonError> {
        let mut at = 0;
        while at < bytes.len() {
            match self.place {
                WalkState::Text => match text_end(&bytes[at..]) {
                    None => return Ok(None),
                    Some(end) => {
                        at += end + 1;
                        if bytes[at - 1] == b'\\' {
                            self.place = WalkState::Escape;
                        } else if self.depth == 0 {
                            return Ok(Some(at));
                        } else {
                            self.place = WalkState::Inside;
                        }
                    }
                },
                WalkState::Escape => {
                    // In \u1234 only the u matters here, because its digits cannot be quotes.
                    self.place = WalkState::Text;
                    at += 1;
                }
                WalkState::Inside => {
                    if self.inside(bytes, &mut at)? {
                        return Ok(Some(at));
                    }
                }
                WalkState::Before => match bytes[at] {
                    b'"' => {
                        self.place = WalkState::Text;
                        at += 1;
                    }
                    b'{' | b'[' => self.place = WalkState::Inside,
                    b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.place = WalkState::Scalar,
                    _ => return Err(JsonError { at }),
                },
                WalkState::Scalar => match bytes[at] {
                    b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E' => at += 1,
                    _ => return Ok(Some(at)),
                },
            }
        }
        Ok(None)
    }

    /// Advances to the next string, to the end of the value (`true`), or to the end of the bytes.
    fn inside(&mut self, bytes: &[u8], at: &mut usize) -> Result<bool, JsonError> {
        while let Some(byte) = bytes.get(*at) {
            *at += 1;
            match byte {
                b'"' => {
                    self.place = WalkState::Text;
                    return Ok(false);
                }
                b'{' | b'[' => {
                    let bit = 1_u64.checked_shl(self.depth).unwrap_or(0);
                    self.lists = if *byte == b'[' { self.lists | bit } else { self.lists & !bit };
                    self.depth = self.depth.saturating_add(1);
                    self.deepest = self.deepest.max(self.depth);
                }
                b'}' | b']' => {
                    self.depth -= 1;
                    // The bit set has no bits for levels beyond the 64th; such values are refused anyway.
                    let bit = 1_u64.checked_shl(self.depth).unwrap_or(0);
                    if bit != 0 && (self.lists & bit != 0) != (*byte == b']') {
                        return Err(JsonError { at: *at - 1 });
                    }
                    if self.depth == 0 {
                        return Ok(true);
                    }
                }
                _ => {}
            }
        }
        Ok(false)
    }
}

/// The next quote or backslash. Most strings are short names, so the first few bytes are compared one by one.
fn text_end(bytes: &[u8]) -> Option<usize> {
    const NEAR: usize = 16;
    let near = &bytes[..bytes.len().min(NEAR)];
    if let Some(at) = near.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
        return Some(at);
    }
    memchr2(b'"', b'\\', &bytes[near.len()..]).map(|at| near.len() + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> Result<Option<usize>, JsonError> {
        ValueWalker::default().walk(text.as_bytes())
    }

    #[test]
    fn a_value_ends_where_json_says() {
        for (value, rest) in [
            (r#"{"a":[1,{"b":"}]\"\\"}]}"#, ",1"),
            ("[]", "]"),
            (r#""a\"b\\""#, "\""),
            ("-1.5e+7", ","),
            ("true", "}"),
            ("null", " "),
        ] {
            assert_eq!(end(&format!("{value}{rest}")), Ok(Some(value.len())), "{value}");
            // The same, one byte at a time.
            let mut walker = ValueWalker::default();
            let bytes = format!("{value}{rest}").into_bytes();
            let found = bytes.iter().position(|byte| matches!(walker.walk(&[*byte]), Ok(Some(_))));
            let last = found.map(|at| if walker.is_scalar() { at } else { at + 1 });
            assert_eq!(last, Some(value.len()), "{value}");
        }
        assert_eq!(end("12"), Ok(None), "more digits may follow");
    }

    #[test]
    fn what_is_no_value_is_reported_with_its_place() {
        for (text, at) in [("}", 0), (",", 0), ("[}", 1), (r#"{"a":[1}"#, 7), ("+1", 0)] {
            assert_eq!(end(text), Err(JsonError { at }), "{text}");
        }
    }

    #[test]
    fn depth_is_counted_beyond_what_is_remembered() {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        let mut walker = ValueWalker::default();
        assert_eq!(walker.walk(deep.as_bytes()), Ok(Some(10_000)));
        assert_eq!(walker.deepest(), 5_000);
    }
}
