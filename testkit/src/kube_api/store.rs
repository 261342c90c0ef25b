//! All objects under one resourceVersion, and what happened to them, for watches.
//!
//! The rules of etcd and of the watch cache hold: versions only rise, over all resources; a deletion is a
//! change with a version of its own; a watch can begin where all later changes are still kept, and nowhere
//! before.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use event_gateway::clock;
use serde_json::Value;

use super::asked::Scope;
use super::object::Object;
use super::resource::{Resource, TABLE};

/// As many changes of one resource as the largest watch cache of a real server holds.
const KEPT_CHANGES: usize = 102_400;

/// What a watch is to do, once it has sent all that stands before. Not for watches that begin later.
pub(super) enum Order {
    /// Tell the version up to which everything was sent.
    Bookmark,
    /// Send these bytes as a line.
    Line(Box<[u8]>),
    /// Send the next line half and close the connection.
    Cut,
    /// Send nothing any more and stay open.
    FallSilent,
    /// End in good order.
    End,
}

pub(super) enum Entry {
    Change {
        kind: &'static str,
        object: Arc<Object>,
        /// How it was before, and its place, for those who look at an earlier moment.
        before: Option<Arc<Object>>,
        place: u64,
    },
    /// For watches with a number below this one.
    Order { watches_below: u64, order: Order },
}

pub(super) struct Logged {
    /// The moment of the change; for an order, of the newest change anywhere.
    pub(super) version: u64,
    pub(super) happened: Instant,
    pub(super) entry: Entry,
}

impl Logged {
    fn new(version: u64, entry: Entry) -> Self {
        Logged { version, happened: clock::monotonic(), entry }
    }
}

/// What happened to one resource. A position counts all entries that ever were.
#[derive(Default)]
pub(super) struct History {
    entries: VecDeque<Arc<Logged>>,
    /// How many entries were dropped at the front, and the version of the last of them.
    dropped: u64,
    dropped_version: u64,
    /// The oldest version from which a watch may begin.
    pub(super) oldest: u64,
}

impl History {
    pub(super) fn end(&self) -> u64 {
        self.dropped + self.entries.len() as u64
    }

    /// Where a watch begins that has seen everything up to this version; nothing when that is too old.
    pub(super) fn after(&self, version: u64) -> Option<u64> {
        let seen = self.entries.partition_point(|logged| logged.version <= version);
        (version >= self.oldest).then_some(self.dropped + seen as u64)
    }

    /// The entries from a position on, up to a number; nothing for a watch that fell behind what is kept.
    pub(super) fn from(&self, position: u64, most: usize) -> Option<Vec<Arc<Logged>>> {
        let start = usize::try_from(position.checked_sub(self.dropped)?).ok()?;
        Some(self.entries.iter().skip(start).take(most).cloned().collect())
    }

    fn push(&mut self, logged: Logged, kept: usize) {
        self.entries.push_back(Arc::new(logged));
        while self.entries.len() > kept {
            let oldest = self.entries.pop_front().expect("one more than are kept");
            self.oldest = self.oldest.max(oldest.version);
            self.dropped_version = oldest.version;
            self.dropped += 1;
        }
    }

    /// Nothing happened before this version, as far as anybody will ever hear. Positions go on.
    pub(super) fn forget(&mut self, version: u64) {
        self.dropped = self.end();
        self.entries.clear();
        (self.oldest, self.dropped_version) = (version, version);
    }

    /// The end of what had happened at a moment.
    pub(super) fn end_at(&self, moment: Option<Instant>) -> u64 {
        let happened = self.entries.partition_point(|logged| Some(logged.happened) <= moment);
        self.dropped + happened as u64
    }

    /// What happened after a moment.
    fn since(&self, moment: Option<Instant>) -> impl DoubleEndedIterator<Item = &Logged> {
        let first = usize::try_from(self.end_at(moment) - self.dropped).expect("it is kept");
        self.entries.range(first..).map(|logged| &**logged)
    }

    /// The newest version at a moment.
    fn version_at(&self, moment: Option<Instant>) -> u64 {
        let happened = self.entries.partition_point(|logged| Some(logged.happened) <= moment);
        let last = happened.checked_sub(1).and_then(|last| self.entries.get(last));
        last.map_or(self.dropped_version, |logged| logged.version)
    }
}

/// The objects of one resource by their place: the order in which they were made, which is that of its lists.
#[derive(Default)]
pub(super) struct Collection {
    pub(super) objects: BTreeMap<u64, Arc<Object>>,
    pub(super) places: HashMap<String, u64>,
    next_place: u64,
    pub(super) history: History,
}

pub(super) struct Store {
    /// The newest version given out.
    pub(super) version: u64,
    /// That of what was always there.
    first: u64,
    pub(super) collections: [Collection; TABLE.len()],
    pub(super) kept_changes: usize,
    /// How many uids were given out; a restore gives none again.
    uids: u64,
}

impl Default for Store {
    fn default() -> Self {
        Store { version: 1, first: 1, collections: Default::default(), kept_changes: KEPT_CHANGES, uids: 0 }
    }
}

impl Store {
    pub(super) fn of(&self, resource: Resource) -> &Collection {
        &self.collections[resource.0]
    }

    /// Makes or changes an object, known by its uid. The version that it carries holds if it is above all
    /// before it; else it gets the next one, and the object given tells which.
    pub(super) fn put(&mut self, resource: Resource, object: &mut Value) {
        let version = self.next_version(object);
        self.version = version;
        let stored = Arc::new(Object::new(object, version));
        let kept = self.kept_changes;
        let collection = &mut self.collections[resource.0];
        let (place, before) = collection.hold(object, &stored);
        let kind = if before.is_some() { "MODIFIED" } else { "ADDED" };
        let entry = Entry::Change { kind, object: stored, before, place };
        collection.history.push(Logged::new(version, entry), kept);
    }

    /// The same, with the next version, whatever it carries.
    pub(super) fn put_next(&mut self, resource: Resource, object: &mut Value) {
        object["metadata"]["resourceVersion"] = Value::Null;
        self.put(resource, object);
    }

    /// The object of a name, the newest if a test gave it twice.
    pub(super) fn find(&self, resource: Resource, scope: &Scope) -> Option<&Arc<Object>> {
        self.of(resource).objects.values().rev().find(|object| object.is_in(scope))
    }

    pub(super) fn next_uid(&mut self) -> String {
        self.uids += 1;
        format!("1ea5e000-0000-4000-8000-{:012x}", self.uids)
    }

    /// A deletion tells the last state of the object, with a version of its own. One of what is unknown is none.
    pub(super) fn delete(&mut self, resource: Resource, object: &mut Value) -> bool {
        let Some(place) = self.collections[resource.0].places.remove(&key(object)) else { return false };
        let version = self.next_version(object);
        self.version = version;
        let stored = Arc::new(Object::new(object, version));
        let kept = self.kept_changes;
        let collection = &mut self.collections[resource.0];
        let before = collection.objects.remove(&place);
        let entry = Entry::Change { kind: "DELETED", object: stored, before, place };
        collection.history.push(Logged::new(version, entry), kept);
        true
    }

    /// An object that was always there: with its own version, and no watch hears of it.
    pub(super) fn fill(&mut self, resource: Resource, object: &mut Value) {
        let version = match carried(object) {
            Some(version) => version,
            None => self.next_version(object),
        };
        self.version = self.version.max(version);
        self.first = self.version;
        let stored = Arc::new(Object::new(object, version));
        let collection = &mut self.collections[resource.0];
        collection.hold(object, &stored);
        // Who watched from before would miss it.
        collection.history.oldest = collection.history.oldest.max(version);
    }

    /// Forgets what was before now, as etcd does every few minutes. Open watches go on.
    pub(super) fn compact(&mut self) {
        let version = self.version;
        self.collections.iter_mut().for_each(|collection| collection.history.oldest = version);
    }

    pub(super) fn order(&mut self, resource: Resource, watches_below: u64, order: Order) {
        let (version, kept) = (self.version, self.kept_changes);
        let entry = Entry::Order { watches_below, order };
        self.collections[resource.0].history.push(Logged::new(version, entry), kept);
    }

    /// As if nothing had happened before this version.
    pub(super) fn begin_at(&mut self, version: u64) {
        (self.version, self.first) = (version, version);
    }

    /// The newest version at a moment, whatever it was of.
    pub(super) fn version_at(&self, moment: Option<Instant>) -> u64 {
        let versions = self.collections.iter().map(|collection| collection.history.version_at(moment));
        versions.fold(self.first, u64::max)
    }

    /// The moment at which a version was the newest; nothing when what came before it is forgotten.
    pub(super) fn moment_of(&self, version: u64) -> Option<Instant> {
        let last = |collection: &Collection| {
            let entries = &collection.history.entries;
            let until = entries.partition_point(|logged| logged.version <= version);
            until.checked_sub(1).map(|last| entries[last].happened)
        };
        self.collections.iter().filter_map(last).max()
    }

    fn next_version(&self, object: &mut Value) -> u64 {
        let version = carried(object).filter(|version| *version > self.version);
        let version = version.unwrap_or(self.version + 1);
        object["metadata"]["resourceVersion"] = version.to_string().into();
        version
    }
}

impl Collection {
    /// Its place, and what was there before.
    fn hold(&mut self, object: &Value, stored: &Arc<Object>) -> (u64, Option<Arc<Object>>) {
        let place = *self.places.entry(key(object)).or_insert(self.next_place);
        self.next_place += u64::from(place == self.next_place);
        (place, self.objects.insert(place, Arc::clone(stored)))
    }

    /// The objects as they were at a moment.
    pub(super) fn objects_at(&self, moment: Option<Instant>) -> BTreeMap<u64, Arc<Object>> {
        let mut objects = self.objects.clone();
        for logged in self.history.since(moment).rev() {
            if let Entry::Change { before, place, .. } = &logged.entry {
                match before {
                    Some(before) => drop(objects.insert(*place, Arc::clone(before))),
                    None => drop(objects.remove(place)),
                }
            }
        }
        objects
    }
}

fn carried(object: &Value) -> Option<u64> {
    object["metadata"]["resourceVersion"].as_str()?.parse().ok()
}

/// The uid, as a name can be given again; the name for an object that a test made without a uid.
fn key(object: &Value) -> String {
    let field = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
    match field("uid") {
        "" => format!("{}/{}", field("namespace"), field("name")),
        uid => uid.to_owned(),
    }
}
