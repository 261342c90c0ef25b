//! What must not leave is taken out of a record before anything is made of it.
//!
//! A rule names a field as `format native` does, and `paths` knows where that stands in a record as it came. So the
//! body itself is written anew by `writer`, without the field or with a hash in its place, and every format, the dead
//! letters included, is made of what is left. What a Secret holds is taken out without a rule: `scan` checks whether there
//! may be one, `secrets` finds it, `texts` finds it in a text (`named` and `spelled` know how texts are written), and `allowed` lists what may leave of it. `applied` knows
//! the annotations in which tools keep whole objects, `uri` what a request may say behind its path.
//!
//! Identity, version and selection are decided before, by what the record really says.

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

/// Whether a text spells out an object that holds secrets.
#[must_use]
pub fn holds_a_secret(text: &str) -> bool {
    let text = text.as_bytes();
    text_secrets::kept_of(text, secret_objects::Checks::at(text, Kind::Other), text_secrets::MOST_TEXTS)
        != text_secrets::Kept::All
}

/// What stands in the place of what a Secret holds.
const REDACTED: &str = "[redacted]";

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is absent.
    Remove,
    /// `sha256:` and 128 bits of the hash of its text stand there: the same for the same text, here and everywhere. Of
    /// a list or a map each value is hashed.
    Hash,
    /// A text of more bytes ends at the last character within them, with a mark.
    Cut(usize),
}

/// What records say to people, by the path.
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
    /// A star somewhere in it.
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

/// A path into a record as it came. Lists are passed through: a step is taken in each of their items.
#[derive(Debug, Clone, PartialEq)]
struct Rule {
    path: Vec<PathStep>,
    action: Action,
}

/// The rules of one instance, for each kind.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    events: Vec<Rule>,
    audits: Vec<Rule>,
    violations: Vec<Rule>,
    others: Vec<Rule>,
    max_message_bytes: usize,
    /// Where messages stand, for those that are cut.
    messages: Vec<Rule>,
}

impl Redactor {
    /// No rules yet, but for messages longer than this, which are cut.
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
    /// When there is no such field, or it is what distinguishes records.
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

    /// Whether something may have to be taken out of bytes that nobody can read.
    #[must_use]
    pub fn may_take_out_of(&self, bytes: &[u8]) -> bool {
        let rules = [&self.events, &self.audits, &self.violations, &self.others];
        rules.into_iter().any(|rules| !rules.is_empty()) || secret_objects::may_hold_one(bytes)
    }

    /// The body without what must not leave; `None` when there is nothing of it in this one, and nothing at all should
    /// it be no whole value.
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
        // A body was measured when it was read, so it is whole. Should it not be, nothing of it leaves.
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
