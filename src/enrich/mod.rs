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

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock;
use crate::config::{ConfigError, FilterSettings};
use crate::correlate::{About, Correlation, Correlator, Work};
use crate::failpoint;
use crate::format::enriched;
use crate::log::HostLog;
use crate::record::chunk::{Envelope, Records};
use crate::record::content::Content;
use crate::record::event::KubeEvent;
use crate::record::text::Repair;
use crate::topology::index::Index;
use memory::Memory;

/// What came and what became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records that can be read, events or not.
    pub records: u64,
    pub events: u64,
    pub duplicates: u64,
    /// Events to which an impact was added, or from which `managedFields` were cut.
    pub rewritten: u64,
    /// Events that name a Service, those that name none, those about objects that were never seen, those whose answer may
    /// be out of date, those about objects of other namespaces, and those that came before the first look.
    pub matched: u64,
    pub unmatched: u64,
    pub unknown: u64,
    pub stale: u64,
    pub foreign: u64,
    pub not_ready: u64,
}

impl Counts {
    fn add(&mut self, correlation: Correlation) {
        match correlation {
            Correlation::Matched => self.matched += 1,
            Correlation::None => self.unmatched += 1,
            Correlation::Unknown => self.unknown += 1,
            Correlation::Stale => self.stale += 1,
            Correlation::Foreign => self.foreign += 1,
            Correlation::NotReady => self.not_ready += 1,
            Correlation::Off => {}
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            records,
            events,
            duplicates,
            rewritten,
            matched,
            unmatched,
            unknown,
            stale,
            foreign,
            not_ready,
        } = self;
        write!(
            f,
            "saw {events} events in {records} records; {duplicates} duplicates dropped, {rewritten} rewritten; \
             {matched} name Services, {unmatched} name none, {unknown} are about unknown objects, {stale} may be out of \
             date, {foreign} lie in another namespace than their objects, {not_ready} came before the first look at the cluster"
        )
    }
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
enum Outcome {
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
        log: &Arc<HostLog>,
        on_start: fn(),
    ) -> Result<Self, Vec<ConfigError>> {
        let memory = settings.dedup.as_ref().map(|dedup| Memory::open(dedup, log, on_start));
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
        failpoint::hit("enrich");
        if let Some(memory) = &mut state.memory {
            memory.end_chunk(now_seconds);
        }
        out
    }

    /// Where the threads that follow the cluster say what they have to say.
    #[must_use]
    pub fn log_of_cluster(&self) -> Option<Arc<HostLog>> {
        self.impacts.as_ref().and_then(|impacts| impacts.topology.log())
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
        let mut work = Work::default();
        let mut copied = 0;
        let mut is_changed = false;
        // A broken record is skipped here and so copied as it is.
        for record in Records::new(chunk).flatten() {
            state.counts.records += 1;
            rewritten.clear();
            let outcome = self.record(&record, cluster, &mut work, state, &mut rewritten);
            if outcome == Outcome::AsItCame {
                continue;
            }
            is_changed = true;
            out.extend_from_slice(&chunk[copied..record.offset]);
            if outcome == Outcome::Rewritten {
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
        work: &mut Work,
        state: &mut State,
        out: &mut Vec<u8>,
    ) -> Outcome {
        let Ok(Some(event)) = KubeEvent::read(record.body, &state.repair) else { return Outcome::AsItCame };
        state.counts.events += 1;
        if state.memory.as_mut().is_some_and(|memory| memory.has_seen(&Content::Event(&event), record.body)) {
            state.counts.duplicates += 1;
            return Outcome::Dropped;
        }
        let about = About::from(&event);
        let impact = cluster.map(|(index, correlator)| correlator.correlate_within(index, &about, work));
        state.counts.add(impact.as_ref().map_or(Correlation::Off, |impact| impact.correlation));
        let change =
            enriched::Change { impact: impact.as_ref(), keep_managed_fields: self.keep_managed_fields };
        match enriched::write(record, &change, out) {
            Ok(true) => {
                state.counts.rewritten += 1;
                Outcome::Rewritten
            }
            Ok(false) | Err(_) => Outcome::AsItCame,
        }
    }
}
