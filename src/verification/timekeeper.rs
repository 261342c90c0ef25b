//! The thread that looks at the time: it confirms what the Lease says, forgets what expired, and reports what is owed.
//!
//! A leader that has just taken over may trust its predecessor's word only after a read of etcd that began later, and
//! delivers nothing that the word may cover until then. The watch does not wait for that, so this thread reads, on a connection
//! of its own.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::change::number;
use super::lag::{Lag, LagLine, LagLog, Totals};
use super::timing::Timing;
use crate::cluster::Client;
use crate::failpoint;
use crate::log::HostLog;
use crate::net::stop::Stopper;
use crate::replicas::Millis;
use crate::replicas::replica::Replica;
use crate::replicas::shared::SharedReplica;
use crate::topology::list_scanner::ListScanner;
use crate::topology::watch::request::{accept, probe};
use crate::topology::watch::{ApiRequest, RequestKind};

/// Between two reads that fail.
const AGAIN: Duration = Duration::from_millis(500);
/// One event's metadata and its managed fields, several times over.
const LONGEST_BODY_BYTES: u64 = 4 << 20;
/// It reads a few hundred bytes at a takeover.
pub(super) const BUFFER_BYTES: usize = 4 << 10;

pub(super) struct Timekeeper {
    /// Of the events, on the API server.
    pub path: String,
    pub client: Client,
    pub stopper: Stopper,
    pub shared: Arc<SharedReplica>,
    pub totals: Arc<Totals>,
    pub reconcile_after: Duration,
    pub timing: Timing,
    pub log: Arc<HostLog>,
    pub lag_log: LagLog,
    /// When it looks at what is owed, and when it forgets, the next time.
    pub due: Millis,
    pub forget_due: Millis,
    /// The last read was answered with 401.
    pub renew_credentials: bool,
}

impl Timekeeper {
    /// Runs until the stop.
    pub(super) fn run(mut self) {
        let mut buffer = vec![0; BUFFER_BYTES];
        while !self.stopper.is_stopped() {
            if catch_unwind(AssertUnwindSafe(|| self.round(&mut buffer))).is_err() {
                self.client.hang_up();
                self.log.error(
                    "verification panicked",
                    "looking at what is owed panicked, a fault of this plugin; nothing was lost; it is tried again",
                );
                self.stopper.pause(AGAIN);
            }
        }
    }

    fn round(&mut self, buffer: &mut [u8]) {
        failpoint::hit("timekeeper");
        if let Some(said) = self.wait() {
            self.confirm(said, buffer);
        }
        let now = self.shared.now_ms();
        if now >= self.due && !self.stopper.is_stopped() {
            self.due = now + millis(self.timing.tick);
            self.look(now);
        }
    }

    /// Waits for the next tick, or until the Lease's word has to be confirmed. Returns up to where that goes.
    fn wait(&self) -> Option<u64> {
        let is_idle = |replica: &mut Replica| unconfirmed(replica).is_none() && !self.stopper.is_stopped();
        let tick = self.timing.tick;
        let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), tick, is_idle);
        unconfirmed(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    fn confirm(&mut self, said: u64, buffer: &mut [u8]) {
        let Some(version) = self.read_version(buffer) else {
            self.client.hang_up();
            self.stopper.pause(AGAIN);
            return;
        };
        let is_true = {
            let mut replica = self.shared.lock();
            // Another word, observed since, may be newer than the read.
            replica.seen().said_through() != Some(said) || replica.confirm(version)
        };
        self.shared.changed.notify_all();
        if !is_true {
            self.log.warn(
                "events restored",
                format!(
                    "the Lease says that events up to resourceVersion {said} are settled, but the API server has come \
                     only to {version}, as after a restore of etcd; nothing is lost; that word no longer counts, so some \
                     events may be delivered again"
                ),
            );
        }
    }

    /// The version of a consistent read.
    fn read_version(&mut self, buffer: &mut [u8]) -> Option<u64> {
        let request = ApiRequest {
            target: probe(&self.path),
            accept: accept(true, false),
            kind: RequestKind::Probe,
            renew_credentials: self.renew_credentials,
        };
        let response = self.client.get(&request).ok()?;
        self.renew_credentials = response.status().as_u16() == 401;
        if response.status().as_u16() != 200 {
            return None;
        }
        let mut body = response.into_body().into_reader().take(LONGEST_BODY_BYTES);
        let mut scanner = ListScanner::default();
        loop {
            match self.client.read(&mut body, buffer).ok()? {
                0 => break,
                count => scanner.feed(&buffer[..count], |_| {}).ok()?,
            }
        }
        number(&scanner.finish().ok()?.resource_version?)
    }

    fn look(&mut self, now: Millis) {
        let is_forgetting = now >= self.forget_due;
        let (lag, is_standby) = {
            let mut replica = self.shared.lock();
            if is_forgetting {
                let before = replica.seen().unsettled_len();
                replica.expire(now.saturating_sub(millis(self.timing.forget)));
                let forgotten = before.saturating_sub(replica.seen().unsettled_len());
                self.totals.forgotten.add(forgotten as u64);
            }
            let lag = Lag::measure(replica.seen(), &self.totals, self.reconcile_after, now);
            (lag, is_standby(&replica))
        };
        if is_forgetting {
            // It goes through all that is unsettled, so it is rare.
            self.forget_due = now + millis(self.timing.forget / 60);
        }
        // The leader says it.
        if is_standby {
            return;
        }
        match self.lag_log.line(&lag, self.reconcile_after, self.timing.warn, now) {
            Some(LagLine::Lags(text)) => self.log.warn("source lags", text),
            Some(LagLine::CaughtUp(text)) => self.log.info("source caught up", text),
            None => {}
        }
    }
}

/// Up to where the Lease's word goes, if this run leads and may not believe it yet.
fn unconfirmed(replica: &Replica) -> Option<u64> {
    let wants = replica.is_leading() && replica.seen().wants_confirmation();
    if wants { replica.seen().said_through() } else { None }
}

/// Whether another run holds the Lease.
fn is_standby(replica: &Replica) -> bool {
    let record = replica.election().record();
    !replica.election().is_mine() && record.is_some_and(|record| !record.content.holder.is_empty())
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
