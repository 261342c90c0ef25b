//! What the log says about an election: who leads, why one no longer does, and what is wrong with the Lease.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::api_error::{ApiError, Verb, shown};
use super::document::{Document, Finding};
use super::lease_name::LeaseName;
use crate::log::HostLog;
use crate::replicas::Millis;
use crate::replicas::election::Election;

/// An API server that has just started denies everything until it has read the roles.
const DENIALS_BEFORE_A_LINE: u32 = 2;

pub(super) struct Report {
    lease: LeaseName,
    log: Arc<HostLog>,
    /// An outage that lasts this long is logged.
    patience: Millis,
    standing: Standing,
    /// What was last logged as odd, and whose Lease it was.
    finding: Option<(Finding, String)>,
    /// Errors that need a person: how often in a row, and the text that was logged.
    errors: BTreeMap<Verb, (u32, String)>,
    outage: Option<Outage>,
    is_stopping: bool,
}

#[derive(PartialEq, Eq)]
enum Standing {
    Unknown,
    Leads(u64),
    /// `None`: nobody holds the Lease, or it is unknown who does.
    StandsBy(Option<String>),
}

struct Outage {
    since: Millis,
    why: String,
    is_logged: bool,
}

impl Report {
    pub(super) fn new(lease: LeaseName, log: Arc<HostLog>, patience: Millis) -> Self {
        Self {
            lease,
            log,
            patience,
            standing: Standing::Unknown,
            finding: None,
            errors: BTreeMap::new(),
            outage: None,
            is_stopping: false,
        }
    }

    /// Looks who leads now.
    pub(super) fn standing(&mut self, election: &Election, now: Millis) {
        let holder = election.record().map(|record| record.content.holder.as_str());
        let other = holder.filter(|holder| !holder.is_empty() && *holder != election.name());
        let standing = match election.epoch().filter(|_| election.may_send(now).is_some()) {
            Some(epoch) => Standing::Leads(epoch),
            None => Standing::StandsBy(other.map(str::to_owned)),
        };
        if self.is_stopping || self.standing == standing {
            return;
        }
        let lease = &self.lease;
        match (&self.standing, &standing) {
            (_, Standing::Leads(epoch)) => {
                let text = format!("leads with epoch {epoch}: it holds the Lease {lease} and delivers");
                self.log.info("lease held", text);
            }
            (Standing::Leads(_), _) => {
                let why = match (other, &self.outage) {
                    (Some(holder), _) => format!("{} holds it now", shown(holder)),
                    (None, Some(outage)) => format!("it was not renewed in time ({})", outage.why),
                    (None, None) => "it was not renewed in time".to_owned(),
                };
                self.log.warn(
                    "lease lost",
                    format!("no longer leads: the Lease {lease} is lost, {why}; it sends nothing, and records wait"),
                );
            }
            (_, Standing::StandsBy(Some(holder))) => {
                let holder = shown(holder);
                self.log.info(
                    "lease standby",
                    format!("stands by: {holder} holds the Lease {lease}; records wait until they are settled there"),
                );
            }
            _ => {}
        }
        self.standing = standing;
    }

    /// A version of the Lease that was not seen before.
    pub(super) fn found(&mut self, document: &Document) {
        let holder = &document.record.content.holder;
        let finding = document.finding.map(|finding| (finding, holder.clone()));
        if self.finding == finding {
            return;
        }
        let (lease, holder) = (&self.lease, shown(holder));
        match document.finding {
            Some(Finding::Foreign) => self.log.warn(
                "lease foreign",
                format!(
                    "the Lease {lease} is held by {holder}, without this plugin's annotation: another program holds it, or \
                     somebody has edited it; nothing is sent while it is held, and some records may be repeated after that"
                ),
            ),
            Some(Finding::Unreadable(why)) => self.log.warn(
                "lease damaged",
                format!(
                    "the annotation of the Lease {lease} cannot be read ({why}): what the leader has settled is unknown, so \
                     some records may be repeated; its next write replaces the annotation"
                ),
            ),
            None => {}
        }
        self.finding = finding;
    }

    /// A request had an answer to work with.
    pub(super) fn succeeded(&mut self, verb: Verb) {
        self.errors.remove(&verb);
        self.outage = None;
    }

    pub(super) fn failed(&mut self, verb: Verb, error: &ApiError, now: Millis) {
        let text = error.to_string();
        let outage =
            self.outage.get_or_insert_with(|| Outage { since: now, why: String::new(), is_logged: false });
        outage.why.clone_from(&text);
        let lease = &self.lease;
        if let ApiError::Unknown(why) = error {
            if !outage.is_logged && now >= outage.since + self.patience {
                outage.is_logged = true;
                let milliseconds = now.saturating_sub(outage.since);
                self.log.warn(
                    "lease unreachable",
                    format!(
                        "the Lease {lease} could not be read or written for {milliseconds} ms: {why} (look at kube_url, and \
                         at the API server); no replica that cannot renew it delivers, and records wait"
                    ),
                );
            }
            return;
        }
        let (times, logged) = self.errors.entry(verb).or_default();
        *times = times.saturating_add(1);
        if *times < DENIALS_BEFORE_A_LINE || *logged == text {
            return;
        }
        logged.clone_from(&text);
        match error {
            ApiError::Denied { .. } => {
                self.log.error("lease denied", format!("{text}; until then this replica cannot lead"));
            }
            _ => self.log.error(
                "lease refused",
                format!("{verb} on the Lease {lease} failed: {text}; until then this replica cannot lead"),
            ),
        }
    }

    /// Nothing is logged any more but how the release went.
    pub(super) fn stopping(&mut self) {
        self.is_stopping = true;
    }

    pub(super) fn released(&self, is_released: bool) {
        let lease = &self.lease;
        if is_released {
            self.log.info(
                "lease released",
                format!("the Lease {lease} is released: another replica leads at once"),
            );
        } else {
            self.log.warn(
                "lease not released",
                format!(
                    "the Lease {lease} could not be released in time: another replica leads when it expires"
                ),
            );
        }
    }
}
