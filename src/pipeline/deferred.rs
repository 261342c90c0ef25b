//! Deferred events: they wait until the topology knows their object, or has caught up.
//!
//! The watches of a cluster may lag behind its events, and lag more the busier it is. So an event about an object that was
//! never seen is not deduplicated yet: its chunk stays open, and other records and chunks go on.
//!
//! ```text
//! defer ──► the object comes, or the time is up ──► resumed: deduplicated, correlated, delivered, as if it came now
//!           another version of the same event waits behind it, so that their order holds
//! ```
//! The ledger knows nothing of a deferred record. If the process is killed or stops, or the thread panics, its chunk has
//! no result, and the host brings it again. Records and bytes are bounded; beyond the bounds an event does not wait.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use crate::correlate::Awaited;
use crate::job::Tally;
use crate::record::identity::{Identity, Version, Versioned};
use crate::time::Stamp;

/// Two seconds of 5,000 events a second, more than the API servers of large clusters make.
pub(super) const MOST_RECORDS: usize = 10_000;
const MOST_BYTES: usize = 16 << 20;
/// Chunks that may stay open for them. Old hosts have 2,048 tasks, for all of their outputs together.
const MOST_CHUNKS: usize = 512;
/// If no Service is found, an event that waited for its object waits a moment more: the Service, or the slice that names
/// the pod, comes over another connection.
pub(super) const GRACE: Duration = Duration::from_millis(250);
/// How long the plugin remembers that a record has waited: longer than an event counts as recent.
const WAITED_FOR: Duration = Duration::from_secs(120);

/// A deferred record.
#[derive(Debug)]
pub(super) struct Deferred {
    /// The index of its chunk's tally.
    pub chunk: usize,
    pub tag: Box<str>,
    pub offset: usize,
    pub received: Option<Stamp>,
    pub body: Box<[u8]>,
    pub versioned: Versioned,
    /// `None`: it only waits behind another version of its event.
    pub awaited: Option<Awaited>,
    pub since_seconds: u64,
    pub until: Instant,
    /// Its object has come, but no Service: when to look for a Service again.
    pub look_again: Option<Instant>,
}

/// All deferred records, and the chunks that they came in.
#[derive(Debug, Default)]
pub(super) struct DeferredRecords {
    records: Vec<Deferred>,
    /// The tallies of their chunks; between rounds a record's `chunk` is an index here.
    tallies: Vec<Tally>,
    bytes: usize,
    /// How many chunks stay open. A chunk whose last record a round resumes counts until the end of the round.
    chunks: usize,
    /// How many versions of an event wait.
    identities: HashMap<Identity, usize>,
    waited: Waited,
}

impl DeferredRecords {
    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many chunks have no result because of them.
    pub fn open_chunks(&self) -> usize {
        self.tallies.len()
    }

    /// The tallies of the open chunks, for a round.
    pub fn take_tallies(&mut self) -> Vec<Tally> {
        std::mem::take(&mut self.tallies)
    }

    /// Whether a record of this chunk, with this many bytes, may wait.
    pub fn has_room_for(&self, bytes: usize, chunk: usize) -> bool {
        let fits = self.records.len() < MOST_RECORDS && self.bytes + bytes <= MOST_BYTES;
        fits && (self.chunks < MOST_CHUNKS || !self.is_another(chunk))
    }

    /// Whether this chunk has no deferred record yet; chunks come one after the other.
    fn is_another(&self, chunk: usize) -> bool {
        self.records.last().is_none_or(|last| last.chunk != chunk)
    }

    /// Whether a version of this event waits.
    pub fn holds(&self, identity: Identity) -> bool {
        !self.identities.is_empty() && self.identities.contains_key(&identity)
    }

    pub fn add(&mut self, record: Deferred) {
        self.bytes += record.body.len();
        self.chunks += usize::from(self.is_another(record.chunk));
        *self.identities.entry(record.versioned.identity).or_default() += 1;
        self.records.push(record);
    }

    /// Takes out the records that are due, in the order in which they came. A later version of an event never leaves before
    /// an earlier one.
    pub fn take(&mut self, mut is_due: impl FnMut(&mut Deferred) -> bool) -> Vec<Deferred> {
        let Self { records, identities, .. } = self;
        let mut staying: HashSet<Identity> = HashSet::new();
        let leaves = |record: &mut Deferred| {
            let identity = record.versioned.identity;
            let leaves = !staying.contains(&identity) && is_due(record);
            if !leaves && identities.get(&identity).is_some_and(|count| *count > 1) {
                staying.insert(identity);
            }
            leaves
        };
        let leaving: Vec<Deferred> = records.extract_if(.., leaves).collect();
        for record in &leaving {
            self.bytes -= record.body.len();
            if let Some(count) = self.identities.get_mut(&record.versioned.identity) {
                *count -= 1;
                if *count == 0 {
                    self.identities.remove(&record.versioned.identity);
                }
            }
        }
        leaving
    }

    /// Whether this version has waited before. The host may bring a chunk again, and nothing waits twice.
    pub fn has_waited(&self, versioned: &Versioned) -> bool {
        self.waited.known.contains(&(versioned.identity, versioned.version))
    }

    /// Remembers that a record has waited.
    pub fn remember(&mut self, versioned: &Versioned, now: Instant) {
        self.waited.remember((versioned.identity, versioned.version), now);
    }

    /// Takes the tallies of a round back, and drops those of chunks without a deferred record.
    pub fn end_round(&mut self, tallies: Vec<Tally>) {
        let mut places: HashMap<usize, usize> = HashMap::new();
        for record in &mut self.records {
            let next = places.len();
            record.chunk = *places.entry(record.chunk).or_insert(next);
        }
        let mut open: Vec<(usize, Tally)> = tallies
            .into_iter()
            .enumerate()
            .filter_map(|(old, tally)| places.get(&old).map(|new| (*new, tally)))
            .collect();
        open.sort_unstable_by_key(|(new, _)| *new);
        self.chunks = open.len();
        self.tallies = open.into_iter().map(|(_, tally)| tally).collect();
    }

    /// Drops everything; the host brings it again.
    pub fn clear(&mut self) {
        self.records.clear();
        self.tallies.clear();
        self.identities.clear();
        (self.bytes, self.chunks) = (0, 0);
    }

    /// When the time of the next record is up.
    pub fn next_end(&self) -> Option<Instant> {
        self.records.iter().map(|record| record.until).min()
    }

    /// Since when the oldest has waited, in Unix time.
    pub fn since_seconds(&self) -> Option<u64> {
        self.records.iter().map(|record| record.since_seconds).min()
    }
}

/// The versions that have waited lately.
#[derive(Debug, Default)]
struct Waited {
    known: HashSet<(Identity, Version)>,
    by_time: VecDeque<(Instant, (Identity, Version))>,
}

impl Waited {
    fn remember(&mut self, version: (Identity, Version), now: Instant) {
        let is_old = |at: &Instant| now.saturating_duration_since(*at) > WAITED_FOR;
        while self.by_time.len() >= 2 * MOST_RECORDS || self.by_time.front().is_some_and(|(at, _)| is_old(at))
        {
            if let Some((_, old)) = self.by_time.pop_front() {
                self.known.remove(&old);
            }
        }
        if self.known.insert(version) {
            self.by_time.push_back((now, version));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn record(identity: u8, version: u64, bytes: usize) -> Deferred {
        Deferred {
            chunk: usize::from(identity),
            tag: "t".into(),
            offset: 0,
            received: None,
            body: vec![0; bytes].into(),
            versioned: Versioned { identity: Identity(identity.into()), version: Version(version), count: 1 },
            awaited: None,
            since_seconds: version,
            until: crate::clock::monotonic(),
            look_again: None,
        }
    }

    proptest! {
        /// However single waits end, each record leaves once, and the versions of an event in their order.
        #[test]
        fn each_leaves_once_and_versions_in_their_order(
            coming in vec((0_u8..6, 1_usize..50), 1..60),
            ends in vec(any::<u64>(), 1..8),
        ) {
            let mut waiting = DeferredRecords::default();
            for (version, (identity, bytes)) in (0..).zip(&coming) {
                waiting.add(record(*identity, version, *bytes));
            }
            let mut left = Vec::new();
            for end in ends.into_iter().chain([u64::MAX]) {
                let is_due = |record: &mut Deferred| end >> (record.versioned.version.0 % 64) & 1 == 1;
                left.extend(waiting.take(is_due).into_iter().map(|one| (one.versioned.identity, one.versioned.version)));
            }
            prop_assert_eq!(left.len(), coming.len());
            for identity in 0_u8..6 {
                let of_one: Vec<_> = left.iter().filter(|(one, _)| one.0 == u128::from(identity)).collect();
                prop_assert!(of_one.is_sorted_by_key(|(_, version)| version.0));
            }
            prop_assert_eq!((waiting.bytes, waiting.identities.len(), waiting.records.len()), (0, 0, 0));
        }
    }

    #[test]
    fn chunks_stay_with_their_records() {
        let tallies = |count: usize| -> (Vec<Tally>, Vec<crate::job::Pending>) {
            (0..count)
                .map(|_| {
                    let (reply, pending) = crate::job::reply(std::sync::Arc::new(|| ()));
                    (Tally::new(reply), pending)
                })
                .unzip()
        };
        let mut waiting = DeferredRecords::default();
        for chunk in [3, 1, 3] {
            waiting.add(record(chunk, 1, 1));
        }
        let (made, pending) = tallies(5);
        waiting.end_round(made);
        assert_eq!(waiting.records.iter().map(|record| record.chunk).collect::<Vec<_>>(), [0, 1, 0]);
        let is_open: Vec<_> = pending.iter().map(|pending| pending.poll().is_none()).collect();
        assert_eq!(is_open, [false, true, false, true, false], "the others were let go");
        waiting.tallies[0].finish_reading();
        assert!(pending[3].poll().is_some() && pending[1].poll().is_none());
    }

    #[test]
    fn what_has_waited_is_remembered_for_a_while() {
        let mut waiting = DeferredRecords::default();
        let now = crate::clock::monotonic();
        let of = |identity| record(identity, 1, 1).versioned;
        waiting.remember(&of(1), now);
        assert!(waiting.has_waited(&of(1)) && !waiting.has_waited(&of(2)));
        waiting.remember(&of(2), now + WAITED_FOR + Duration::from_secs(1));
        assert!(!waiting.has_waited(&of(1)) && waiting.has_waited(&of(2)));
        for version in 0..3 * MOST_RECORDS as u64 {
            waiting.remember(&record(3, version, 1).versioned, now + WAITED_FOR * 2);
        }
        assert!(waiting.waited.known.len() <= 2 * MOST_RECORDS, "bounded");
    }
}
