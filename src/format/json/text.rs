//! Writes a JSON string.
//!
//! Most text needs no escape, so it is checked in blocks, which the compiler turns into vector instructions, and copied
//! whole.

/// Appends the text in quotation marks. It escapes only what RFC 8259, section 7, requires.
pub(super) fn write(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    write_inside(text, out);
    out.push(b'"');
}

/// The same without the quotation marks, for a text that comes in pieces.
pub(super) fn write_inside(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(at) = first_special(rest) {
        out.extend_from_slice(&rest[..at]);
        escape(rest[at], out);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

const BLOCK: usize = 16;

/// The offset of the first byte that needs an escape.
fn first_special(bytes: &[u8]) -> Option<usize> {
    let (blocks, tail) = bytes.as_chunks::<BLOCK>();
    // First it finds the block, in a loop without branches; then the byte.
    let block = blocks.iter().position(|block| block.iter().fold(false, |any, byte| any | is_special(*byte)));
    let (start, near) = match block {
        Some(index) => (index * BLOCK, &blocks[index][..]),
        None => (bytes.len() - tail.len(), tail),
    };
    near.iter().position(|byte| is_special(*byte)).map(|at| start + at)
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            let [high, low] = [byte >> 4, byte & 0x0f].map(|digit| HEX[usize::from(digit)]);
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        super::write(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_byte_at_every_place_is_written_as_serde_json_writes_it() {
        for special in (0..=0x7fu8).map(char::from).chain(['é', '\u{2028}', '\u{10ffff}']) {
            for before in 0..40 {
                let text = format!("{}{special}{special}end", "x".repeat(before));
                assert_eq!(written(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_written_as_serde_json_writes_it(text in "\\PC*|[\\x00-\\x7f]*") {
            prop_assert_eq!(written(&text), serde_json::to_string(&text).unwrap());
        }
    }
}
