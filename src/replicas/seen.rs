//! [`Seen`]: the versions of events that this replica's own verification has shown, and which of them are settled.
//!
//! The verification is a watch of the events' metadata. It shows every version that the API server has had since the
//! watch began, so it proves which ones are missing: those that neither this replica nor, by the word of the Lease, the
//! leader has settled.

use std::collections::{BTreeMap, BTreeSet};

use super::watermark::{Exception, Hidden, Watermark, short};
use super::{Event, Millis};

/// A version that was seen and is not settled yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unsettled {
    /// Which event it is a version of.
    pub event: Event,
    /// When it was seen.
    pub since: Millis,
    /// The API server has deleted the event: nobody can fetch it any more.
    pub is_deleted: bool,
    /// A list showed it, and not the versions of the event between this one and it.
    pub hides_above: Option<u64>,
}

/// What is known of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was seen, and it or a newer version of its event is settled.
    Settled,
    /// It was seen, and is not settled.
    Unsettled,
    /// The verification has not come so far.
    NotYet,
    /// The verification has seen everything up to it, and not this version: it is of another cluster, or expired before.
    Foreign,
}

/// Bounds of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Versions that are remembered.
    pub versions: usize,
    /// Unsettled versions that a watermark may list.
    pub exceptions: usize,
}

/// What the verification has shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Seen {
    bounds: Bounds,
    /// The version up to which everything was seen; `None` before the first list.
    through: Option<u64>,
    /// Versions up to this one may have been forgotten.
    forgotten: u64,
    versions: BTreeMap<u64, Event>,
    newest: BTreeMap<Event, u64>,
    unsettled: BTreeMap<u64, Unsettled>,
    unsettled_of: BTreeSet<(Event, u64)>,
    /// Settled before the verification showed them: a source may be faster.
    settled_early: BTreeMap<u64, Event>,
    /// What the Lease says.
    said: Option<Watermark>,
    /// It counts up to this version: a leader cannot have seen versions that etcd did not have yet.
    proven: u64,
    /// Events of the list in progress, which may hide versions above this one.
    listed: Option<(BTreeSet<Event>, u64)>,
}

impl Seen {
    /// Nothing was seen yet.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            through: None,
            forgotten: 0,
            versions: BTreeMap::new(),
            newest: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            unsettled_of: BTreeSet::new(),
            settled_early: BTreeMap::new(),
            said: None,
            proven: 0,
            listed: None,
        }
    }

    /// The version up to which everything was seen.
    #[must_use]
    pub fn through(&self) -> Option<u64> {
        self.through
    }

    /// A list begins: events that it does not name are deleted.
    pub fn begin_list(&mut self) {
        self.listed = Some((BTreeSet::new(), self.through.unwrap_or(0)));
    }

    /// The list is complete, and shows the state at this version.
    pub fn end_list(&mut self, version: u64) {
        if let Some((listed, _)) = self.listed.take() {
            let gone = self.unsettled.values_mut().filter(|unsettled| !listed.contains(&unsettled.event));
            gone.for_each(|unsettled| unsettled.is_deleted = true);
        }
        self.advance(version);
    }

    /// The watch has shown everything up to this version.
    pub fn advance(&mut self, version: u64) {
        self.through = self.through.max(Some(version));
        let through = self.through.unwrap_or(0);
        // What was settled early and did not appear is of another cluster.
        self.settled_early = self.settled_early.split_off(&through.saturating_add(1));
    }

    /// The verification shows a version of an event.
    pub fn see(&mut self, event: Event, version: u64, now: Millis) {
        if let Some((listed, _)) = &mut self.listed {
            listed.insert(event);
        }
        if self.versions.insert(version, event).is_some() {
            return;
        }
        let newest = self.newest.entry(event).or_insert(version);
        *newest = version.max(*newest);
        let hides_above = self.listed.as_ref().map(|(_, above)| *above);
        self.unsettled.insert(version, Unsettled { event, since: now, is_deleted: false, hides_above });
        self.unsettled_of.insert((event, version));
        let was_settled = self.settled_early.remove(&version) == Some(event);
        let is_overtaken = self
            .newest
            .get(&event)
            .is_some_and(|newest| *newest > version && !self.unsettled.contains_key(newest));
        let is_said = self.is_said(event, version);
        if was_settled || is_overtaken || is_said {
            self.settle(event, version);
        }
        self.keep_within_bounds();
    }

    /// The API server has deleted an event: it has expired.
    pub fn delete(&mut self, event: Event) {
        let versions: Vec<u64> = self.versions_of(event).collect();
        for version in versions {
            if let Some(unsettled) = self.unsettled.get_mut(&version) {
                unsettled.is_deleted = true;
            }
        }
    }

    /// A version is settled, and with it all older versions of its event: inputs skip versions when they list anew.
    pub fn settle(&mut self, event: Event, version: u64) {
        if self.versions.get(&version) != Some(&event) {
            if self.through.is_none_or(|through| version > through) {
                self.settled_early.insert(version, event);
                if self.settled_early.len() > self.bounds.versions {
                    self.settled_early.pop_first();
                }
            }
            return;
        }
        let overtaken: Vec<u64> = self.versions_of(event).take_while(|older| *older <= version).collect();
        for version in overtaken {
            self.unsettled.remove(&version);
            self.unsettled_of.remove(&(event, version));
        }
    }

    /// Takes the Lease's word for what is settled, as far as the own verification has come; `None`: it says nothing any more.
    pub fn accept(&mut self, watermark: Option<Watermark>) {
        self.proven = watermark.as_ref().map_or(0, |said| said.through.min(self.through.unwrap_or(0)));
        self.said = watermark;
        self.settle_said();
    }

    /// A read of etcd, which began after the Lease was observed, shows this version. Returns whether the Lease's word can be
    /// true; if it is of the future, it counts no more.
    pub fn confirm(&mut self, version: u64) -> bool {
        let is_true = self.said.as_ref().is_none_or(|said| said.through <= version);
        if is_true {
            self.proven = self.said.as_ref().map_or(0, |said| said.through);
            self.settle_said();
        } else {
            self.accept(None);
        }
        is_true
    }

    /// Whether the Lease says more than what is proven.
    #[must_use]
    pub fn wants_confirmation(&self) -> bool {
        self.said.as_ref().is_some_and(|said| said.through > self.proven)
    }

    /// Whether the Lease may say that this version is settled, but that is not proven.
    #[must_use]
    pub fn may_be_said(&self, event: Event, version: u64) -> bool {
        self.said.as_ref().is_some_and(|said| said.covers(event, version))
    }

    fn is_said(&self, event: Event, version: u64) -> bool {
        version <= self.proven && self.may_be_said(event, version)
    }

    fn settle_said(&mut self) {
        let low = self.unsettled.range(..=self.proven).map(|(version, of)| (of.event, *version));
        let covered: Vec<(Event, u64)> =
            low.filter(|(event, version)| self.is_said(*event, *version)).collect();
        covered.into_iter().for_each(|(event, version)| self.settle(event, version));
    }

    /// What is known of a version of an event.
    #[must_use]
    pub fn standing(&self, event: Event, version: u64) -> Standing {
        let newer = self.newest.get(&event).filter(|newest| **newest > version);
        if newer.is_some_and(|newest| !self.unsettled.contains_key(newest)) {
            return Standing::Settled;
        }
        match self.versions.get(&version) {
            Some(of) if *of == event && self.unsettled.contains_key(&version) => Standing::Unsettled,
            Some(of) if *of == event => Standing::Settled,
            // An unsettled newer version proves that the event is real.
            _ if newer.is_some() && self.is_said(event, version) => Standing::Settled,
            _ if newer.is_some() => Standing::Unsettled,
            _ if self.through.is_none_or(|through| version > through) => Standing::NotYet,
            _ => Standing::Foreign,
        }
    }

    /// The event whose version this is.
    #[must_use]
    pub fn event_of(&self, version: u64) -> Option<Event> {
        self.versions.get(&version).copied()
    }

    /// All versions that are not settled, lowest first.
    pub fn unsettled(&self) -> impl DoubleEndedIterator<Item = (u64, Unsettled)> {
        self.unsettled.iter().map(|(version, unsettled)| (*version, *unsettled))
    }

    /// How many versions are not settled.
    #[must_use]
    pub fn unsettled_len(&self) -> usize {
        self.unsettled.len()
    }

    /// Up to which version the Lease says something.
    #[must_use]
    pub fn said_through(&self) -> Option<u64> {
        self.said.as_ref().map(|said| said.through)
    }

    /// How many versions are remembered, settled or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.versions.len()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// What a leader may say in the Lease. It never says less than what it took over, while its own verification is
    /// behind that.
    #[must_use]
    pub fn watermark(&self, history: u32) -> Option<Watermark> {
        let said = self.said.as_ref();
        let said_through = said.map_or(0, |said| said.through);
        let through = self.through.unwrap_or(0).max(said_through);
        if self.through.is_none() && said.is_none() {
            return None;
        }
        // What the Lease says of versions that were not seen here stays as it is, and so does what a list hid from its holder.
        let others = said.into_iter().flat_map(|said| &said.except).filter(|exception| {
            let is_unsettled = || self.unsettled.contains_key(&exception.version);
            !self.versions.contains_key(&exception.version) || (exception.hidden.is_some() && is_unsettled())
        });
        let own = self.unsettled.iter().map(|(version, of)| {
            let above = of.hides_above.map(|above| above.max(said_through)).filter(|above| above < version);
            let hidden = above.map(|above| Hidden { event: short(of.event), above });
            Exception { version: *version, hidden }
        });
        let from = said.map_or(0, |said| said.from).max(self.forgotten);
        let mut except = BTreeMap::new();
        for Exception { version, hidden } in others.copied().chain(own).filter(|other| other.version > from) {
            let known: &mut Option<Hidden> = except.entry(version).or_default();
            // The lower one hides more.
            *known = known.iter().copied().chain(hidden).min_by_key(|hidden| hidden.above);
        }
        let except = except.into_iter().map(|(version, hidden)| Exception { version, hidden }).collect();
        Some(Watermark { history, from, through, except }.bounded(self.bounds.exceptions))
    }

    /// Versions that were seen before this time, deleted since and never settled leave the watermark: the range begins
    /// above them. Lower versions have expired from the API server too, so no replica reads them again.
    pub fn expire(&mut self, before: Millis) {
        let is_old = |of: &Unsettled| of.is_deleted && of.since < before;
        let Some((version, _)) = self.unsettled.iter().rfind(|(_, of)| is_old(of)) else { return };
        self.forgotten = self.forgotten.max(*version);
        self.unsettled.retain(|version, of| !(is_old(of) && *version <= self.forgotten));
        self.unsettled_of.retain(|(_, version)| self.unsettled.contains_key(version));
    }

    /// Forgets everything: another etcd counts versions anew.
    pub fn forget(&mut self) {
        *self = Self::new(self.bounds);
    }

    fn versions_of(&self, event: Event) -> impl Iterator<Item = u64> {
        self.unsettled_of.range((event, 0)..=(event, u64::MAX)).map(|(_, version)| *version)
    }

    /// The oldest versions go first, whether or not they are settled: none of them is covered any more.
    fn keep_within_bounds(&mut self) {
        while self.versions.len() > self.bounds.versions {
            let Some((version, event)) = self.versions.pop_first() else { return };
            self.forgotten = version;
            self.unsettled.remove(&version);
            self.unsettled_of.remove(&(event, version));
            if self.newest.get(&event) == Some(&version) {
                self.newest.remove(&event);
            }
        }
    }
}
