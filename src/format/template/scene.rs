//! Leaves that are plain paths, `{{ object.labels['app'] | default('-') }}`, or a text of such, which most are: copied
//! from MessagePack to JSON without the engine.
//!
//! What a path finds is what the engine would find (a test holds the two together), at a tenth of its time.

use std::borrow::Cow;

use super::members::{Members, Wanted};
use super::names::ROOTS;
use super::packed::write_packed;
use super::tokens::{Kind, Piece, Token};
use crate::format::json;
use crate::record::cursor::{Cursor, Token as Head};
use crate::record::raw::Raw;

/// Where a value is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    root: Root,
    steps: Vec<Step>,
    /// Its default, for what is not there or null.
    instead: Option<String>,
}

/// A part of a text.
#[derive(Debug)]
pub(super) enum Part {
    /// As it stands in a JSON string.
    Always(Vec<u8>),
    Path(Path),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    /// A member of the native document, by its place among those that are wanted.
    Native(usize),
    Record,
    /// The same place, of what the native document says of the event.
    Event(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    At(usize),
}

impl Wanted {
    /// The path that an expression is, if it is nothing else.
    pub(super) fn path(&mut self, piece: &Piece<'_>) -> Option<Path> {
        let (Kind::Expression, Some(Token::Name(root))) = (piece.kind, piece.token(0)) else { return None };
        let root = ROOTS.into_iter().find(|known| *known == root)?;
        let mut steps = Vec::new();
        let mut at = 1;
        while at < piece.tokens.len() {
            let next = [0, 1, 2].map(|ahead| piece.token(at + ahead));
            let (step, length) = match next {
                [Some(Token::Sign(".")), Some(Token::Name(name)), _] => (Step::Key(name.to_owned()), 2),
                [Some(Token::Sign("[")), Some(Token::Text(text)), Some(Token::Sign("]"))]
                    if !text.contains('\\') =>
                {
                    (Step::Key(text.to_owned()), 3)
                }
                [Some(Token::Sign("[")), Some(Token::Number(number)), Some(Token::Sign("]"))]
                    if number.bytes().all(|digit| digit.is_ascii_digit()) =>
                {
                    (Step::At(number.parse().ok()?), 3)
                }
                _ => break,
            };
            steps.push(step);
            at += length;
        }
        let rest: Vec<_> = piece.tokens.iter().skip(at).map(|(_, token)| *token).collect();
        let instead = match &rest[..] {
            [] => None,
            [
                Token::Sign("|"),
                Token::Name("default" | "d"),
                Token::Sign("("),
                Token::Text(text),
                Token::Sign(")"),
            ] if !text.contains('\\') => Some((*text).to_owned()),
            _ => return None,
        };
        let root = match root {
            "record" => Root::Record,
            "event" => Root::Event(self.place("event")),
            name => Root::Native(self.place(name)),
        };
        Some(Path { root, steps, instead })
    }

    /// The parts of a text, if all its expressions are paths.
    pub(super) fn text(&mut self, source: &str, pieces: &[Piece<'_>]) -> Option<Vec<Part>> {
        let mut parts = Vec::with_capacity(pieces.len() * 2 + 1);
        let always = |text: &str, parts: &mut Vec<Part>| {
            let mut inside = Vec::with_capacity(text.len());
            json::write_inside(text, &mut inside);
            parts.push(Part::Always(inside));
        };
        let mut at = 0;
        for piece in pieces {
            let whole = source.get(piece.start..piece.end)?;
            // It would take the blanks around it.
            if whole.starts_with("{{-") || whole.ends_with("-}}") {
                return None;
            }
            always(source.get(at..piece.start)?, &mut parts);
            parts.push(Part::Path(self.path(piece)?));
            at = piece.end;
        }
        always(source.get(at..)?, &mut parts);
        Some(parts)
    }
}

/// What paths are looked up in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'r> {
    members: &'r Members,
    /// The record as it came.
    record: Raw<'r>,
}

impl<'r> Scene<'r> {
    pub(super) fn new(members: &'r Members, record: &'r [u8]) -> Self {
        Self { members, record: Raw::new(record) }
    }

    fn member(&self, place: usize) -> Option<Raw<'r>> {
        self.members.get(place).map(Raw::new)
    }

    /// Appends what a path leads to, as JSON; or as a text, to stand inside of a JSON string.
    pub(super) fn write(&self, path: &Path, is_text: bool, out: &mut Vec<u8>) {
        let found = self.find(path);
        let found = found.as_deref().map(|bytes| (bytes, Cursor::new(bytes).token()));
        let found = found.filter(|(_, head)| !matches!(head, Err(_) | Ok(Head::Nil | Head::Ext(..))));
        match (found, &path.instead) {
            (Some((bytes, _)), _) if !is_text => write_packed(bytes, out),
            (Some((_, Ok(Head::Str(text) | Head::Bin(text)))), _) => {
                json::write_inside(&String::from_utf8_lossy(text), out);
            }
            (Some((bytes, _)), _) => {
                let mut json = Vec::new();
                write_packed(bytes, &mut json);
                json::write_inside(&String::from_utf8_lossy(&json), out);
            }
            (None, Some(instead)) if is_text => json::write_inside(instead, out),
            (None, Some(instead)) => json::write(instead, out),
            (None, None) if is_text => {}
            (None, None) => out.extend_from_slice(b"null"),
        }
    }

    /// The bytes of the value that a path leads to.
    fn find(&self, path: &Path) -> Option<Cow<'r, [u8]>> {
        let mut steps = path.steps.iter();
        let mut found = match path.root {
            Root::Native(place) => self.member(place)?,
            Root::Record => self.record,
            Root::Event(place) => match (self.member(place), steps.next()) {
                (own, None) => own.unwrap_or(self.record),
                (own, Some(Step::Key(name))) => own
                    .and_then(|own| own.get(name))
                    .or_else(|| self.record.get(first_name(self.record, name)))?,
                (_, Some(Step::At(_))) => return None,
            },
        };
        // Only the members themselves are structs: below them stands what a record said.
        let mut is_struct = matches!(path.root, Root::Native(_));
        while let Some(step) = steps.next() {
            found = match step {
                Step::Key(name) if std::mem::take(&mut is_struct) => found.get_first(name)?,
                Step::Key(name) => found.get(name)?,
                Step::At(index) => match Cursor::new(found.bytes()).token() {
                    Ok(Head::Str(text) | Head::Bin(text)) => {
                        return character(&String::from_utf8_lossy(text), *index, steps).map(Cow::Owned);
                    }
                    _ => item(found, *index)?,
                },
            };
        }
        Some(Cow::Borrowed(found.bytes()))
    }
}

/// A character of a text, which has itself as its first, as a text of MessagePack.
fn character<'s>(text: &str, index: usize, mut steps: impl Iterator<Item = &'s Step>) -> Option<Vec<u8>> {
    let found = text.chars().nth(index).filter(|_| steps.all(|step| *step == Step::At(0)))?;
    let mut packed = Vec::new();
    // A Vec takes everything.
    let _ = rmp::encode::write_str(&mut packed, found.encode_utf8(&mut [0; 4]));
    Some(packed)
}

/// An item of a list.
pub(super) fn item(list: Raw<'_>, index: usize) -> Option<Raw<'_>> {
    let mut cursor = Cursor::new(list.bytes());
    let Ok(Head::Array(len)) = cursor.token() else { return None };
    if index >= usize::try_from(len).ok()? {
        return None;
    }
    for _ in 0..index {
        cursor.skip().ok()?;
    }
    let start = cursor;
    cursor.skip().ok()?;
    Some(Raw::new(start.up_to(&cursor)))
}

/// What events.k8s.io/v1 calls what core/v1 calls so (`staging/src/k8s.io/api/events/v1/types.go`).
const OTHER_NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("count", "deprecatedCount"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("source", "deprecatedSource"),
    ("reportingComponent", "reportingController"),
];

/// The name under which a record has a member: by that of core/v1 the one of either API group is found.
pub(super) fn first_name<'n>(record: Raw<'_>, name: &'n str) -> &'n str {
    match OTHER_NAMES.iter().find(|(core, _)| *core == name) {
        Some((_, other)) if record.get(name).is_none_or(|said| said.is_null()) => other,
        _ => name,
    }
}
