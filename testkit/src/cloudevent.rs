//! The rules of CloudEvents 1.0.2 that a document on its own can break.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

pub fn assert_is_cloudevent(document: &Value) {
    let attributes = document.as_object().unwrap();
    for required in ["id", "source", "specversion", "type"] {
        assert!(attributes[required].as_str().is_some_and(|text| !text.is_empty()), "{required}: {document}");
    }
    assert_eq!(attributes["specversion"], "1.0");
    for (name, value) in attributes.iter().filter(|(name, _)| *name != "data") {
        let is_name_char = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        assert!(name.bytes().all(is_name_char) && (1..=20).contains(&name.len()), "{name}");
        let text = value.as_str().unwrap();
        assert!(!text.is_empty(), "{name} is empty");
        let is_barred = |c: char| {
            let code = u32::from(c);
            let is_noncharacter = (0xfdd0..=0xfdef).contains(&code) || code & 0xffff >= 0xfffe;
            code < 0x20 || (0x7f..=0x9f).contains(&code) || is_noncharacter
        };
        assert!(!text.contains(is_barred), "{name}: {text:?}");
    }
    if let Some(time) = attributes.get("time") {
        OffsetDateTime::parse(time.as_str().unwrap(), &Rfc3339).unwrap();
    }
    let source = attributes["source"].as_str().unwrap();
    let is_uri_char = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    assert!(source.bytes().all(is_uri_char), "{source}");
    for escape in source.split('%').skip(1) {
        assert!(escape.get(..2).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())));
    }
    assert_eq!(attributes["datacontenttype"], "application/json");
    assert!(attributes["data"].is_object() && !attributes.contains_key("data_base64"));
}
