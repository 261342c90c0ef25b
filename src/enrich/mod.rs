//! The filter's way over one chunk: record → event → seen before? → impact → rewritten.
//!
//! - `impacts`: the cluster, and the wait for its first lists
//! - `seen`: which versions went through already
//! - `seen_file`: the thread that keeps them in a file
//!
//! All of it but that thread runs on the host's stack, which may have 24 KiB and no guard page: nothing here waits for a
//! disk or a network or recurses with the data, and large values are on the heap. A record that is no Kubernetes event, or
//! cannot be read, stays as it came: a filter that stands before other outputs has no dead letters.

mod impacts;
mod seen;
mod seen_file;

pub use impacts::{Impacts, Topology};

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
use seen::SeenVersions;

/// How many records came, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Readable records, events or not.
    pub records: u64,
    /// Kubernetes events, duplicates included.
    pub events: u64,
    /// Events dropped because their version went through before; 0 with `dedup off`.
    pub duplicates: u64,
    /// Events that got an impact, or lost their `managedFields`.
    pub rewritten: u64,
    /// Events that name a Service.
    pub matched: u64,
    /// Events that name none.
    pub unmatched: u64,
    /// Events about objects that the cluster was never seen to have.
    pub unknown: u64,
    /// Events whose impact may be out of date.
    pub stale: u64,
    /// Events about objects of other namespaces.
    pub foreign: u64,
    /// Events that came before the first lists.
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

/// One instance of the filter. When it is dropped, it writes what is not in its file yet.
pub struct Enricher {
    impacts: Option<Impacts>,
    keep_managed_fields: bool,
    /// The host runs one call of an instance at a time.
    state: Mutex<State>,
}

struct State {
    seen: Option<SeenVersions>,
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
    /// If another instance uses the file, or it cannot be opened.
    pub fn start(
        settings: &FilterSettings,
        impacts: Option<Impacts>,
        log: &Arc<HostLog>,
        on_start: fn(),
    ) -> Result<Self, Vec<ConfigError>> {
        let seen = settings.dedup.as_ref().map(|dedup| SeenVersions::open(dedup, log, on_start));
        let state = State { seen: seen.transpose()?, repair: Repair::default(), counts: Counts::default() };
        Ok(Self { impacts, keep_managed_fields: settings.keep_managed_fields, state: Mutex::new(state) })
    }

    /// The rewritten chunk, empty if all its records were duplicates; `None`: it stays as it came.
    // Its frames must be gone when the caller goes on to the logger.
    #[inline(never)]
    #[must_use]
    pub fn chunk(&self, chunk: &[u8]) -> Option<Vec<u8>> {
        let now_seconds = clock::unix_seconds(clock::wall());
        let mut state = self.lock();
        if let Some(seen) = &mut state.seen {
            seen.begin_chunk(now_seconds);
        }
        let mut out = None;
        match &self.impacts {
            Some(Impacts { topology, correlator }) => topology.lend(&mut |index| {
                out = self.records(chunk, Some((index, correlator)), &mut state);
            }),
            None => out = self.records(chunk, None, &mut state),
        }
        failpoint::hit("enrich");
        if let Some(seen) = &mut state.seen {
            seen.end_chunk(now_seconds);
        }
        out
    }

    /// The log of the threads that follow the cluster.
    #[must_use]
    pub fn log_of_cluster(&self) -> Option<Arc<HostLog>> {
        self.impacts.as_ref().and_then(|impacts| impacts.topology.log())
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies unchanged records in whole stretches, from one changed record to the next.
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
        if state.seen.as_mut().is_some_and(|seen| seen.has_seen(&Content::Event(&event), record.body)) {
            state.counts.duplicates += 1;
            return Outcome::Dropped;
        }
        let about = About::from(&event);
        let impact = cluster.map(|(index, correlator)| correlator.correlate_within(index, &about, work));
        state.counts.add(impact.as_ref().map_or(Correlation::Off, |impact| impact.correlation));
        let edits =
            enriched::Edits { impact: impact.as_ref(), keep_managed_fields: self.keep_managed_fields };
        match enriched::write(record, &edits, out) {
            Ok(true) => {
                state.counts.rewritten += 1;
                Outcome::Rewritten
            }
            Ok(false) | Err(_) => Outcome::AsItCame,
        }
    }
}
