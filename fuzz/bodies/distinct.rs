//! Nothing distinct is a duplicate: a record that says one thing more than another is another, unless what identifies
//! both says that they are one.

use event_gateway::kind::Kind;
use event_gateway::record::classify::{Within, each};
use event_gateway::record::content::Content;
use event_gateway::record::cursor::{Cursor, Token};
use event_gateway::record::identity::{Versioned, versioned};
use event_gateway::record::raw::Raw;

/// A body of a known kind, and what the ledger would remember of it.
pub fn check(body: &[u8], content: &Content<'_, '_>) {
    let Some(before) = versioned(content, body) else { return };
    let kind = content.kind();
    assert_eq!(before, versioned(content, body).unwrap());
    // What a filter of the host appends says nothing new, nor does what is said again.
    for (key, value) in [("hostname", packed("node-a")), ("kubernetes", vec![0x81, 0xa1, b'a', 1])] {
        same(kind, &before, &with(body, key, &value));
    }
    for key in ["message", "requestURI", "details", "metadata"] {
        let said = Raw::new(body).get(key).map(|said| said.bytes().to_vec());
        if let Some(said) = said.filter(|said| *said != [0xc0]) {
            same(kind, &before, &with(body, key, &said));
        }
    }
    let (identified, others): (bool, &[&str]) = match content {
        Content::Event(event) => (
            !event.metadata.uid.is_empty() && !event.metadata.resource_version.is_empty(),
            &["message", "reason", "reportingInstance", "lastTimestamp", "action", "related"],
        ),
        Content::Audit(_) => (false, &["requestURI", "stage", "verb", "stageTimestamp"]),
        Content::Violation(_) => (false, &["message", "details", "resourceName", "id"]),
        Content::Other => unreachable!("the ledger knows nothing of it"),
    };
    for key in others {
        let other = with(body, key, &packed("something that no mutant says"));
        let Some(after) = read(kind, &other) else { continue };
        assert_eq!(before == after, identified, "{kind:?} with another {key}");
    }
}

fn same(kind: Kind, before: &Versioned, body: &[u8]) {
    if let Some(after) = read(kind, body) {
        assert_eq!((after.identity, after.version), (before.identity, before.version));
    }
}

/// The body with one more member, which stands behind all others.
fn with(body: &[u8], key: &str, value: &[u8]) -> Vec<u8> {
    let mut members = Cursor::new(body);
    let Ok(Token::Map(len)) = members.token() else { return Vec::new() };
    let mut more = vec![0xdf];
    more.extend_from_slice(&(len + 1).to_be_bytes());
    more.extend_from_slice(&body[members.offset()..]);
    more.extend_from_slice(&packed(key));
    more.extend_from_slice(value);
    more
}

fn packed(text: &str) -> Vec<u8> {
    rmp_serde::to_vec(text).unwrap()
}

/// What the ledger would remember, if the body is still one of this kind.
fn read(kind: Kind, body: &[u8]) -> Option<Versioned> {
    let arena = bumpalo::Bump::new();
    let mut read = None;
    each(body, Within::List, &arena, &mut |body, content| {
        if content.kind() == kind {
            read = versioned(content, body);
        }
    });
    read
}
