//! Rewrites JSON byte for byte as Go's encoding/json of 2020 writes it.
//!
//! Both are compact; they differ within strings. Go escapes `<`, `>`, `&`, U+2028 and U+2029 for browsers, and before Go
//! 1.22 it has no short escape for backspace and form feed.

/// Appends the document. These characters occur only in strings, so the document need not be parsed.
pub(super) fn write(document: &[u8], out: &mut Vec<u8>) {
    let mut rest = document;
    // It searches for all of them at once: a search for each would scan to the document's end at every backslash.
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'<' | b'>' | b'&' | b'\\' | 0xe2)) {
        out.extend_from_slice(&rest[..at]);
        let (escape, taken): (&[u8], usize) = match rest[at..] {
            [b'<', ..] => (b"\\u003c", 1),
            [b'>', ..] => (b"\\u003e", 1),
            [b'&', ..] => (b"\\u0026", 1),
            [0xe2, 0x80, 0xa8, ..] => (b"\\u2028", 3),
            [0xe2, 0x80, 0xa9, ..] => (b"\\u2029", 3),
            [b'\\', b'b', ..] => (b"\\u0008", 2),
            [b'\\', b'f', ..] => (b"\\u000c", 2),
            // Another escape, such as an escaped backslash: both bytes belong together.
            [b'\\', second, ..] => {
                out.extend_from_slice(&[b'\\', second]);
                (b"", 2)
            }
            [other, ..] => {
                out.push(other);
                (b"", 1)
            }
            [] => (b"", 0),
        };
        out.extend_from_slice(escape);
        rest = &rest[at + taken..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// Escapes character by character, as Go's encodeState.string does.
    fn as_go_writes(text: &str) -> String {
        let mut out = String::from("\"");
        for c in text.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    out.push_str(&format!("\\u{:04x}", u32::from(c)));
                }
                _ => out.push(c),
            }
        }
        out + "\""
    }

    fn written(text: &str) -> String {
        let (mut plain, mut out) = (Vec::new(), Vec::new());
        crate::format::json::write(&text, &mut plain);
        super::write(&plain, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_go_escapes_is_escaped() {
        let text = "a<b>&c\u{2028}\u{2029}\u{2027}\u{8}\u{c}\\b\\\\f\"\n\u{1}\u{7f}…é</script>";
        let go = r#""a\u003cb\u003e\u0026c\u2028\u2029‧\u0008\u000c\\b\\\\f\"\n\u0001…é\u003c/script\u003e""#;
        assert_eq!(written(text), go.replace("\u{1}…", "\u{1}\u{7f}…").replace(r"\u0001…", "\\u0001\u{7f}…"));
    }

    proptest! {
        #[test]
        fn any_text_is_written_as_go_writes_it(text in "\\PC*|[\\x00-\\x7f\u{2020}-\u{2030}]*|[<>&\\\\bf\u{2028}]*") {
            prop_assert_eq!(written(&text), as_go_writes(&text));
        }
    }
}
