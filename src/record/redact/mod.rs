//! Removes secrets and configured fields from a record before any format uses it.
//!
//! A rule names a field as in `format native`, and `field_paths` knows where that is in the record. `writer`
//! copies the record without the field, or with a hash in its place, and every format and the dead letters
//! use the copy.
//!
//! Secrets are removed without a rule: `prefilter` checks whether a record may contain one, `secret_objects`
//! finds objects, `text_secrets` finds them in texts (with `named_kinds` and `unescape`), and `allow_list`
//! lists what may leave. `last_applied` knows the annotations in which tools keep whole objects;
//! `request_uri` redacts the query of a request.
//!
//! Identity, version and selection use the unredacted record.

mod allow_list;
mod field_paths;
mod last_applied;
mod named_kinds;
mod prefilter;
mod request_uri;
mod secret_objects;
mod text_secrets;
mod unescape;
mod writer;

use self::writer::RedactingWriter;
use crate::kind::Kind;
use crate::pattern::Patterns;
use crate::record::content::Content;

pub use field_paths::PathError;
pub use last_applied::keeps_an_object;
pub(super) use secret_objects::is_kind as is_secret_kind;

/// Whether a text contains an object with secrets.
#[must_use]
pub fn holds_a_secret(text: &str) -> bool {
    let text = text.as_bytes();
    text_secrets::kept_of(text, secret_objects::Checks::at(text, Kind::Other), text_secrets::MOST_TEXTS)
        != text_secrets::Kept::All
}

/// Replaces a secret.
const REDACTED: &str = "[redacted]";

/// What to do with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Remove it.
    Remove,
    /// Replace it by `sha256:` and 128 bits of the hash of its text, which is the same everywhere for the
    /// same text. In a list or a map, each value is hashed.
    Hash,
    /// Cut a text above this many bytes, at a character boundary, and mark it.
    Cut(usize),
}

/// Paths of the messages for people.
const MESSAGES: [&[&str]; 4] = [&["message"], &["note"], &["msg"], &["responseStatus", "message"]];

fn message<'r>(content: &Content<'r, '_>) -> &'r str {
    match content {
        Content::Event(event) => &event.message,
        Content::Audit(audit) => &audit.response.message,
        Content::Violation(violation) => &violation.message,
        Content::Other => "",
    }
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
enum PathStep {
    Key(Box<str>),
    /// It contains a star.
    Any(Patterns),
}

impl PathStep {
    fn takes(&self, key: &[u8]) -> bool {
        match self {
            Self::Key(name) => name.as_bytes() == key,
            Self::Any(patterns) => patterns.matches(&String::from_utf8_lossy(key)),
        }
    }
}

/// A path in a record as it came. A step into a list is taken in each of its items.
#[derive(Debug, Clone, PartialEq)]
struct Rule {
    path: Vec<PathStep>,
    action: Action,
}

/// The rules of one instance, by kind.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    events: Vec<Rule>,
    audits: Vec<Rule>,
    violations: Vec<Rule>,
    others: Vec<Rule>,
    max_message_bytes: usize,
    /// Paths of messages, which are cut.
    messages: Vec<Rule>,
}

impl Redactor {
    /// A redactor without rules, except that messages longer than this are cut.
    #[must_use]
    pub fn new(max_message_bytes: usize) -> Self {
        let rule = |path: &&[&str]| Rule {
            path: path.iter().map(|step| PathStep::Key((*step).into())).collect(),
            action: Action::Cut(max_message_bytes),
        };
        Self { max_message_bytes, messages: MESSAGES.iter().map(rule).collect(), ..Self::default() }
    }

    /// Adds a rule for a field of `format native`, such as `audit.user.extra` or `violation.details`.
    ///
    /// # Errors
    /// When there is no such field, or records are distinguished by it.
    pub fn add(&mut self, field: &str, action: Action) -> Result<(), PathError> {
        for (kind, path) in field_paths::in_records(field)? {
            let rules = match kind {
                Kind::Event => &mut self.events,
                Kind::Audit => &mut self.audits,
                Kind::Violation => &mut self.violations,
                Kind::Other => &mut self.others,
            };
            rules.push(Rule { path, action });
        }
        Ok(())
    }

    /// Whether bytes that cannot be decoded may contain something to redact.
    #[must_use]
    pub fn may_take_out_of(&self, bytes: &[u8]) -> bool {
        let rules = [&self.events, &self.audits, &self.violations, &self.others];
        rules.into_iter().any(|rules| !rules.is_empty()) || secret_objects::may_hold_one(bytes)
    }

    /// The redacted body; `None` if nothing has to be redacted. Empty if the body is not one whole value.
    #[must_use]
    pub fn redact(&self, content: &Content<'_, '_>, body: &[u8]) -> Option<Vec<u8>> {
        let kind = content.kind();
        let rules = match kind {
            Kind::Event => &self.events,
            Kind::Audit => &self.audits,
            Kind::Violation => &self.violations,
            Kind::Other => &self.others,
        };
        let checks = secret_objects::Checks::at(body, kind);
        let is_long = message(content).len() > self.max_message_bytes;
        if rules.is_empty() && checks == secret_objects::Checks::default() && !is_long {
            return None;
        }
        let writer = RedactingWriter::new(checks, text_secrets::MOST_TEXTS, body.len());
        let messages = self.messages.iter().filter(|_| is_long);
        let active: Vec<_> = rules.iter().chain(messages).map(|rule| (&rule.path[..], rule.action)).collect();
        // Every body was measured when it was read, so it is whole. If it is not, nothing of it leaves.
        writer.record(body, kind, &active).unwrap_or_else(|_| Some(Vec::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_not_whole_nothing_leaves() {
        let mut redactor = Redactor::new(100);
        redactor.add("record.secret", Action::Remove).unwrap();
        let content = Content::Other;
        assert_eq!(redactor.redact(&content, b"\x81\xa1a\x01"), None);
        assert_eq!(redactor.redact(&content, b"\x82\xa1a\x01"), Some(Vec::new()));
    }
}
