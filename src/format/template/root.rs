//! What the engine sees first of a record: all that a leaf may name.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value};

use super::members::{Members, Wanted};
use super::paths::first_name;
use super::view::{RecordView, SHARED_BYTES};

/// All that a leaf may name: members of the native document, and the record as it came.
pub(super) struct RootView {
    /// The members that are wanted, one behind the other, and where each stands.
    native: RecordView,
    wanted: Arc<Wanted>,
    members: Vec<Option<Range<usize>>>,
    record: Arc<RecordView>,
}

/// What is called `event`: what the native document says of the event itself, and then the record's own keys.
#[derive(Debug)]
struct EventView {
    own: Option<Arc<RecordView>>,
    record: Arc<RecordView>,
}

impl RootView {
    /// The record is one whole value.
    pub(super) fn new(wanted: &Arc<Wanted>, members: &Members, record: &[u8]) -> Self {
        let native = RecordView::of([&members.bytes, record].concat(), 0..members.bytes.len());
        let record = Arc::new(native.at(members.bytes.len()..members.bytes.len() + record.len()));
        let members = (0..wanted.len()).map(|place| members.place(place)).collect();
        Self { native, wanted: Arc::clone(wanted), members, record }
    }

    /// Where a member of the native document stands.
    fn member(&self, name: &str) -> Option<Range<usize>> {
        self.members.get(self.wanted.of(name)?)?.clone()
    }
}

impl fmt::Debug for RootView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootView")
    }
}

impl Object for RootView {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "record" => Some(self.record.whole()),
            "event" => {
                let own = self.member("event").map(|place| Arc::new(self.native.at(place)));
                Some(Value::from_object(EventView { own, record: Arc::clone(&self.record) }))
            }
            SHARED_BYTES => Some(self.record.shared()),
            _ => self.member(key).map(|place| self.native.value(place)),
        }
    }
}

impl EventView {
    fn whole(&self) -> &Arc<RecordView> {
        self.own.as_ref().unwrap_or(&self.record)
    }
}

impl Object for EventView {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let own = self.own.as_ref().and_then(|own| own.get(key));
        own.or_else(|| self.record.get(first_name(self.record.raw(), key)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.whole().enumerate()
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        self.whole().enumerator_len()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.whole().render(f)
    }
}

/// The MessagePack of a value that is one of ours.
pub(super) fn bytes_of(value: &Value) -> Option<&[u8]> {
    let object = value.as_object()?;
    if let Some(view) = object.downcast_ref::<RecordView>() {
        return Some(view.raw().bytes());
    }
    object.downcast_ref::<EventView>().map(|event| event.whole().raw().bytes())
}
