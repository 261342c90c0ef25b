//! Repairs JSON that a strict parser refuses, so that only the refused values are lost.
//!
//! It makes one pass without recursion, in time and memory linear in the text. It looks only at brackets,
//! strings and numbers; a strict parser checks the result.

use super::cursor::MAX_DEPTH;
use super::depth_limit::{BODIES, LEFT_OUT};

/// A record's body is inside one container, the record itself.
const MOST_CONTAINERS: usize = MAX_DEPTH - 1;

/// The first document of the text, repaired, and its length in the text. Different inputs stay different: a
/// number that does not fit, `NaN` or `Infinity` becomes a string with the same text, half a surrogate pair
/// becomes text such as `\ud800`, and a byte that is not UTF-8 becomes text such as `\xff`. Raw control
/// characters and unknown escapes are escaped; a comma after the last item is dropped. A container that nests
/// too deep is replaced by a note.
///
/// `None` if brackets do not match, or a string or the text ends early.
pub(super) fn repaired(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let writer = JsonRepairer {
        text,
        at: 0,
        out: Vec::with_capacity(text.len()),
        open: Vec::new(),
        string: 0..0,
        is_body: false,
        body: None,
        left_out: None,
    };
    writer.all()
}

struct JsonRepairer<'t> {
    text: &'t [u8],
    at: usize,
    out: Vec<u8>,
    /// The closing brackets of the open containers.
    open: Vec<u8>,
    /// The last string, without its quotes.
    string: std::ops::Range<usize>,
    /// The next value is a body.
    is_body: bool,
    /// The outermost open body: how many containers are around it, and where it begins in `out`.
    body: Option<(usize, usize)>,
    /// How many containers are around the container that is being left out.
    left_out: Option<usize>,
}

impl JsonRepairer<'_> {
    fn all(mut self) -> Option<(Vec<u8>, usize)> {
        while let Some(byte) = self.text.get(self.at).copied() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'"' => self.string()?,
                b'{' => self.opened(b'}'),
                b'[' => self.opened(b']'),
                b'}' | b']' => self.closed(byte)?,
                b':' => {
                    self.is_body =
                        self.text.get(self.string.clone()).is_some_and(|key| BODIES.contains(&key));
                    self.sign(byte);
                }
                b',' => {
                    self.is_body = false;
                    self.sign(byte);
                }
                _ => self.scalar()?,
            }
            if self.open.is_empty() && !self.out.is_empty() {
                break;
            }
        }
        self.open.is_empty().then_some((self.out, self.at))
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.left_out.is_none() {
            self.out.extend_from_slice(bytes);
        }
    }

    fn sign(&mut self, byte: u8) {
        self.write(&[byte]);
        self.at += 1;
    }

    fn opened(&mut self, closing: u8) {
        let around = self.open.len();
        if self.is_body && self.body.is_none() {
            self.body = Some((around, self.out.len()));
        }
        self.is_body = false;
        if self.left_out.is_none() && around >= MOST_CONTAINERS {
            let (around, start) = self.body.unwrap_or((around, self.out.len()));
            self.out.truncate(start);
            self.out.extend_from_slice(format!("\"{LEFT_OUT}\"").as_bytes());
            self.left_out = Some(around);
        } else if let Some(byte) = self.text.get(self.at).copied() {
            self.write(&[byte]);
        }
        self.open.push(closing);
        self.at += 1;
    }

    fn closed(&mut self, byte: u8) -> Option<()> {
        if self.open.pop() != Some(byte) {
            return None;
        }
        let around = self.open.len();
        if self.left_out.is_none() && matches!(self.out[..], [.., last, b','] if !b"[{,:".contains(&last)) {
            self.out.pop();
        }
        self.write(&[byte]);
        if self.left_out == Some(around) {
            self.left_out = None;
        }
        if self.body.is_some_and(|(outside, _)| outside == around) {
            self.body = None;
        }
        self.at += 1;
        Some(())
    }

    /// Copies a string, from its opening to its closing quote.
    fn string(&mut self) -> Option<()> {
        let text = self.text;
        let start = self.at + 1;
        self.write(b"\"");
        self.at = start;
        loop {
            let rest = text.get(self.at..)?;
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..b' '))?;
            for chunk in rest[..plain].utf8_chunks() {
                self.write(chunk.valid().as_bytes());
                for byte in chunk.invalid() {
                    self.write(format!("\\\\x{byte:02x}").as_bytes());
                }
            }
            self.at += plain;
            match rest[plain] {
                b'"' => break,
                b'\\' => self.escape(&rest[plain..]),
                control => {
                    self.write(format!("\\u{control:04x}").as_bytes());
                    self.at += 1;
                }
            }
        }
        self.write(b"\"");
        self.string = start..self.at;
        self.at += 1;
        Some(())
    }

    /// Copies the escape at the start of `rest`.
    fn escape(&mut self, rest: &[u8]) {
        let number;
        let (len, written): (usize, &[u8]) = match rest {
            [_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => (2, &rest[..2]),
            [_, b'u', ..] => match (code(rest), rest.get(6..).and_then(code)) {
                (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, &rest[..12]),
                (Some(half @ 0xd800..=0xdfff), _) => {
                    number = format!("\\\\u{half:04x}");
                    (6, number.as_bytes())
                }
                (Some(_), _) => (6, &rest[..6]),
                (None, _) => (1, b"\\\\"),
            },
            // The backslash is literal, as in a file path that was not escaped.
            _ => (1, b"\\\\"),
        };
        self.write(written);
        self.at += len;
    }

    /// Copies a value that is neither a string nor a bracket.
    fn scalar(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let is_end = |byte: &u8| b" \t\n\r,:]}[{\"".contains(byte);
        let scalar = &rest[..rest.iter().position(is_end).unwrap_or(rest.len())];
        let is_whole =
            matches!(scalar, b"true" | b"false" | b"null") || serde_json::from_slice::<f64>(scalar).is_ok();
        if is_whole {
            self.write(scalar);
        } else if is_meant_as_number(scalar) {
            self.write(b"\"");
            self.write(scalar);
            self.write(b"\"");
        } else {
            return None;
        }
        self.at += scalar.len();
        Some(())
    }
}

/// The number in an escape such as `\u0000`.
fn code(escape: &[u8]) -> Option<u16> {
    let [b'\\', b'u', digits @ ..] = escape.first_chunk::<6>()? else { return None };
    let mut digits = digits.iter().map(|digit| char::from(*digit).to_digit(16));
    let code = digits.try_fold(0, |code, digit| Some(code * 16 + digit?))?;
    u16::try_from(code).ok()
}

/// `1e999`, `+1`, `.5`, and what languages write for numbers that JSON cannot represent.
fn is_meant_as_number(scalar: &[u8]) -> bool {
    if !scalar.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(byte)) {
        return false;
    }
    let digits = scalar.strip_prefix(b"-").or_else(|| scalar.strip_prefix(b"+")).unwrap_or(scalar);
    let is_word = |word: &&str| digits.eq_ignore_ascii_case(word.as_bytes());
    digits.first().is_some_and(|first| first.is_ascii_digit() || *first == b'.')
        || ["nan", "inf", "infinity"].iter().any(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> Option<String> {
        repaired(json.as_bytes()).map(|(json, _)| String::from_utf8(json).unwrap())
    }

    #[test]
    fn only_what_is_refused_is_replaced() {
        for (json, expected) in [
            (r#"{"a": 1e999, "b": -1e999, "c": 1e9}"#, r#"{"a":"1e999","b":"-1e999","c":1e9}"#),
            ("[NaN, -Infinity, +1, .5, 0x1f, 01, 1.]", r#"["NaN","-Infinity","+1",".5","0x1f","01","1."]"#),
            ("[true, false, null, -0, 12.5e-3]", "[true,false,null,-0,12.5e-3]"),
            (
                r#"["\ud800", "\udc00x", "\ud83d\ude00", "\ud800\u0041"]"#,
                r#"["\\ud800","\\udc00x","\ud83d\ude00","\\ud800\u0041"]"#,
            ),
            (r#"["C:\path\u12", "\'", "\"\\"]"#, r#"["C:\\path\\u12","\\'","\"\\"]"#),
            ("[\"a\nb\0\"]", r#"["a\u000ab\u0000"]"#),
            (r#"{"a": [1, "," , ], "b": {"c": [],},}"#, r#"{"a":[1,","],"b":{"c":[]}}"#),
            ("[[], [1]] [2", "[[],[1]]"),
        ] {
            assert_eq!(text(json).as_deref(), Some(expected), "{json}");
        }
        assert_eq!(repaired(b"[\"\xff\xc3\"] ").unwrap(), (br#"["\\xff\\xc3"]"#.to_vec(), 6));
    }

    #[test]
    fn what_ends_too_early_is_not_made_whole() {
        for json in [
            "{",
            "[1",
            r#"{"a"#,
            r#"{"a\"#,
            r#"{"a": "b\"}"#,
            "[}",
            "{]",
            "]",
            "{foo}",
            "[NaNa]",
            "[--1x]",
            "[,]",
            "[1,,]",
            "[1\\]",
        ] {
            let repaired = repaired(json.as_bytes());
            let is_json = |json: &Vec<u8>| serde_json::from_slice::<serde::de::IgnoredAny>(json).is_ok();
            assert!(!repaired.as_ref().is_some_and(|(json, _)| is_json(json)), "{json}: {repaired:?}");
        }
    }

    #[test]
    fn a_container_too_deep_costs_itself_and_in_a_body_the_body() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let deepest = nested(MOST_CONTAINERS);
        assert_eq!(text(&deepest).as_deref(), Some(&*deepest));
        let around = "[".repeat(MOST_CONTAINERS);
        let replaced = format!("{around}\"{LEFT_OUT}\"{}", "]".repeat(MOST_CONTAINERS));
        for more in [1, 2, 100_000] {
            assert_eq!(text(&nested(MOST_CONTAINERS + more)).as_ref(), Some(&replaced), "{more}");
        }
        for key in ["requestObject", "responseObject"] {
            let deep = nested(MOST_CONTAINERS);
            let json =
                format!(r#"{{"a":1,"{key}":{{"b":[1,{{"{key}":{deep}}}],"s":"]}}"}},"z":{{"{key}":[2]}}}}"#);
            let expected = format!(r#"{{"a":1,"{key}":"{LEFT_OUT}","z":{{"{key}":[2]}}}}"#);
            assert_eq!(text(&json), Some(expected));
        }
        // Only a key can name a body.
        let json = format!(r#"["requestObject",{}]"#, nested(MOST_CONTAINERS));
        assert!(text(&json).unwrap().starts_with(r#"["requestObject",[[["#));
    }
}
