//! The record as the engine sees it: values are looked up in MessagePack one by one, and the record is never decoded as
//! a whole.
//!
//! The engine's values must own their data, so the bytes of a record are copied once, and every container is a range of
//! them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};

use super::packed::write_packed;
use crate::format::json::key_text;
use crate::record::cursor::{Cursor, Token};
use crate::record::raw::Raw;

/// The most work for one record, in copied bytes.
const MOST_WORK: usize = 32 << 20;
/// How many skipped bytes cost as much as a copied one.
const SKIPPED_PER_COPIED: usize = 16;
/// The work of an item of a list or a key of a map.
pub(super) const ITEM: usize = 64;

/// The bytes that all views of a record share, and the work that they have done.
#[derive(Debug)]
pub(super) struct SharedBytes {
    bytes: Vec<u8>,
    work: AtomicUsize,
}

impl SharedBytes {
    fn charge(&self, work: usize) -> Result<(), Error> {
        // One thread renders a record.
        let spent = self.work.load(Relaxed).saturating_add(work);
        self.work.store(spent, Relaxed);
        if spent > MOST_WORK {
            let why = "it reads too much of the record";
            return Err(Error::new(ErrorKind::InvalidOperation, why));
        }
        Ok(())
    }
}

impl Object for SharedBytes {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// The variable for [`charge`]. A leaf cannot use the name, because it has a blank.
pub(super) const SHARED_BYTES: &str = "shared bytes";

/// Charges for work on a record.
///
/// # Errors
/// If that exceeds the most work.
pub(super) fn charge(state: &State<'_, '_>, work: usize) -> Result<(), Error> {
    let shared = state.lookup(SHARED_BYTES);
    shared
        .as_ref()
        .and_then(Value::downcast_object_ref::<SharedBytes>)
        .map_or(Ok(()), |shared| shared.charge(work))
}

/// A map or a list of the record.
pub(super) struct RecordView {
    shared: Arc<SharedBytes>,
    place: Range<usize>,
}

impl RecordView {
    /// A view of a range of the bytes of a record.
    pub(super) fn of(bytes: Vec<u8>, place: Range<usize>) -> Self {
        Self { shared: Arc::new(SharedBytes { bytes, work: AtomicUsize::new(0) }), place }
    }

    /// A view of another range of the same bytes.
    pub(super) fn at(&self, place: Range<usize>) -> Self {
        Self { shared: Arc::clone(&self.shared), place }
    }

    /// The value of the variable [`SHARED_BYTES`].
    pub(super) fn shared(&self) -> Value {
        Value::from_dyn_object(Arc::clone(&self.shared))
    }

    /// The value of the view.
    pub(super) fn whole(&self) -> Value {
        self.value(self.place.clone())
    }

    pub(super) fn raw(&self) -> Raw<'_> {
        Raw::new(self.shared.bytes.get(self.place.clone()).unwrap_or_default())
    }

    fn head(&self) -> Option<Token<'_>> {
        Cursor::new(self.raw().bytes()).token().ok()
    }

    fn len(&self) -> usize {
        match self.head() {
            Some(Token::Array(len) | Token::Map(len)) => usize::try_from(len).unwrap_or_default(),
            _ => 0,
        }
    }

    fn charge(&self, work: usize) -> Result<(), Value> {
        self.shared.charge(work).map_err(Value::from)
    }

    /// The value at a range of the bytes.
    pub(super) fn value(&self, place: Range<usize>) -> Value {
        let bytes = self.shared.bytes.get(place.clone()).unwrap_or_default();
        match Cursor::new(bytes).token() {
            Err(_) | Ok(Token::Nil | Token::Ext(..)) => Value::from(()),
            Ok(Token::Bool(truth)) => Value::from(truth),
            Ok(Token::Int(number)) => Value::from(number),
            Ok(Token::Uint(number)) => Value::from(number),
            Ok(Token::Float(number)) => Value::from(number),
            Ok(Token::Str(text) | Token::Bin(text)) => match self.charge(text.len()) {
                Ok(()) => Value::from(String::from_utf8_lossy(text)),
                Err(error) => error,
            },
            Ok(Token::Array(_) | Token::Map(_)) => Value::from_object(self.at(place)),
        }
    }

    /// The range of a part of the bytes.
    fn place_of(&self, part: &[u8]) -> Range<usize> {
        let start = part.as_ptr().addr().saturating_sub(self.shared.bytes.as_ptr().addr());
        start..start + part.len()
    }

    pub(super) fn get(&self, name: &str) -> Option<Value> {
        if let Err(error) = self.charge(self.place.len() / SKIPPED_PER_COPIED) {
            return Some(error);
        }
        let found = self.raw().get(name)?;
        Some(self.value(self.place_of(found.bytes())))
    }

    /// The elements of a container, one after the other.
    fn parts(self: &Arc<Self>) -> Elements {
        let mut at = Cursor::new(self.raw().bytes());
        // Skips the head of the container.
        let _ = at.token();
        Elements { at: self.place.start + at.offset(), left: self.len(), of: Arc::clone(self) }
    }

    /// The indices of pairs whose key is repeated later. Empty if the work is used up, because the next look fails then.
    fn replaced(&self) -> Vec<usize> {
        if self.charge(self.place.len() / SKIPPED_PER_COPIED).is_err() {
            return Vec::new();
        }
        self.raw().replaced(key_text)
    }
}

/// The values of a list, or the pairs of a map.
struct Elements {
    of: Arc<RecordView>,
    at: usize,
    left: usize,
}

impl Elements {
    fn part(&mut self) -> Option<Range<usize>> {
        let mut cursor = Cursor::at(&self.of.shared.bytes, self.at);
        cursor.skip().ok()?;
        let place = self.at..cursor.offset();
        self.at = place.end;
        Some(place)
    }

    /// Begins the next element, if there is one. The error takes the element's place.
    fn begin(&mut self) -> Option<Result<(), Value>> {
        self.left = self.left.checked_sub(1)?;
        let paid = self.of.charge(ITEM);
        if paid.is_err() {
            self.left = 0;
        }
        Some(paid)
    }
}

struct ListItems(Elements);

impl Iterator for ListItems {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        if let Err(error) = self.0.begin()? {
            return Some(error);
        }
        let place = self.0.part()?;
        Some(self.0.of.value(place))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.left, Some(self.0.left))
    }
}

struct MapPairs {
    parts: Elements,
    place: usize,
    /// From [`RecordView::replaced`].
    replaced: std::vec::IntoIter<usize>,
}

impl Iterator for MapPairs {
    type Item = (Value, Value);

    fn next(&mut self) -> Option<(Value, Value)> {
        loop {
            if let Err(error) = self.parts.begin()? {
                return Some((error.clone(), error));
            }
            let (key, value) = (self.parts.part()?, self.parts.part()?);
            let place = self.place;
            self.place += 1;
            if self.replaced.as_slice().first() == Some(&place) {
                self.replaced.next();
                continue;
            }
            let view = &self.parts.of;
            let head =
                Cursor::new(view.shared.bytes.get(key).unwrap_or_default()).token().unwrap_or(Token::Nil);
            // Keys are converted as in JSON.
            let key = key_text(head);
            let key = view.charge(key.len()).map_or_else(|error| error, |()| Value::from(key));
            return Some((key, view.value(value)));
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.parts.left.saturating_sub(self.replaced.len());
        (left, Some(left))
    }
}

impl Object for RecordView {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.head() {
            Some(Token::Array(_)) => ObjectRepr::Seq,
            _ => ObjectRepr::Map,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some(name) => self.get(name),
            None if self.repr() == ObjectRepr::Seq => self.parts_at(key.as_usize()?),
            None => None,
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.get(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.repr() {
            ObjectRepr::Seq => Enumerator::Iter(Box::new(ListItems(self.parts()))),
            _ => Enumerator::KeyValueIter(Box::new(MapPairs {
                parts: self.parts(),
                place: 0,
                replaced: self.replaced().into_iter(),
            })),
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(match self.repr() {
            ObjectRepr::Seq => self.len(),
            _ => self.len() - self.replaced().len(),
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        write_packed(self.raw().bytes(), &mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

impl RecordView {
    fn parts_at(self: &Arc<Self>, index: usize) -> Option<Value> {
        if let Err(error) = self.charge(self.place.len() / SKIPPED_PER_COPIED) {
            return Some(error);
        }
        let found = super::paths::item(self.raw(), index)?;
        Some(self.value(self.place_of(found.bytes())))
    }
}

/// Shows no bytes, because they may be a megabyte.
impl fmt::Debug for RecordView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordView").field("place", &self.place).finish_non_exhaustive()
    }
}
