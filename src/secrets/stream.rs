//! A text and its unescaped forms, in which each byte knows its place in the original text.

/// Bytes, each with the range of the original text that it comes from.
pub(super) struct Stream {
    pub(super) bytes: Vec<u8>,
    /// The start and end of each byte's range.
    pub(super) spans: Vec<(usize, usize)>,
}

/// The names that HTML has for ASCII characters.
const NAMES: [(&[u8], u8); 38] = [
    (b"amp", b'&'),
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"quot", b'"'),
    (b"apos", b'\''),
    (b"AMP", b'&'),
    (b"LT", b'<'),
    (b"GT", b'>'),
    (b"QUOT", b'"'),
    (b"excl", b'!'),
    (b"num", b'#'),
    (b"dollar", b'$'),
    (b"percnt", b'%'),
    (b"lpar", b'('),
    (b"rpar", b')'),
    (b"ast", b'*'),
    (b"plus", b'+'),
    (b"comma", b','),
    (b"period", b'.'),
    (b"sol", b'/'),
    (b"colon", b':'),
    (b"semi", b';'),
    (b"equals", b'='),
    (b"quest", b'?'),
    (b"commat", b'@'),
    (b"lsqb", b'['),
    (b"lbrack", b'['),
    (b"bsol", b'\\'),
    (b"rsqb", b']'),
    (b"rbrack", b']'),
    (b"Hat", b'^'),
    (b"lowbar", b'_'),
    (b"grave", b'`'),
    (b"lcub", b'{'),
    (b"lbrace", b'{'),
    (b"verbar", b'|'),
    (b"rcub", b'}'),
    (b"rbrace", b'}'),
];

impl Stream {
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes().to_vec();
        let spans = (0..bytes.len()).map(|at| (at, at + 1)).collect();
        Self { bytes, spans }
    }

    /// The same text with each escape decoded once; `None` if it has no escapes. A text that is escaped twice needs two
    /// calls.
    pub(super) fn unescaped(&self) -> Option<Self> {
        let has_escape = memchr::memchr3(b'%', b'\\', b'&', &self.bytes).is_some();
        if !has_escape && !self.bytes.contains(&0) {
            return None;
        }
        let mut read = Self { bytes: Vec::new(), spans: Vec::new() };
        let mut at = 0;
        let mut is_changed = false;
        while let Some(byte) = self.bytes.get(at) {
            // Zeros are skipped, because ASCII text in UTF-16 has them between its letters.
            if *byte == 0 {
                at += 1;
                is_changed = true;
                continue;
            }
            let Some((decoded, length)) = escape(&self.bytes[at..]) else {
                read.push(&[*byte], self.spans[at]);
                at += 1;
                continue;
            };
            let span = (self.spans[at].0, self.spans[at + length - 1].1);
            let mut utf8 = [0; 4];
            match decoded {
                Decoded::Byte(byte) => read.push(&[byte], span),
                Decoded::Char(char) => read.push(char.encode_utf8(&mut utf8).as_bytes(), span),
            }
            at += length;
            is_changed = true;
        }
        is_changed.then_some(read)
    }

    pub(super) fn push(&mut self, bytes: &[u8], span: (usize, usize)) {
        self.bytes.extend_from_slice(bytes);
        self.spans.extend(bytes.iter().map(|_| span));
    }
}

/// What an escape stands for.
enum Decoded {
    Byte(u8),
    Char(char),
}

/// Decodes the escape at the beginning, and says how long it is.
fn escape(text: &[u8]) -> Option<(Decoded, usize)> {
    match text {
        [b'%', rest @ ..] => Some((Decoded::Byte(hex_byte(rest)?), 3)),
        [b'\\', rest @ ..] => backslash(rest).map(|(decoded, length)| (decoded, length + 1)),
        [b'&', rest @ ..] => entity(rest).map(|(decoded, length)| (decoded, length + 1)),
        _ => None,
    }
}

/// Decodes an escape of JSON, C, Rust, Python or a shell.
fn backslash(rest: &[u8]) -> Option<(Decoded, usize)> {
    match rest {
        [b'u', b'{', digits @ ..] => {
            let (number, length) = number(digits, 16, 6)?;
            (digits.get(length) == Some(&b'}')).then(|| (character(number), length + 3))
        }
        [b'u', digits @ ..] => {
            let (high, length) = number(digits, 16, 4).filter(|(_, length)| *length == 4)?;
            let low = match digits.get(length..) {
                Some([b'\\', b'u', digits @ ..]) => number(digits, 16, 4),
                _ => None,
            };
            match low {
                Some((low, 4)) if (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(&low) => {
                    Some((character(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 11))
                }
                _ => Some((character(high), 5)),
            }
        }
        [b'x', digits @ ..] => Some((Decoded::Byte(hex_byte(digits)?), 3)),
        [b'0'..=b'3', b'0'..=b'7', b'0'..=b'7', ..] => {
            let (number, _) = number(rest, 8, 3)?;
            Some((Decoded::Byte(u8::try_from(number).ok()?), 3))
        }
        [b'n', ..] => Some((Decoded::Byte(b'\n'), 1)),
        [b'r', ..] => Some((Decoded::Byte(b'\r'), 1)),
        [b't', ..] => Some((Decoded::Byte(b'\t'), 1)),
        [sign, ..] if sign.is_ascii_punctuation() || *sign == b' ' => Some((Decoded::Byte(*sign), 1)),
        _ => None,
    }
}

/// Decodes an entity of HTML or XML. The semicolon after a number is optional, as it is for many parsers.
fn entity(rest: &[u8]) -> Option<(Decoded, usize)> {
    const MOST_DIGITS: usize = 8;
    let (number, length) = match rest {
        [b'#', b'x' | b'X', digits @ ..] => {
            number(digits, 16, MOST_DIGITS).map(|(n, length)| (n, length + 2))?
        }
        [b'#', digits @ ..] => number(digits, 10, MOST_DIGITS).map(|(n, length)| (n, length + 1))?,
        _ => {
            let is_named = |name: &[u8]| rest.starts_with(name) && rest.get(name.len()) == Some(&b';');
            let (name, sign) = NAMES.into_iter().find(|(name, _)| is_named(name))?;
            return Some((Decoded::Byte(sign), name.len() + 1));
        }
    };
    let semicolon = usize::from(rest.get(length) == Some(&b';'));
    Some((character(number), length + semicolon))
}

fn character(number: u32) -> Decoded {
    Decoded::Char(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let (number, length) = number(digits, 16, 2)?;
    u8::try_from(number).ok().filter(|_| length == 2)
}

/// The number at the beginning of a text, and how many digits it has, at least one.
fn number(text: &[u8], radix: u32, most: usize) -> Option<(u32, usize)> {
    let digits = text.iter().take(most).map_while(|digit| char::from(*digit).to_digit(radix));
    let (number, length) = digits.fold((0_u32, 0), |(number, length), digit| {
        (number.wrapping_mul(radix).wrapping_add(digit), length + 1)
    });
    (length > 0).then_some((number, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let read = Stream::of(text).unescaped();
        read.map_or_else(|| text.to_owned(), |read| String::from_utf8_lossy(&read.bytes).into_owned())
    }

    #[test]
    fn each_escape_is_decoded_once() {
        for (text, decoded) in [
            ("a%2fb%2F%c3%a9", "a/b/é"),
            ("100 % %zz %4", "100 % %zz %4"),
            ("%252f", "%2f"),
            (r"a\/b\u002f\u00E9\ud83e\udd80\x2f\u{2f}", "a/b/é🦀//"),
            (r#"\\\"\n\057\$\q\"#, "\\\"\n/$\\q\\"),
            ("&amp;&sol;&#47;&#x2F;&#x2f&#0047;", "&/////"),
            ("&nothing; & &;", "&nothing; & &;"),
            ("s\0e\0s\0", "ses"),
            ("plain", "plain"),
        ] {
            assert_eq!(read(text), decoded, "{text}");
        }
    }

    #[test]
    fn each_byte_knows_its_place_in_the_text() {
        let read = Stream::of(r"a%2F\u00e9b").unescaped().unwrap();
        assert_eq!(read.bytes, "a/éb".as_bytes());
        assert_eq!(read.spans, [(0, 1), (1, 4), (4, 10), (4, 10), (10, 11)]);
    }
}
