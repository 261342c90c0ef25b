//! Renders leaves that are plain paths, such as `{{ object.labels['app'] | default('-') }}`, and texts with such paths.
//! Most leaves are. Their values are copied from MessagePack to JSON without the engine.
//!
//! A path finds what the engine would find, in a tenth of the time; a test compares the two.

use std::borrow::Cow;

use super::members::{Members, Wanted};
use super::names::ROOTS;
use super::packed::write_packed;
use super::tokens::{LeafToken, Piece, PieceKind};
use crate::format::json;
use crate::record::cursor::{Cursor, Token};
use crate::record::raw::Raw;

/// The path to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    root: PathRoot,
    steps: Vec<PathStep>,
    /// The default for a value that is absent or null.
    instead: Option<String>,
}

/// A part of a text with paths.
#[derive(Debug)]
pub(super) enum TextPart {
    /// Text, escaped for a JSON string.
    Always(Vec<u8>),
    Path(Path),
}

/// The variable at the beginning of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PathRoot {
    /// A member of the native document, by its place among the wanted members.
    Native(usize),
    /// The record as it came.
    Record,
    /// The member `event` by its place, and then the record.
    Event(usize),
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PathStep {
    /// A key of a map.
    Key(String),
    /// An index of a list.
    At(usize),
}

impl Wanted {
    /// The path of an expression that is a plain path.
    pub(super) fn path(&mut self, piece: &Piece<'_>) -> Option<Path> {
        let (PieceKind::Expression, Some(LeafToken::Name(root))) = (piece.kind, piece.token(0)) else {
            return None;
        };
        let root = ROOTS.into_iter().find(|known| *known == root)?;
        let mut steps = Vec::new();
        let mut at = 1;
        while at < piece.tokens.len() {
            let next = [0, 1, 2].map(|ahead| piece.token(at + ahead));
            let (step, length) = match next {
                [Some(LeafToken::Sign(".")), Some(LeafToken::Name(name)), _] => {
                    (PathStep::Key(name.to_owned()), 2)
                }
                [Some(LeafToken::Sign("[")), Some(LeafToken::Text(text)), Some(LeafToken::Sign("]"))]
                    if !text.contains('\\') =>
                {
                    (PathStep::Key(text.to_owned()), 3)
                }
                [Some(LeafToken::Sign("[")), Some(LeafToken::Number(number)), Some(LeafToken::Sign("]"))]
                    if number.bytes().all(|digit| digit.is_ascii_digit()) =>
                {
                    (PathStep::At(number.parse().ok()?), 3)
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
                LeafToken::Sign("|"),
                LeafToken::Name("default" | "d"),
                LeafToken::Sign("("),
                LeafToken::Text(text),
                LeafToken::Sign(")"),
            ] if !text.contains('\\') => Some((*text).to_owned()),
            _ => return None,
        };
        let root = match root {
            "record" => PathRoot::Record,
            "event" => PathRoot::Event(self.place("event")),
            name => PathRoot::Native(self.place(name)),
        };
        Some(Path { root, steps, instead })
    }

    /// The parts of a text, if all its expressions are paths.
    pub(super) fn text(&mut self, source: &str, pieces: &[Piece<'_>]) -> Option<Vec<TextPart>> {
        let mut parts = Vec::with_capacity(pieces.len() * 2 + 1);
        let always = |text: &str, parts: &mut Vec<TextPart>| {
            let mut inside = Vec::with_capacity(text.len());
            json::write_inside(text, &mut inside);
            parts.push(TextPart::Always(inside));
        };
        let mut at = 0;
        for piece in pieces {
            let whole = source.get(piece.start..piece.end)?;
            // Such delimiters also remove the blanks around them.
            if whole.starts_with("{{-") || whole.ends_with("-}}") {
                return None;
            }
            always(source.get(at..piece.start)?, &mut parts);
            parts.push(TextPart::Path(self.path(piece)?));
            at = piece.end;
        }
        always(source.get(at..)?, &mut parts);
        Some(parts)
    }
}

/// Looks up paths in a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct PathLookup<'r> {
    members: &'r Members,
    /// The record as it came.
    record: Raw<'r>,
}

impl<'r> PathLookup<'r> {
    pub(super) fn new(members: &'r Members, record: &'r [u8]) -> Self {
        Self { members, record: Raw::new(record) }
    }

    fn member(&self, place: usize) -> Option<Raw<'r>> {
        self.members.get(place).map(Raw::new)
    }

    /// Appends the value of a path as JSON or, if `is_text`, as text for a JSON string.
    pub(super) fn write(&self, path: &Path, is_text: bool, out: &mut Vec<u8>) {
        let found = self.find(path);
        let found = found.as_deref().map(|bytes| (bytes, Cursor::new(bytes).token()));
        let found = found.filter(|(_, head)| !matches!(head, Err(_) | Ok(Token::Nil | Token::Ext(..))));
        match (found, &path.instead) {
            (Some((bytes, _)), _) if !is_text => write_packed(bytes, out),
            (Some((_, Ok(Token::Str(text) | Token::Bin(text)))), _) => {
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

    /// The MessagePack of a path's value.
    fn find(&self, path: &Path) -> Option<Cow<'r, [u8]>> {
        let mut steps = path.steps.iter();
        let mut found = match path.root {
            PathRoot::Native(place) => self.member(place)?,
            PathRoot::Record => self.record,
            PathRoot::Event(place) => match (self.member(place), steps.next()) {
                (own, None) => own.unwrap_or(self.record),
                (own, Some(PathStep::Key(name))) => own
                    .and_then(|own| own.get(name))
                    .or_else(|| self.record.get(first_name(self.record, name)))?,
                (_, Some(PathStep::At(_))) => return None,
            },
        };
        // Only the members themselves are structs; below them are values of the record.
        let mut is_struct = matches!(path.root, PathRoot::Native(_));
        while let Some(step) = steps.next() {
            found = match step {
                PathStep::Key(name) if std::mem::take(&mut is_struct) => found.get_first(name)?,
                PathStep::Key(name) => found.get(name)?,
                PathStep::At(index) => match Cursor::new(found.bytes()).token() {
                    Ok(Token::Str(text) | Token::Bin(text)) => {
                        return character(&String::from_utf8_lossy(text), *index, steps).map(Cow::Owned);
                    }
                    _ => item(found, *index)?,
                },
            };
        }
        Some(Cow::Borrowed(found.bytes()))
    }
}

/// A character of a text, as MessagePack. Index 0 of a character is the character itself.
fn character<'s>(text: &str, index: usize, mut steps: impl Iterator<Item = &'s PathStep>) -> Option<Vec<u8>> {
    let found = text.chars().nth(index).filter(|_| steps.all(|step| *step == PathStep::At(0)))?;
    let mut packed = Vec::new();
    // Writing to a Vec cannot fail.
    let _ = rmp::encode::write_str(&mut packed, found.encode_utf8(&mut [0; 4]));
    Some(packed)
}

/// An item of a list.
pub(super) fn item(list: Raw<'_>, index: usize) -> Option<Raw<'_>> {
    let mut cursor = Cursor::new(list.bytes());
    let Ok(Token::Array(len)) = cursor.token() else { return None };
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

/// Names in core/v1 and in events.k8s.io/v1 (`staging/src/k8s.io/api/events/v1/types.go`).
const OTHER_NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("count", "deprecatedCount"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("source", "deprecatedSource"),
    ("reportingComponent", "reportingController"),
];

/// The name that a record uses for a member of core/v1: its own, or that of events.k8s.io/v1.
pub(super) fn first_name<'n>(record: Raw<'_>, name: &'n str) -> &'n str {
    match OTHER_NAMES.iter().find(|(core, _)| *core == name) {
        Some((_, other)) if record.get(name).is_none_or(|said| said.is_null()) => other,
        _ => name,
    }
}
