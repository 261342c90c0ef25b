//! The filter's journey over one chunk: record → event → seen before? → impact → rewritten.
//!
//! - `around`: the cluster, and the wait for the first look at it
//! - `memory`: which versions went through already
//! - `keeper`: the thread that keeps the memory in a file
//!
//! All of it but the keeper runs on the host's stack, which may have 24 KiB and no guard page: nothing here
//! waits for a disk or a network, nothing recurses with the data, and what is large lies on the heap.
//! Whatever is no Kubernetes event, bytes that nobody can read included, stays as it came: a filter that
//! stands before other outputs has no dead letters.

mod around;
mod keeper;
mod memory;

pub use around::{Impacts, Topology};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::clock;
use crate::config::{FilterSettings, Mistake};
use crate::correlate::{About, Correlator};
use crate::journal::{Journal, Line};
use crate::record::chunk::{Envelope, Records};
use crate::record::event::KubeEvent;
use crate::record::text::Repair;
use crate::render::enriched;
use crate::topology::index::Index;
use crate::trip;
use memory::Memory;

/// What came and what became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records that can be read, events or not.
    pub records: u64,
    pub events: u64,
    pub duplicates: u64,
}

/// One instance of the filter. Dropped, it writes what its file has not taken yet.
pub struct Enricher {
    impacts: Option<Impacts>,
    keep_managed_fields: bool,
    /// The host runs one call of an instance at a time.
    state: Mutex<State>,
}

struct State {
    memory: Option<Memory>,
    repair: Repair,
    counts: Counts,
}

/// What becomes of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    AsItCame,
    Dropped,
    /// It was appended to the output.
    Rewritten,
}

impl Enricher {
    /// Opens the file, if there is one, and starts the thread that writes it; `on_start` runs there first.
    ///
    /// # Errors
    /// When the file is in use, or cannot be opened.
    pub fn start(
        settings: &FilterSettings,
        impacts: Option<Impacts>,
        journal: &Arc<Journal>,
        on_start: fn(),
    ) -> Result<Self, Vec<Mistake>> {
        let memory = settings.dedup.as_ref().map(|dedup| Memory::open(dedup, journal, on_start));
        let state =
            State { memory: memory.transpose()?, repair: Repair::default(), counts: Counts::default() };
        Ok(Self { impacts, keep_managed_fields: settings.keep_managed_fields, state: Mutex::new(state) })
    }

    /// What the chunk becomes; `None`: it stays as it came. Empty: nothing of it is left.
    // Its frames must be gone when the caller goes on to the logger.
    #[inline(never)]
    #[must_use]
    pub fn chunk(&self, chunk: &[u8]) -> Option<Vec<u8>> {
        let now_seconds = clock::unix_seconds(clock::wall());
        let mut state = self.lock();
        if let Some(memory) = &mut state.memory {
            memory.begin_chunk(now_seconds);
        }
        let mut out = None;
        match &self.impacts {
            Some(Impacts { topology, correlator }) => topology.lend(&mut |index| {
                out = self.records(chunk, Some((index, correlator)), &mut state);
            }),
            None => out = self.records(chunk, None, &mut state),
        }
        trip::wire("enrich");
        if let Some(memory) = &mut state.memory {
            memory.end_chunk(now_seconds);
        }
        out
    }

    /// What the threads that follow the cluster have to say.
    pub fn drain_journal(&self, now: Instant) -> Vec<Line> {
        self.impacts.as_ref().map_or_else(Vec::new, |impacts| impacts.topology.drain_journal(now))
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies what stays in whole stretches, from one changed record to the next.
    fn records(
        &self,
        chunk: &[u8],
        cluster: Option<(&Index, &Correlator)>,
        state: &mut State,
    ) -> Option<Vec<u8>> {
        let (mut out, mut rewritten) = (Vec::new(), Vec::new());
        let mut copied = 0;
        let mut is_changed = false;
        // A broken record is skipped here and so copied as it is.
        for record in Records::new(chunk).flatten() {
            state.counts.records += 1;
            rewritten.clear();
            let fate = self.record(&record, cluster, state, &mut rewritten);
            if fate == Fate::AsItCame {
                continue;
            }
            is_changed = true;
            out.extend_from_slice(&chunk[copied..record.offset]);
            if fate == Fate::Rewritten {
                out.extend_from_slice(&rewritten);
            }
            copied = record.end();
        }
        if !is_changed {
            return None;
        }
        out.extend_from_slice(&chunk[copied..]);
        Some(out)
    }

    fn record(
        &self,
        record: &Envelope<'_>,
        cluster: Option<(&Index, &Correlator)>,
        state: &mut State,
        out: &mut Vec<u8>,
    ) -> Fate {
        let Ok(Some(event)) = KubeEvent::read(record.body, &state.repair) else { return Fate::AsItCame };
        state.counts.events += 1;
        if state.memory.as_mut().is_some_and(|memory| memory.has_seen(&event)) {
            state.counts.duplicates += 1;
            return Fate::Dropped;
        }
        let about = About::from(&event);
        let impact = cluster.map(|(index, correlator)| correlator.correlate(index, &about));
        let change =
            enriched::Change { impact: impact.as_ref(), keep_managed_fields: self.keep_managed_fields };
        match enriched::write(record, &change, out) {
            Ok(true) => Fate::Rewritten,
            Ok(false) | Err(_) => Fate::AsItCame,
        }
    }
}
