//! The root of a record for the engine: the variables of a leaf.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value};

use super::members::{Members, Wanted};
use super::paths::first_name;
use super::view::{RecordView, SHARED_BYTES};

/// The variables of a leaf: members of the native document, and the record as it came.
pub(super) struct RootView {
    /// The wanted members, one behind the other.
    native: RecordView,
    wanted: Arc<Wanted>,
    /// The range of each wanted member.
    members: Vec<Option<Range<usize>>>,
    record: Arc<RecordView>,
}

/// The variable `event`: the member of the native document, and the record's own keys if that lacks a key.
#[derive(Debug)]
struct EventView {
    own: Option<Arc<RecordView>>,
    record: Arc<RecordView>,
}

impl RootView {
    /// `record` must be one whole value.
    pub(super) fn new(wanted: &Arc<Wanted>, members: &Members, record: &[u8]) -> Self {
        let native = RecordView::of([&members.bytes, record].concat(), 0..members.bytes.len());
        let record = Arc::new(native.at(members.bytes.len()..members.bytes.len() + record.len()));
        let members = (0..wanted.len()).map(|place| members.place(place)).collect();
        Self { native, wanted: Arc::clone(wanted), members, record }
    }

    /// The range of a member of the native document.
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

/// The MessagePack of a value, if it is one of these views.
pub(super) fn bytes_of(value: &Value) -> Option<&[u8]> {
    let object = value.as_object()?;
    if let Some(view) = object.downcast_ref::<RecordView>() {
        return Some(view.raw().bytes());
    }
    object.downcast_ref::<EventView>().map(|event| event.whole().raw().bytes())
}
