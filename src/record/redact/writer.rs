//! Writes a copy of a record without what must not leave.

use std::borrow::Cow;

use rmp::encode;
use sha2::{Digest, Sha256};

use super::allow_list::Allowed;
use super::secret_objects::Checks;
use super::text_secrets::{self, Kept};
use super::{Action, PathStep, REDACTED, last_applied, request_uri};
use crate::kind::Kind;
use crate::record::cursor::{Cursor, DecodeError, Token};
use crate::record::raw::Raw;
use crate::record::text::plain;

/// Hexadecimal digits of a hash; enough that no two names in a company collide.
const HASH_DIGITS: usize = 32;

/// A rule with the remaining steps of its path.
pub(super) type Active<'r> = (&'r [PathStep], Action);

pub(super) struct RedactingWriter {
    out: Vec<u8>,
    has_changed: bool,
    checks: Checks,
    /// How many nested texts may still be opened.
    texts_left: u8,
}

/// How to copy a value.
#[derive(Debug, Clone, Copy, Default)]
struct Mode {
    /// What may leave, whatever the rules are.
    allowed: Allowed,
    /// A map here refers to an object.
    refers: bool,
    /// Hash each text and number in it.
    hashes: bool,
    /// Cut a longer text.
    most_bytes: Option<usize>,
}

/// Whether a document in a text contains something that must not leave.
pub(super) fn reveals(document: &[u8], texts_left: u8) -> bool {
    let checks = Checks::at(document, Kind::Other);
    if checks.is_done() {
        return false;
    }
    let mut writer = RedactingWriter::new(checks, texts_left, 0);
    let written = writer.value(&mut Cursor::new(document), &[], Mode::default());
    written.is_err() || writer.has_changed
}

impl RedactingWriter {
    pub(super) fn new(checks: Checks, texts_left: u8, bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes), has_changed: false, checks, texts_left }
    }

    /// Copies the whole record; `None` if nothing had to be redacted.
    ///
    /// # Errors
    /// When it is not one whole value.
    pub(super) fn record(
        mut self,
        body: &[u8],
        kind: Kind,
        active: &[Active<'_>],
    ) -> Result<Option<Vec<u8>>, DecodeError> {
        let mut from = Cursor::new(body);
        let start = from;
        let record = Raw::new(whole(start)?);
        let allowed =
            if self.checks.is_done() { Allowed::All } else { self.checks.allowed_of_record(record, kind) };
        let mode = Mode { allowed, ..Mode::default() };
        match from.token()? {
            Token::Map(len) => self.map(record, &mut from, len, active, mode)?,
            _ => self.value(&mut Cursor::new(body), active, mode)?,
        }
        Ok(self.has_changed.then_some(self.out))
    }

    /// Copies the value at the cursor.
    fn value(&mut self, from: &mut Cursor<'_>, active: &[Active<'_>], mode: Mode) -> Result<(), DecodeError> {
        let start = *from;
        let head = from.token()?;
        if !mode.allowed.takes(head) {
            from.skip_children(head)?;
            self.text(REDACTED);
            return Ok(());
        }
        match head {
            Token::Map(len) => {
                let map = Raw::new(whole(start)?);
                let allowed = match mode.allowed {
                    Allowed::All if !self.checks.is_done() => match self.checks.allowed_of(map) {
                        Allowed::Object if mode.refers => Allowed::Reference,
                        allowed => allowed,
                    },
                    Allowed::Foreign => Allowed::Object,
                    // A client cannot write an object here, so an object really is one.
                    Allowed::Unread
                        if self.checks.hints.words && self.checks.allowed_of(map) == Allowed::Object =>
                    {
                        Allowed::Object
                    }
                    known => known,
                };
                self.map(map, from, len, active, Mode { allowed, refers: false, most_bytes: None, ..mode })
            }
            Token::Array(len) => {
                self.out.extend_from_slice(start.up_to(from));
                (0..len).try_for_each(|_| self.value(from, active, Mode { most_bytes: None, ..mode }))
            }
            // Null is not a secret.
            Token::Nil => {
                self.out.extend_from_slice(start.up_to(from));
                Ok(())
            }
            Token::Str(text) | Token::Bin(text) => {
                self.scalar_text(text, start.up_to(from), mode);
                Ok(())
            }
            _ if mode.hashes => {
                self.hash(number(start.up_to(from)).as_bytes());
                Ok(())
            }
            _ => {
                self.out.extend_from_slice(start.up_to(from));
                Ok(())
            }
        }
    }

    /// Copies a text; `bytes` is the text with its head.
    fn scalar_text(&mut self, text: &[u8], bytes: &[u8], mode: Mode) {
        let kept = match mode.allowed {
            Allowed::All | Allowed::AllButData | Allowed::Foreign if !self.checks.is_done() => {
                text_secrets::kept_of(text, self.checks, self.texts_left)
            }
            _ => Kept::All,
        };
        match kept {
            Kept::All => {}
            // Takes precedence over hashing, because a short secret can be guessed from its hash.
            Kept::Nothing => return self.text(REDACTED),
            Kept::Beginning(kept) if mode.hashes => return self.hash(kept),
            Kept::Beginning(kept) => {
                return self.text(&format!("{}… {REDACTED}", String::from_utf8_lossy(kept)));
            }
        }
        if mode.hashes {
            return self.hash(text);
        }
        if mode.allowed == Allowed::Uri
            && let Cow::Owned(shown) = request_uri::without_values(&String::from_utf8_lossy(text))
            && shown.as_bytes() != text
        {
            return self.text(&shown);
        }
        match mode.most_bytes {
            // The limit applies to the written form, in which a control character is longer.
            Some(most_bytes) if as_written(text).len() > most_bytes => {
                let text = as_written(text);
                let kept = &text[..text.floor_char_boundary(most_bytes)];
                self.text(&format!("{kept}… ({} of {} bytes)", kept.len(), text.len()));
            }
            _ => self.out.extend_from_slice(bytes),
        }
    }

    fn map(
        &mut self,
        map: Raw<'_>,
        from: &mut Cursor<'_>,
        len: u32,
        active: &[Active<'_>],
        mode: Mode,
    ) -> Result<(), DecodeError> {
        // The number of remaining pairs is known only at the end, so the head uses the encoding of fixed
        // size.
        let head = self.out.len();
        self.out.extend_from_slice(&[0xdf, 0, 0, 0, 0]);
        let mut kept: u32 = 0;
        let mut has_unnamed = false;
        let is_of_another = mode.allowed == Allowed::AuditOfAnother;
        let patches_one = self.checks.hints.applied && patches_what_tools_keep(map);
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
            let allowed = self.allowed(mode.allowed, name, patches_one);
            let Some(allowed) = allowed else {
                from.skip()?;
                if !std::mem::replace(&mut has_unnamed, true) {
                    self.text(REDACTED);
                    self.text(REDACTED);
                    kept += 1;
                }
                continue;
            };
            self.out.extend_from_slice(key_bytes);
            kept += 1;
            let mode = Mode {
                allowed,
                refers: matches!(name, b"involvedObject" | b"regarding" | b"related"),
                hashes: mode.hashes || has(|action| *action == Action::Hash),
                most_bytes: here.iter().find_map(|(_, action)| match action {
                    Action::Cut(most_bytes) => Some(*most_bytes),
                    _ => None,
                }),
            };
            // The name of a body only shows that there is one. Whether it has something to hide depends on
            // its content.
            let around = self.checks;
            if is_of_another && allowed == Allowed::All {
                self.checks = self.checks.inside(whole(*from)?);
            }
            let is_free = match allowed {
                Allowed::All => self.checks.is_done(),
                Allowed::Unread => !self.checks.hints.words,
                _ => false,
            };
            if is_free && below.is_empty() && !mode.hashes && mode.most_bytes.is_none() {
                let start = *from;
                from.skip()?;
                self.out.extend_from_slice(start.up_to(from));
            } else {
                self.value(from, &below, mode)?;
            }
            self.checks = around;
        }
        self.out[head + 1..head + 5].copy_from_slice(&kept.to_be_bytes());
        Ok(())
    }

    /// What may leave of a field of a map; `None` if not even its name may.
    fn allowed(&self, of_map: Allowed, name: &[u8], patches_what_tools_keep: bool) -> Option<Allowed> {
        let is_kept_object = self.checks.hints.applied
            && (last_applied::keeps_an_object(name) || (patches_what_tools_keep && name == b"value"));
        let allowed = of_map.member(name)?;
        match allowed {
            Allowed::All | Allowed::AllButData if is_kept_object => Some(Allowed::Nothing),
            // A key may contain a document too.
            Allowed::All if !self.checks.is_done() => {
                (text_secrets::kept_of(name, self.checks, self.texts_left) == Kept::All).then_some(allowed)
            }
            _ => Some(allowed),
        }
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
        // Writing to a Vec cannot fail.
        let _ = encode::write_str(&mut self.out, text);
    }
}

/// Whether a map is a step of a JSON patch that writes an annotation in which a tool keeps an object.
fn patches_what_tools_keep(map: Raw<'_>) -> bool {
    let is_path = |(name, value): (&[u8], Raw<'_>)| {
        name == b"path" && value.as_text().is_some_and(|path| last_applied::leads_to_one(path.as_bytes()))
    };
    map.named().any(is_path)
}

/// The whole value at the cursor.
fn whole(start: Cursor<'_>) -> Result<&[u8], DecodeError> {
    let mut from = start;
    from.skip()?;
    Ok(start.up_to(&from))
}

/// The JSON form of a number or other scalar, so that all encodings of a number have one hash.
fn number(value: &[u8]) -> String {
    serde_json::to_string(&Raw::new(value)).unwrap_or_default()
}

fn as_written(text: &[u8]) -> Cow<'_, str> {
    plain(String::from_utf8_lossy(text))
}
