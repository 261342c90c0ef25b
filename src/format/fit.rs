//! Cuts a JSON object to a receiver's limit. Its largest values are cut, each with a mark.
//!
//! A text is cut at its end; an object or a list becomes a text, its JSON, and is cut too. All values above one size are
//! cut to that size, and smaller ones stay whole. An event with a huge message thus keeps its object, times and Services.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json;

/// No value is cut below this many bytes, so that ids, kinds and times stay whole.
const SMALLEST: usize = 256;

/// The members whose own members are cut one by one.
const STRUCTURES: [&str; 5] = ["event", "audit", "violation", "object", "source"];

/// The document in at most so many bytes; `None` if it cannot be cut so far, or is not a JSON object.
pub(super) fn fit(document: &[u8], most: usize) -> Option<Vec<u8>> {
    let Members(members) = serde_json::from_slice(document).ok()?;
    let mut parts = Vec::new();
    for (name, value) in members {
        let inside =
            STRUCTURES.contains(&&*name).then(|| serde_json::from_str::<Members<'_>>(value.get()).ok());
        let value = match inside.flatten() {
            Some(Members(inside)) => {
                PartValue::Members(inside.iter().map(|(name, value)| (head(name), value.get())).collect())
            }
            None => PartValue::Whole(value.get()),
        };
        parts.push(Part { head: head(&name), value });
    }
    // The largest size of a value with which the document fits.
    let (mut fits, mut too_large) = (0, most.saturating_add(1));
    while too_large - fits > 1 {
        let size = fits + (too_large - fits) / 2;
        if length(&parts, size.max(SMALLEST)) <= most { fits = size } else { too_large = size }
    }
    let size = fits.max(SMALLEST);
    let mut out = Vec::with_capacity(most);
    write(&parts, size, &mut out);
    // `length` is an upper bound, because a cut ends between characters.
    (out.len() <= most).then_some(out)
}

struct Part<'d> {
    head: Vec<u8>,
    value: PartValue<'d>,
}

enum PartValue<'d> {
    Whole(&'d str),
    /// The members, each with its head.
    Members(Vec<(Vec<u8>, &'d str)>),
}

/// The name of a member as JSON, and the colon.
fn head(name: &str) -> Vec<u8> {
    let mut head = Vec::with_capacity(name.len() + 3);
    json::write(&name, &mut head);
    head.push(b':');
    head
}

/// The most bytes of a document whose values are cut to this size.
fn length(parts: &[Part<'_>], size: usize) -> usize {
    let of_object = |members: usize, bytes: usize| "{}".len() + members.saturating_sub(1) + bytes;
    let of = |part: &Part<'_>| match &part.value {
        PartValue::Whole(json) => part.head.len() + json.len().min(size),
        PartValue::Members(members) => {
            let inside = members.iter().map(|(head, value)| head.len() + value.len().min(size));
            part.head.len() + of_object(members.len(), inside.sum())
        }
    };
    of_object(parts.len(), parts.iter().map(of).sum())
}

fn write(parts: &[Part<'_>], size: usize, out: &mut Vec<u8>) {
    out.push(b'{');
    for part in parts {
        json::separate(out);
        out.extend_from_slice(&part.head);
        match &part.value {
            PartValue::Whole(json) => cut(json, size, out),
            PartValue::Members(members) => {
                out.push(b'{');
                for (head, value) in members {
                    json::separate(out);
                    out.extend_from_slice(head);
                    cut(value, size, out);
                }
                out.push(b'}');
            }
        }
    }
    out.push(b'}');
}

/// Appends a JSON value in at most so many bytes.
fn cut(value: &str, most: usize, out: &mut Vec<u8>) {
    if value.len() <= most {
        return out.extend_from_slice(value.as_bytes());
    }
    let text = if value.starts_with('"') {
        serde_json::from_str(value).unwrap_or_default()
    } else {
        value.to_owned()
    };
    // The quotation marks and the mark with its numbers.
    const MARK: usize = "\"… (18446744073709551615 of 18446744073709551615 bytes)\"".len();
    let mut room = most.saturating_sub(MARK);
    let mut kept = 0;
    for (at, sign) in text.char_indices() {
        let bytes = written(sign);
        if bytes > room {
            break;
        }
        room -= bytes;
        kept = at + sign.len_utf8();
    }
    json::write(&format!("{}… ({kept} of {} bytes)", &text[..kept], text.len()), out);
}

/// The length of a character in a JSON string.
fn written(sign: char) -> usize {
    match sign {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => sign.len_utf8(),
    }
}

/// The members of an object, in their order.
struct Members<'d>(Vec<(Cow<'d, str>, &'d RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// A name, borrowed if nothing in it is escaped.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Name<'d>(#[serde(borrow)] Cow<'d, str>);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn fitted(document: &Value, most: usize) -> Option<Value> {
        let fitted = fit(document.to_string().as_bytes(), most)?;
        assert!(fitted.len() <= most, "{} of {most}", fitted.len());
        Some(serde_json::from_slice(&fitted).expect("JSON"))
    }

    #[test]
    fn the_largest_is_cut_and_says_so() {
        let document = json!({"id": "1", "message": "m".repeat(9_000), "audit": {"verb": "get", "request_object":
            {"a": "b".repeat(5_000)}}, "count": 7});
        let cut = fitted(&document, 4_000).expect("it fits");
        assert_eq!(
            (&cut["id"], &cut["count"], &cut["audit"]["verb"]),
            (&json!("1"), &json!(7), &json!("get"))
        );
        let message = cut["message"].as_str().expect("a text");
        assert!(message.starts_with("mmm") && message.ends_with(" of 9000 bytes)"), "{message}");
        let body = cut["audit"]["request_object"].as_str().expect("a text");
        assert!(body.starts_with("{\"a\":\"bbb") && body.ends_with(" of 5008 bytes)"), "{body}");
        assert!(message.len() > 1_500 && body.len() > 1_500, "each has its share");
        let little = json!({"message": "m".repeat(9_000), "reason": "r".repeat(500)});
        assert_eq!(
            fitted(&little, 4_000).expect("it fits")["reason"],
            little["reason"],
            "what is small stays"
        );
    }

    #[test]
    fn what_cannot_be_cut_so_far_is_not() {
        let many: serde_json::Map<_, _> =
            (0..100).map(|n| (format!("k{n}"), json!("v".repeat(400)))).collect();
        assert_eq!(fitted(&Value::Object(many), 4_000), None);
        assert_eq!(fit(b"[1, 2]", 1), None);
    }

    proptest! {
        #[test]
        fn whatever_it_is_it_stays_json_within_its_bytes(
            texts in proptest::collection::vec("(\\PC|[\\x00-\\x1f]|\"|\\\\){0,900}", 1..6),
            most in 0usize..6_000,
        ) {
            let inside: serde_json::Map<_, _> =
                texts.iter().enumerate().map(|(n, text)| (format!("{n}\n"), json!(text))).collect();
            let document = json!({"a": texts[0], "list": texts, "object": inside});
            let has_room = document.to_string().len() <= most;
            let cut = fitted(&document, most);
            prop_assert!(most < 5_000 || cut.is_some());
            prop_assert!(!has_room || cut.is_none_or(|cut| cut["a"] == document["a"]));
        }
    }
}
