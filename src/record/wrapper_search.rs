//! Finds all records of known kinds in a wrapper.

use bumpalo::Bump;

use super::cursor::{Cursor, Token};
use super::json_in_text::documents;
use super::raw::Raw;
use super::shape::{Items, Shape, shape_of};
use super::text::Repair;
use super::violation::Violation;
use super::wrapper::{self, Member};

/// Maximum nesting of wrappers. A Kafka payload with an Event Hub row that contains a line of a container's
/// log needs five.
const MOST_WRAPPERS: u8 = 6;

/// A wrapper often has the same record twice, as in `log` and `log_processed`. At most this many bodies and
/// lists are compared.
const MOST_COMPARED: usize = 12;

/// How many nested wrappers may still be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left(u8);

impl Default for Left {
    fn default() -> Self {
        Self(MOST_WRAPPERS)
    }
}

impl Left {
    fn one_less(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

/// Where a body came from; this limits what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// The record itself: it may be of any kind, a list or a wrapper.
    Record,
    /// A value of a wrapper: a list in it counts only if it has an item of a known kind.
    Wrapper(Left),
    /// An item of a Kubernetes list: it is not searched for wrapped records.
    List,
}

impl Within {
    pub(super) fn left(self) -> Option<Left> {
        match self {
            Self::Record => Some(Left::default()),
            Self::Wrapper(left) => Some(left),
            Self::List => None,
        }
    }
}

/// A body from a wrapper.
#[derive(Debug, Clone, Copy)]
pub struct WrappedBody<'a> {
    /// Borrowed from the wrapper, or built in the arena if the wrapper has it as text.
    pub body: &'a [u8],
    /// For [`classify`](super::classify::classify), which reads the body next.
    pub within: Within,
}

/// The records found in a wrapper. Each part of the wrapper is read once.
pub(super) struct WrapperSearch<'a> {
    arena: &'a Bump,
    /// Empty, or with at least one body of a known kind.
    pub(super) found: Vec<WrappedBody<'a>>,
    /// The lists that were searched.
    lists: Vec<&'a [u8]>,
    /// How many of these came from earlier fields of the outermost wrapper.
    lists_of_others: usize,
    /// The field whose text begins like JSON but is not valid, and why.
    pub(super) invalid: Option<(&'static str, String)>,
}

impl<'a> WrapperSearch<'a> {
    /// Searches the fields of a wrapper.
    pub(super) fn of(wrapper: &'a [u8], left: Left, arena: &'a Bump) -> Self {
        let mut search =
            Self { arena, found: Vec::new(), lists: Vec::new(), lists_of_others: 0, invalid: None };
        if let Some(left) = left.one_less() {
            for member in wrapper::members(wrapper) {
                search.lists_of_others = search.lists.len();
                search.open(member, left);
            }
        }
        search
    }

    /// Searches a wrapper inside the wrapper. Returns whether it contains a known kind.
    fn members(&mut self, wrapper: &'a [u8], left: Left) -> bool {
        let Some(left) = left.one_less() else { return false };
        let mut is_any = false;
        for member in wrapper::members(wrapper) {
            is_any |= self.open(member, left);
        }
        is_any
    }

    /// Searches a field.
    fn open(&mut self, member: Member<'a>, left: Left) -> bool {
        match (Cursor::new(member.value).token(), member.inside) {
            (Ok(Token::Map(_)), Some(name)) => match Raw::new(member.value).get(name) {
                Some(inside) => self.open(Member { value: inside.bytes(), inside: None, ..member }, left),
                None => false,
            },
            (Ok(Token::Map(_)), None) => self.body(member.value, left),
            (Ok(Token::Array(_)), None) => self.rows(member, left),
            (Ok(Token::Str(text) | Token::Bin(text)), _) => self.text(member, text, left),
            _ => false,
        }
    }

    fn body(&mut self, body: &'a [u8], left: Left) -> bool {
        let within = match shape_of(body) {
            Ok(Shape::Event | Shape::Audit) => Within::List,
            Ok(Shape::Violation) if is_violation(body) => Within::List,
            Ok(Shape::List { items }) if is_of_known(items) => Within::Wrapper(left),
            Ok(Shape::Wrapper) => return self.members(body, left),
            _ => return false,
        };
        if self.found.len() > MOST_COMPARED || self.found.iter().all(|part| part.body != body) {
            self.found.push(WrappedBody { body, within });
        }
        true
    }

    /// Searches a list. If one item is of a known kind, the others are taken as records too.
    fn rows(&mut self, member: Member<'a>, left: Left) -> bool {
        if self.lists[..self.lists_of_others].contains(&member.value) {
            return true;
        }
        let start = self.found.len();
        let mut is_any = false;
        for value in Items::new(member.value) {
            let is_map = matches!(Cursor::new(value).token(), Ok(Token::Map(_)));
            let left_in = if is_map { Some(left) } else { left.one_less() };
            if left_in.is_some_and(|left| self.open(Member { value, ..member }, left)) {
                is_any = true;
            } else {
                let within = left.one_less().map_or(Within::List, Within::Wrapper);
                self.found.push(WrappedBody { body: value, within });
            }
        }
        if !is_any {
            self.found.truncate(start);
        } else if self.lists.len() < MOST_COMPARED {
            self.lists.push(member.value);
        }
        is_any
    }

    fn text(&mut self, member: Member<'a>, text: &[u8], left: Left) -> bool {
        let Some(documents) = documents(member.name, text) else { return false };
        if let Some(one) = documents.one() {
            return match Cursor::new(one).token() {
                Ok(Token::Map(_)) if member.inside.is_none() && matches!(shape_of(one), Ok(Shape::Other)) => {
                    false
                }
                Ok(Token::Str(_)) => {
                    let value = self.arena.alloc_slice_copy(one);
                    left.one_less().is_some_and(|left| self.open(Member { value, ..member }, left))
                }
                _ => self.open(Member { value: self.arena.alloc_slice_copy(one), ..member }, left),
            };
        }
        let list = documents.list().map(|list| &*self.arena.alloc_slice_copy(list));
        let is_any = list.is_some_and(|value| self.rows(Member { value, ..member }, left));
        if let Some(why) = documents.invalid
            && !is_any
        {
            self.invalid.get_or_insert((member.name, why));
        }
        is_any
    }
}

/// Whether one of these bodies is of a known kind.
pub(super) fn is_of_known(items: &[u8]) -> bool {
    Items::new(items).any(|item| matches!(shape_of(item), Ok(Shape::Event | Shape::Audit | Shape::Violation)))
}

fn is_violation(body: &[u8]) -> bool {
    matches!(Violation::read(body, &Repair::default()), Ok(Some(_)))
}
