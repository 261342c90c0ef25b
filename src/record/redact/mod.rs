//! What must not leave is taken out of a record before anything is made of it.
//!
//! A rule names a field as `format native` does, and `paths` knows where that stands in a record as it came. So the
//! body itself is written anew, without the field or with a hash in its place, and every format, the dead letters
//! included, is made of what is left. What a Secret holds is taken out without a rule (`secrets`).
//!
//! Identity, version and admission are decided before, by what the record really says.

mod paths;
mod secrets;

use std::borrow::Cow;

use rmp::encode;
use sha2::{Digest, Sha256};

use super::cursor::{Cursor, Fault, Token};
use super::raw::Raw;
use super::text::plain;
use crate::kind::Kind;
use crate::pattern::Patterns;
use crate::record::content::Content;

pub use paths::BadPath;

/// What stands in the place of what a Secret holds.
const REDACTED: &str = "[redacted]";
/// Hexadecimal digits of a hash: enough that no two names of a company share one.
const HASH_DIGITS: usize = 32;

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
enum Step {
    Key(Box<str>),
    /// A star somewhere in it.
    Any(Patterns),
}

impl Step {
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
    path: Vec<Step>,
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
            path: path.iter().map(|step| Step::Key((*step).into())).collect(),
            action: Action::Cut(max_message_bytes),
        };
        Self { max_message_bytes, messages: MESSAGES.iter().map(rule).collect(), ..Self::default() }
    }

    /// Adds a rule for a field of `format native`, such as `audit.user.extra` or `violation.details`.
    ///
    /// # Errors
    /// When there is no such field, or it is what records are told apart by.
    pub fn add(&mut self, field: &str, action: Action) -> Result<(), BadPath> {
        for (kind, path) in paths::in_records(field)? {
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
        rules.into_iter().any(|rules| !rules.is_empty()) || secrets::may_hold_one(bytes)
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
        let looks = secrets::Looks::at(body, kind);
        let is_long = message(content).len() > self.max_message_bytes;
        if rules.is_empty() && looks == secrets::Looks::default() && !is_long {
            return None;
        }
        let mut writer = Writer { out: Vec::with_capacity(body.len()), has_changed: false, looks };
        let messages = self.messages.iter().filter(|_| is_long);
        let active: Vec<_> = rules.iter().chain(messages).map(|rule| (&rule.path[..], rule.action)).collect();
        match writer.value(&mut Cursor::new(body), &active, Mode::default()) {
            Ok(()) => writer.has_changed.then_some(writer.out),
            // A body was measured when it was read, so it is whole. Should it not be, nothing of it leaves.
            Err(_) => Some(Vec::new()),
        }
    }
}

/// A rule on its way down: the steps that are left.
type Active<'r> = (&'r [Step], Action);

struct Writer {
    out: Vec<u8>,
    has_changed: bool,
    looks: secrets::Looks,
}

/// How a value is copied.
#[derive(Debug, Clone, Copy, Default)]
struct Mode {
    /// It stands in a Secret, or in an audit record about one.
    secret: bool,
    /// Each text and number in it is hashed.
    hashes: bool,
    /// A text is cut.
    most_bytes: Option<usize>,
}

impl Writer {
    /// Copies the value that starts here.
    fn value(&mut self, from: &mut Cursor<'_>, active: &[Active<'_>], mode: Mode) -> Result<(), Fault> {
        let start = *from;
        match from.token()? {
            Token::Map(len) => {
                let secret = mode.secret || self.looks.is_secret(Raw::new(whole(start)?));
                self.map(from, len, active, Mode { secret, most_bytes: None, ..mode })
            }
            Token::Array(len) => {
                self.out.extend_from_slice(start.up_to(from));
                (0..len).try_for_each(|_| self.value(from, active, Mode { most_bytes: None, ..mode }))
            }
            // Nothing is no secret.
            Token::Nil => {
                self.out.extend_from_slice(start.up_to(from));
                Ok(())
            }
            token if mode.hashes => {
                match token {
                    Token::Str(text) | Token::Bin(text) => self.hash(text),
                    _ => self.hash(number(start.up_to(from)).as_bytes()),
                }
                Ok(())
            }
            Token::Str(text) | Token::Bin(text) => {
                match (self.looks.before_bodies(text), mode.most_bytes) {
                    (Some(kept), _) => self.text(&format!("{}… {REDACTED}", String::from_utf8_lossy(kept))),
                    // As long as it is told: a control character is told by its number.
                    (None, Some(most_bytes)) if told(text).len() > most_bytes => {
                        let text = told(text);
                        let kept = &text[..text.floor_char_boundary(most_bytes)];
                        self.text(&format!("{kept}… ({} of {} bytes)", kept.len(), text.len()));
                    }
                    _ => self.out.extend_from_slice(start.up_to(from)),
                }
                Ok(())
            }
            _ => {
                self.out.extend_from_slice(start.up_to(from));
                Ok(())
            }
        }
    }

    fn map(
        &mut self,
        from: &mut Cursor<'_>,
        len: u32,
        active: &[Active<'_>],
        mode: Mode,
    ) -> Result<(), Fault> {
        // How many pairs stay is known at the end, so the head is of the one form whose size never changes.
        let head = self.out.len();
        self.out.extend_from_slice(&[0xdf, 0, 0, 0, 0]);
        let mut kept: u32 = 0;
        for _ in 0..len {
            let key_start = *from;
            let key = from.token()?;
            from.skip_children(key)?;
            let key_bytes = key_start.up_to(from);
            let name = match key {
                Token::Str(name) | Token::Bin(name) => name,
                _ => b"",
            };
            let taken = active.iter().filter(|(path, _)| path.first().is_some_and(|step| step.takes(name)));
            let (here, below): (Vec<_>, Vec<_>) =
                taken.map(|(path, action)| (&path[1..], *action)).partition(|(path, _)| path.is_empty());
            let has = |wanted: fn(&Action) -> bool| here.iter().any(|(_, action)| wanted(action));
            if has(|action| *action == Action::Remove) {
                from.skip()?;
                self.has_changed = true;
                continue;
            }
            self.out.extend_from_slice(key_bytes);
            kept += 1;
            // Before any rule: a hash of a short secret tells it to whoever tries them all.
            if (mode.secret && secrets::is_one(name)) || self.looks.holds_one(name, *from) {
                from.skip()?;
                self.text(REDACTED);
                continue;
            }
            let mode = Mode {
                hashes: mode.hashes || has(|action| *action == Action::Hash),
                most_bytes: here.iter().find_map(|(_, action)| match action {
                    Action::Cut(most_bytes) => Some(*most_bytes),
                    _ => None,
                }),
                ..mode
            };
            let is_copied = below.is_empty()
                && !mode.hashes
                && mode.most_bytes.is_none()
                && !mode.secret
                && self.looks.is_done();
            if is_copied {
                let start = *from;
                from.skip()?;
                self.out.extend_from_slice(start.up_to(from));
            } else {
                self.value(from, &below, mode)?;
            }
        }
        self.out[head + 1..head + 5].copy_from_slice(&kept.to_be_bytes());
        Ok(())
    }

    fn hash(&mut self, said: &[u8]) {
        let mut text = String::from("sha256:");
        for byte in Sha256::digest(said).iter().take(HASH_DIGITS / 2) {
            for digit in [byte >> 4, byte & 0x0f] {
                text.extend(char::from_digit(u32::from(digit), 16));
            }
        }
        self.text(&text);
    }

    fn text(&mut self, text: &str) {
        self.has_changed = true;
        // A Vec takes everything.
        let _ = encode::write_str(&mut self.out, text);
    }
}

/// The whole value that starts here.
fn whole(start: Cursor<'_>) -> Result<&[u8], Fault> {
    let mut from = start;
    from.value()
}

/// What is no text as JSON has it: of all ways to write a number there is one hash.
fn number(value: &[u8]) -> String {
    serde_json::to_string(&Raw::new(value)).unwrap_or_default()
}

fn told(text: &[u8]) -> Cow<'_, str> {
    plain(String::from_utf8_lossy(text))
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
