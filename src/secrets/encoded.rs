//! What base64, hexadecimal digits and lists of numbers in a text say, wherever they begin.
//!
//! A secret may stand in the middle of what was encoded, and the digits may follow on a word without a gap. So each run of
//! digits is read from each of its first places on; only one of these readings says something.
//!
//! Bytes as a program prints them (`[83 51 67]` of Go, `[83, 51, 67]` of Rust, `53 33 43` and `53:33:43` of dumps) are
//! numbers with something between them.

use super::stream::Stream;

/// Shorter runs hold no secret that is long enough to be one.
const LEAST_BASE64: usize = 6;
const LEAST_HEX: usize = 8;
const LEAST_NUMBERS: usize = 4;

/// All readings of all runs.
pub(super) fn readings(of: &Stream) -> Vec<Stream> {
    let mut found = Vec::new();
    // Lines of base64 end after 64 or 76 digits, in PEM and in mail.
    for run in runs(
        &of.bytes,
        LEAST_BASE64,
        |byte| base64_digit(byte).is_some(),
        |byte| matches!(byte, b'\r' | b'\n'),
    ) {
        found.extend((0..4).map(|offset| of_base64(of, run.get(offset..).unwrap_or_default())));
    }
    for run in runs(&of.bytes, LEAST_HEX, |byte| byte.is_ascii_hexdigit(), |_| false) {
        found.extend((0..2).map(|offset| of_hex(of, run.get(offset..).unwrap_or_default())));
    }
    found.extend(lists(of, 10));
    found.extend(lists(of, 16));
    found
}

/// The lists of numbers that are long enough, read as bytes.
fn lists(of: &Stream, radix: u32) -> Vec<Stream> {
    let mut found = Vec::new();
    let mut list = Stream { bytes: Vec::new(), spans: Vec::new() };
    let mut at = 0;
    while at < of.bytes.len() {
        if radix == 16 && of.bytes[at..].starts_with(b"0x") {
            at += 2;
        }
        let digits = of.bytes[at..].iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
        let is_taken = digits > 0 && number(of, at, digits, radix, &mut list);
        let is_between = digits == 0
            && matches!(of.bytes.get(at), Some(b' ' | b',' | b':' | b'-' | b';' | b'\t' | b'\r' | b'\n'));
        if !is_taken && !is_between {
            let ended = std::mem::replace(&mut list, Stream { bytes: Vec::new(), spans: Vec::new() });
            found.extend((ended.bytes.len() >= LEAST_NUMBERS).then_some(ended));
        }
        at += digits.max(1);
    }
    found.extend((list.bytes.len() >= LEAST_NUMBERS).then_some(list));
    found
}

/// Takes a number of a list: of one byte, or of several in hexadecimal digits. `false`: it is none of these.
fn number(of: &Stream, at: usize, digits: usize, radix: u32, list: &mut Stream) -> bool {
    let (step, most_digits) = if radix == 16 { (2, 16) } else { (digits, 3) };
    if digits > most_digits || !digits.is_multiple_of(step) {
        return false;
    }
    for place in (at..at + digits).step_by(step) {
        let digits = of.bytes[place..place + step].iter().map(|byte| char::from(*byte).to_digit(radix));
        let value = digits.fold(0, |value, digit| value * radix + digit.unwrap_or_default());
        let Ok(byte) = u8::try_from(value) else { return false };
        list.push(&[byte], (of.spans[place].0, of.spans[place + step - 1].1));
    }
    true
}

/// The places of the digits of each run that is long enough.
fn runs(
    bytes: &[u8],
    least: usize,
    is_digit: fn(u8) -> bool,
    is_passed_over: fn(u8) -> bool,
) -> Vec<Vec<usize>> {
    let mut runs = Vec::new();
    let mut run = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        if is_digit(*byte) {
            run.push(at);
        } else if !is_passed_over(*byte) {
            let ended = std::mem::take(&mut run);
            runs.extend((ended.len() >= least).then_some(ended));
        }
    }
    runs.extend((run.len() >= least).then_some(run));
    runs
}

/// Of both alphabets of RFC 4648; padding only ends a run.
fn base64_digit(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

fn of_base64(of: &Stream, places: &[usize]) -> Stream {
    let mut read = Stream { bytes: Vec::new(), spans: Vec::new() };
    for pair in places.windows(2).enumerate() {
        // Of four digits the first three begin a byte each.
        let (at, &[first, second]) = (pair.0 % 4, pair.1) else { continue };
        let (Some(high), Some(low)) = (base64_digit(of.bytes[first]), base64_digit(of.bytes[second])) else {
            continue;
        };
        let Some(shift) = [4, 2, 0].get(at) else { continue };
        let bits = (high << 6 | low) >> shift & 0xff;
        read.push(&[u8::try_from(bits).unwrap_or_default()], (of.spans[first].0, of.spans[second].1));
    }
    read
}

fn of_hex(of: &Stream, places: &[usize]) -> Stream {
    let mut read = Stream { bytes: Vec::new(), spans: Vec::new() };
    for pair in places.chunks_exact(2) {
        let digit = |place: usize| char::from(of.bytes[place]).to_digit(16).unwrap_or_default();
        let byte = digit(pair[0]) << 4 | digit(pair[1]);
        read.push(&[u8::try_from(byte).unwrap_or_default()], (of.spans[pair[0]].0, of.spans[pair[1]].1));
    }
    read
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    /// Whether one of the readings holds the bytes, and from which part of the text they come.
    fn found<'t>(text: &'t str, bytes: &[u8]) -> Option<&'t str> {
        readings(&Stream::of(text)).into_iter().find_map(|read| {
            let at = read.bytes.windows(bytes.len()).position(|window| window == bytes)?;
            Some(&text[read.spans[at].0..read.spans[at + bytes.len() - 1].1])
        })
    }

    #[test]
    fn base64_is_read_in_every_place_and_alphabet() {
        let secret = b"\xfb\xff\xfe open sesame";
        for before in 0..7 {
            for after in 0..4 {
                let whole = [&b"user:xy"[..before], secret, &b"abcd"[..after]].concat();
                for word in ["", "x", "xy", "xyz", "token="] {
                    for encoded in [STANDARD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
                        let text = format!("{word}{encoded} end");
                        let place = found(&text, secret).unwrap_or_else(|| panic!("{text}"));
                        assert!(
                            place.len() * 3 / 4 >= secret.len() && place.len() <= secret.len() * 4 / 3 + 3
                        );
                    }
                }
            }
        }
        let encoded = STANDARD.encode(secret.repeat(3));
        let lines = format!("{}\r\n{}", &encoded[..30], &encoded[30..]);
        assert!(found(&lines, &secret.repeat(2)).is_some());
    }

    #[test]
    fn hexadecimal_digits_are_read_in_every_place() {
        let digits: String = b"sesame".iter().map(|byte| format!("{byte:02X}")).collect();
        for text in [digits.clone(), digits.to_lowercase(), format!("a{digits}"), format!("0{digits}0")] {
            assert!(found(&text, b"sesame").is_some(), "{text}");
        }
        assert_eq!(found("736573616d", b"sesame"), None);
    }

    #[test]
    fn lists_of_numbers_are_read_as_bytes() {
        let list = |write: fn(&u8) -> String, between: &str| {
            b"open sesame!".iter().map(write).collect::<Vec<_>>().join(between)
        };
        let decimal = |byte: &u8| byte.to_string();
        let hex = |byte: &u8| format!("{byte:02x}");
        for text in [
            format!("body=[{}]", list(decimal, " ")),
            format!("{:?}", b"open sesame!"),
            format!("[7]uint8{{{}}}", list(|byte| format!("0x{byte:x}"), ", ")),
            list(hex, " "),
            list(|byte| format!("{byte:02X}"), ":"),
            list(hex, "-"),
            // xxd, and hexdump with its places.
            "00000000: 6f70 656e 2073 6573 616d 6521            open sesame!".to_owned(),
            "00000000  6f 70 65 6e 20 73 65 73  61 6d 65 21".to_owned(),
        ] {
            let place = found(&text, b"sesame").unwrap_or_else(|| panic!("{text}"));
            assert!(
                place.starts_with(['7', '1']) && place.ends_with(|c: char| c.is_ascii_hexdigit()),
                "{place}"
            );
        }
        assert_eq!(found("[115, 101, 115, 97, 109]", b"sesame"), None);
        assert_eq!(found("115 101 115 ? 97 109 101", b"sesame"), None);
    }
}
