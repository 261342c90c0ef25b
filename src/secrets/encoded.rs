//! What base64 and hexadecimal digits in a text say, wherever they begin.
//!
//! A secret may stand in the middle of what was encoded, and the digits may follow on a word without a gap. So each run of
//! digits is read from each of its first places on; only one of these readings says something.

use super::stream::Stream;

/// Shorter runs hold no secret that is long enough to be one.
const LEAST_BASE64: usize = 6;
const LEAST_HEX: usize = 8;

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
    found
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
}
