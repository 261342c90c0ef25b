//! Decodes base64, hexadecimal digits and lists of numbers in a text, wherever they begin.
//!
//! A secret may be in the middle of the encoded bytes, and the digits may follow a word without a gap. So each run of
//! digits is decoded from each of its first positions; only one of the results is meaningful.
//!
//! Bytes as programs print them (`[83 51 67]` in Go, `[83, 51, 67]` in Rust, `53 33 43` and `53:33:43` in dumps) are
//! lists of numbers.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::stream::Stream;

/// Accepts a run that was cut anywhere.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Shorter runs cannot contain a secret that is long enough to be hidden.
const LEAST_BASE64: usize = 6;
const LEAST_HEX: usize = 8;
const LEAST_NUMBERS: usize = 4;

/// All decoded runs.
pub(super) fn readings(of: &Stream) -> Vec<Stream> {
    let mut found = Vec::new();
    // PEM and mail break lines of base64 after 64 or 76 digits.
    for run in runs(&of.bytes, LEAST_BASE64, is_base64, |byte| matches!(byte, b'\r' | b'\n')) {
        found.extend((0..4).map(|offset| of_base64(of, run.get(offset..).unwrap_or_default())));
    }
    for run in runs(&of.bytes, LEAST_HEX, |byte| byte.is_ascii_hexdigit(), |_| false) {
        found.extend((0..2).map(|offset| of_hex(of, run.get(offset..).unwrap_or_default())));
    }
    found.extend(lists(of, 10));
    found.extend(lists(of, 16));
    found
}

/// The lists of numbers that are long enough, as bytes.
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

/// Adds a number of a list: one byte, or several in hexadecimal digits. `false`: it is neither.
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

/// The positions of the digits of each run that is long enough.
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

/// A digit of either alphabet of RFC 4648. Padding ends a run.
fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

fn of_base64(of: &Stream, places: &[usize]) -> Stream {
    // A single last digit is less than a byte.
    let whole = if places.len() % 4 == 1 { places.len() - 1 } else { places.len() };
    let digits = places[..whole].iter().map(|place| match of.bytes[*place] {
        b'-' => b'+',
        b'_' => b'/',
        digit => digit,
    });
    let bytes = BASE64.decode(digits.collect::<Vec<_>>()).unwrap_or_default();
    let span = |byte: usize| {
        // Four digits are three bytes, and each byte is in two digits.
        let first = byte / 3 * 4 + byte % 3;
        (of.spans[places[first]].0, of.spans[places[first + 1]].1)
    };
    let spans = (0..bytes.len()).map(span).collect();
    Stream { bytes, spans }
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

    /// The part of the text that the bytes come from, if a decoded run contains them.
    fn found<'t>(text: &'t str, bytes: &[u8]) -> Option<&'t str> {
        readings(&Stream::of(text)).into_iter().find_map(|read| {
            let at = read.bytes.windows(bytes.len()).position(|window| window == bytes)?;
            Some(&text[read.spans[at].0..read.spans[at + bytes.len() - 1].1])
        })
    }

    #[test]
    fn base64_is_decoded_at_every_position_and_in_both_alphabets() {
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
    fn hexadecimal_digits_are_decoded_at_every_position() {
        let digits: String = b"sesame".iter().map(|byte| format!("{byte:02X}")).collect();
        for text in [digits.clone(), digits.to_lowercase(), format!("a{digits}"), format!("0{digits}0")] {
            assert!(found(&text, b"sesame").is_some(), "{text}");
        }
        assert_eq!(found("736573616d", b"sesame"), None);
    }

    #[test]
    fn lists_of_numbers_are_decoded_as_bytes() {
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
            // xxd, and hexdump with its offsets.
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
