//! Takes what is read, watched and written, hands it to the protocol, and keeps the Lease that the protocol knows.
//!
//! The protocol knows what it needs of a Lease. A write has to carry everything else, too.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::api_error::{ApiError, Verb};
use super::client::Reply;
use super::document::Document;
use super::report::Report;
use crate::replicas::Millis;
use crate::replicas::election::Written;
use crate::replicas::replica::Replica;
use crate::replicas::shared::SharedReplica;

pub(super) struct Observer {
    pub(super) replica: Arc<SharedReplica>,
    state: Mutex<State>,
}

struct State {
    /// The whole Lease of the record that the protocol knows.
    document: Option<Document>,
    /// Conflicts in a row.
    conflicts: u32,
    report: Report,
}

/// Which Lease the protocol knew at a moment: uid and version.
pub(super) type Known = Option<(String, u64)>;

impl Observer {
    pub(super) fn new(replica: Arc<SharedReplica>, report: Report) -> Self {
        let state = State { document: None, conflicts: 0, report };
        Self { replica, state: Mutex::new(state) }
    }

    pub(super) fn known(&self) -> Known {
        self.replica.ask(|machine, _| known(machine))
    }

    /// The Lease with this version, if it is the one that the protocol knows. The caller holds the lock of the machine.
    pub(super) fn document(&self, version: u64) -> Option<Document> {
        self.state().document.clone().filter(|document| document.record.version == version)
    }

    /// The answer of a consistent read; `is_awaited`: the protocol asked for it. It counts only if the protocol has learned
    /// nothing since it was sent. Then an older state than the known one means that etcd was restored.
    pub(super) fn read(&self, before: &Known, is_awaited: bool, answer: Result<Option<Document>, ApiError>) {
        self.change(|machine, state, now| match answer {
            Ok(document) => {
                state.report.succeeded(Verb::Get);
                if known(machine) == *before {
                    state.observe(machine, document, true, now);
                }
            }
            Err(error) => {
                state.report.failed(Verb::Get, &error, now);
                if is_awaited {
                    machine.read_again(now);
                }
            }
        });
    }

    /// The watch shows this version.
    pub(super) fn changed(&self, document: Document) {
        self.change(|machine, state, now| state.observe(machine, Some(document), false, now));
    }

    /// The watch shows that this Lease was deleted.
    pub(super) fn deleted(&self, document: &Document) {
        self.change(|machine, state, now| {
            // Another one may have been made meanwhile.
            if known(machine).is_some_and(|(uid, _)| uid == document.record.uid) {
                state.observe(machine, None, false, now);
            }
        });
    }

    /// How the write ended that the protocol has sent.
    pub(super) fn written(&self, verb: Verb, answer: Result<Reply, ApiError>) {
        self.change(|machine, state, now| match answer {
            Ok(Reply::Stored(document)) => {
                state.report.succeeded(verb);
                machine.written(Written::Stored(document.record.clone()), now);
                state.keep(machine, Some(*document));
            }
            Ok(Reply::Conflict) => {
                state.report.succeeded(verb);
                machine.written(Written::Conflict, now);
                // It is read again at once, but not again and again if the API server says nothing else.
                state.conflicts = state.conflicts.saturating_add(1);
                if state.conflicts > 1 {
                    machine.read_again(now);
                }
            }
            Err(error) => {
                state.report.failed(verb, &error, now);
                machine.written(Written::Unknown, now);
            }
        });
    }

    /// The watch does not work; reads take its place.
    pub(super) fn watch(&self, answer: Result<(), &ApiError>) {
        let now = self.replica.now_ms();
        let mut state = self.state();
        match answer {
            Ok(()) => state.report.succeeded(Verb::Watch),
            Err(error) => state.report.failed(Verb::Watch, error, now),
        }
    }

    /// Logs who leads, if that has changed. The caller holds the lock of the machine.
    pub(super) fn report(&self, machine: &Replica, now: Millis) {
        self.state().report.standing(machine.election(), now);
    }

    pub(super) fn stopping(&self) {
        self.state().report.stopping();
    }

    pub(super) fn released(&self, is_released: bool) {
        self.state().report.released(is_released);
    }

    /// The machine's lock is taken first, always.
    fn change(&self, change: impl FnOnce(&mut Replica, &mut State, Millis)) {
        self.replica.change(|machine, now| {
            let mut state = self.state();
            change(machine, &mut state, now);
            state.report.standing(machine.election(), now);
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn observe(
        &mut self,
        machine: &mut Replica,
        document: Option<Document>,
        is_consistent: bool,
        now: Millis,
    ) {
        let record = document.as_ref().map(|document| document.record.clone());
        machine.observe(record, is_consistent, now);
        self.keep(machine, document);
    }

    /// Keeps what the protocol has taken.
    fn keep(&mut self, machine: &Replica, document: Option<Document>) {
        let record = document.as_ref().map(|document| &document.record);
        if machine.election().record() != record {
            return;
        }
        if let Some(document) = &document
            && self.document.as_ref().is_none_or(|known| known.record != document.record)
        {
            self.conflicts = 0;
            self.report.found(document);
        }
        self.document = document;
    }
}

pub(super) fn known(machine: &Replica) -> Known {
    machine.election().record().map(|record| (record.uid.clone(), record.version))
}
