//! Texts that several formats share: a name for what happened, a sentence, the key of the series, the Services.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::Write;

use serde::ser::{Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_128;

use super::common::{Common, RecordObject};
use super::json;
use super::limit::{Limit, Unit};
use super::record::Record;
use crate::correlate::{Affected, Impact};
use crate::record::content::Content;
use crate::record::identity;
use crate::record::raw::Raw;

/// The mark at the end of a text that was cut.
const CUT: char = '…';

/// One word for what happened: the reason, or the violated constraint; never blank.
pub(super) fn rule<'r>(record: &Record<'r, '_>, common: &Common<'r>) -> &'r str {
    match record.content {
        // The reason of an audit record is that of its response, which only a failed request has.
        Content::Audit(_) => "KubernetesAudit",
        Content::Event(_) if is_blank(common.reason) => "KubernetesEvent",
        Content::Violation(_) if is_blank(common.reason) => "GatekeeperViolation",
        Content::Other => "Record",
        Content::Event(_) | Content::Violation(_) => common.reason,
    }
}

/// The message, never blank. It is the whole record as JSON if the kind is not known.
pub(super) fn message<'r>(record: &Record<'_, '_>, common: &Common<'r>) -> Cow<'r, str> {
    match record.content {
        Content::Other => {
            let mut text = Vec::new();
            json::write(&Raw::new(record.body), &mut text);
            Cow::Owned(String::from_utf8_lossy(&text).into_owned())
        }
        _ if is_blank(&common.message) => Cow::Borrowed("(no message)"),
        _ => common.message.clone(),
    }
}

/// Receivers treat a text of white space as absent.
fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// `Pod shop/cart-1`, as far as it is known; empty if nothing is.
pub(super) fn object(object: &RecordObject<'_>) -> String {
    let kind = if is_blank(object.kind) { object.resource } else { object.kind };
    let mut text = if is_blank(kind) { String::new() } else { kind.to_owned() };
    for (sign, part) in [(" ", object.namespace), ("/", object.name)] {
        let sign = if is_blank(object.namespace) && sign == "/" { " " } else { sign };
        if !is_blank(part) {
            text.push_str(if text.is_empty() { "" } else { sign });
            text.push_str(part);
        }
    }
    text
}

/// `Unhealthy Pod shop/cart-1: Readiness probe failed`.
pub(super) fn summary(record: &Record<'_, '_>, common: &Common<'_>, object: &str) -> String {
    let (rule, message) = (rule(record, common), message(record, common));
    let space = if object.is_empty() { "" } else { " " };
    format!("{rule}{space}{object}: {message}")
}

/// The key of the series, the same for each occurrence: the event object's uid, the constraint with the violating object,
/// or the request. It has at most so many characters.
pub(super) fn series(record: &Record<'_, '_>, most_characters: usize) -> String {
    let key = match record.content {
        Content::Event(event) if event.metadata.uid.is_empty() => {
            format!("{:032x}", identity::series(event).0)
        }
        Content::Event(event) => event.metadata.uid.to_string(),
        Content::Audit(audit) => audit.audit_id.to_string(),
        Content::Violation(violation) => {
            let (constraint, resource) = (&violation.constraint, &violation.resource);
            [
                &constraint.kind,
                &constraint.namespace,
                &constraint.name,
                &resource.api_version,
                &resource.kind,
                &resource.namespace,
                &resource.name,
            ]
            .map(|part| &**part)
            .join("/")
        }
        Content::Other => record.id.to_owned(),
    };
    named_within(key, most_characters)
}

/// A key of at most so many characters. A longer one ends in a hash of the whole key, so that two keys stay distinct.
pub(super) fn named_within(key: String, most_characters: usize) -> String {
    const HASH_CHARACTERS: usize = 33;
    if key.chars().count() <= most_characters {
        return key;
    }
    let hash = xxh3_128(key.as_bytes());
    let mut short: String = key.chars().take(most_characters.saturating_sub(HASH_CHARACTERS)).collect();
    // Writing to a String cannot fail.
    let _ = write!(short, "-{hash:032x}");
    short
}

/// At most so many characters, with a mark if it is cut.
fn cut(text: &str, most_characters: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most_characters) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let kept: String = text.chars().take(most_characters.saturating_sub(1)).collect();
            Cow::Owned(format!("{kept}{CUT}"))
        }
    }
}

/// Cuts texts to the limits of a receiver, and records whether it cut any.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    has_cut: Cell<bool>,
}

impl Cutter {
    /// The text within the limit, with a mark if it is cut.
    pub(super) fn text<'t>(&self, text: impl Into<Cow<'t, str>>, limit: &Limit) -> Cow<'t, str> {
        let text = text.into();
        // A character has at least one byte.
        if text.len() <= limit.usize() {
            return text;
        }
        let cut = match limit.unit {
            Unit::Bytes => cut_bytes(&text, limit.usize()),
            _ => cut(&text, limit.usize()),
        };
        match cut {
            Cow::Borrowed(_) => text,
            Cow::Owned(cut) => {
                self.has_cut.set(true);
                Cow::Owned(cut)
            }
        }
    }

    /// Records that something was left out.
    pub(super) fn leave_out(&self) {
        self.has_cut.set(true);
    }

    /// Whether a text was cut or something was left out.
    pub(super) fn has_cut(&self) -> bool {
        self.has_cut.get()
    }
}

/// At most so many bytes, with a mark if it is cut.
fn cut_bytes(text: &str, most_bytes: usize) -> Cow<'_, str> {
    if text.len() <= most_bytes {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(most_bytes.saturating_sub(CUT.len_utf8()));
    Cow::Owned(format!("{}{CUT}", &text[..end]))
}

/// `shop/cart`.
pub(super) fn service(service: &Affected<'_>) -> String {
    format!("{}/{}", service.namespace, service.name)
}

/// `shop/cart, shop/front`; `None` if no Service is under impact.
pub(super) fn services(impact: &Impact<'_>) -> Option<String> {
    let all: Vec<_> = impact.services.iter().map(service).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// `shop/cart 0/2, shop/front 3/5`: each with its ready endpoints of all.
pub(super) fn services_in_numbers(impact: &Impact<'_>) -> Option<String> {
    let one = |of: &Affected<'_>| format!("{} {}/{}", service(of), of.endpoints_ready, of.endpoints_total);
    let all: Vec<_> = impact.services.iter().map(one).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// Pairs that become a map in their order; those with an empty value are left out.
#[derive(Default)]
pub(super) struct TextPairs<'r>(Vec<(&'static str, Cow<'r, str>)>);

impl<'r> TextPairs<'r> {
    /// Adds a pair, unless its value is empty.
    pub(super) fn add(&mut self, name: &'static str, value: impl Into<Cow<'r, str>>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.push((name, value));
        }
    }
}

impl Serialize for TextPairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_texts_keep_within_their_limits() {
        for characters in 0..300 {
            for filler in ["a", "é", "🦀"] {
                let text = filler.repeat(characters);
                let (key, short) = (named_within(text.clone(), 100), cut(&text, 100));
                assert!(key.chars().count() <= 100 && short.chars().count() <= 100);
                assert_eq!(key == text, characters <= 100);
                assert_eq!(*short == text, characters <= 100);
                let bytes = cut_bytes(&text, 100);
                assert!(bytes.len() <= 100 && bytes.len() + 8 > text.len().min(100));
                assert_eq!(*bytes == text, text.len() <= 100);
            }
        }
        let long = |end: &str| named_within("x".repeat(400) + end, 255);
        assert_ne!(long("a"), long("b"));
        assert_eq!(cut("12345", 4), "123…");
    }

    #[test]
    fn an_object_is_named_by_its_known_parts() {
        let of = |kind, resource, namespace, name| {
            object(&RecordObject { kind, resource, namespace, name, ..RecordObject::default() })
        };
        assert_eq!(of("Pod", "pods", "shop", "cart-1"), "Pod shop/cart-1");
        assert_eq!(of("Node", "", "", "node-a"), "Node node-a");
        assert_eq!(of("", "pods", "shop", ""), "pods shop");
        assert_eq!(of("", "", "", "x"), "x");
        assert_eq!(of("", "", "", ""), "");
        assert_eq!(of(" ", "\t", " ", "\u{2003}"), "");
        assert_eq!(of(" ", "pods", " ", "x"), "pods x");
    }
}
