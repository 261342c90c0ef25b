//! The world of the model: an API server, two replicas, their sources and a gateway, as one value.

use std::collections::BTreeSet;

use super::super::protocol::election::{Timing, Written};
use super::super::protocol::lease::{LeaseContent, LeaseRecord};
use super::super::protocol::replica::Replica;
use super::super::protocol::seen::Bounds;
use super::super::protocol::{Event, Millis};

/// Which event each version is of, in the order in which they are made.
pub const VERSIONS: [Event; 4] = [1, 2, 1, 3];

/// How far a clock of each kind goes on in one step of time.
pub const TICK: Millis = 10;

pub const TIMING: Timing = Timing { lease: 50, renew_deadline: 30, retry: 10, watermark: 5 };

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub now: Millis,
    pub api: Api,
    pub nodes: [Node; 2],
    /// How often the gateway took each version, by its place in [`VERSIONS`].
    pub delivered: [u8; VERSIONS.len()],
    /// Which were dead-lettered because they may have arrived.
    pub ambiguous: [bool; VERSIONS.len()],
    /// Whether an earlier state of the Lease may be shown.
    pub is_cache_behind: bool,
    /// How many versions are made.
    pub versions: usize,
    /// Faults that may still happen.
    pub faults: u8,
    /// How often each version may come to the gateway.
    pub allowed: [u8; VERSIONS.len()],
    /// What the Lease said is lost, and even what was announced may be repeated.
    pub was_lease_lost: bool,
    /// The guarantee is `no_duplicates`: versions are announced before they are sent.
    pub is_once: bool,
    /// Whether a watermark has room for all exceptions that there can be.
    pub has_room: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Api {
    /// etcd's revision.
    pub version: u64,
    pub lease: Option<LeaseRecord>,
    /// The Lease before the last write, as a cache that is behind shows it.
    pub earlier: Option<LeaseRecord>,
    /// The versions made so far: the resourceVersion of each.
    pub made: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    pub machine: Replica,
    /// Which run of the process this is.
    pub run: u8,
    pub exceptions: usize,
    /// Its clock goes on by so much in a tick.
    pub rate: Millis,
    pub clock: Millis,
    /// Ticks for which it does not run (SIGSTOP).
    pub paused: u8,
    pub is_stopping: bool,
    /// It does not reach the API server.
    pub is_cut_off: bool,
    /// How many of the made versions its source has brought, or skipped.
    pub read: usize,
    /// How many its verification has shown; `None`: it has to list.
    pub verified: Option<usize>,
    /// Versions in hand that wait for their result, by place.
    pub held: BTreeSet<usize>,
    /// Which one it announces, with `no_duplicates`. It keeps to it until that is settled.
    pub announces: Option<usize>,
    /// It has decided to send this one until then, and has not sent it yet.
    pub checked: Option<(usize, Millis)>,
    pub request: Option<Request>,
    /// The response to its write, which has not come back yet.
    pub written: Option<Written>,
}

/// A request on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    pub place: usize,
    /// By its sender's clock.
    pub deadline: Millis,
    pub has_arrived: bool,
}

impl World {
    pub fn new(rates: [Millis; 2], faults: u8, is_once: bool, has_room: bool) -> Self {
        let exceptions = if has_room { VERSIONS.len() } else { 1 };
        let nodes = [Node::new(0, 0, rates[0], exceptions), Node::new(1, 0, rates[1], exceptions)];
        Self {
            now: 0,
            api: Api::default(),
            nodes,
            delivered: [0; VERSIONS.len()],
            ambiguous: [false; VERSIONS.len()],
            is_cache_behind: true,
            versions: VERSIONS.len(),
            faults,
            allowed: [1; VERSIONS.len()],
            was_lease_lost: false,
            is_once,
            has_room,
        }
    }

    /// A world in which the first replica leads already, both verify, and no cache is behind.
    pub fn with_a_leader(mut self) -> Self {
        use super::step::Action::{Lease, Tick, Verify, Written};
        let start = [
            Verify(0),
            Verify(1),
            Lease(0),
            Tick,
            Tick,
            Tick,
            Tick,
            Tick,
            Tick,
            Lease(0),
            Written(0),
            Lease(1),
        ];
        for action in start {
            self.take(action).expect("a start without a fault");
        }
        self.is_cache_behind = false;
        self
    }

    /// Whether a version, or a newer one of its event, was delivered, or dead-lettered as ambiguous.
    pub fn is_delivered(&self, place: usize) -> bool {
        let is_settled = |other: usize| self.delivered[other] > 0 || self.ambiguous[other];
        (place..self.api.made.len()).any(|other| VERSIONS[other] == VERSIONS[place] && is_settled(other))
    }

    /// Whether there is a newer version of the event already.
    pub fn is_overtaken(&self, place: usize) -> bool {
        (place + 1..self.api.made.len()).any(|other| VERSIONS[other] == VERSIONS[place])
    }
}

impl Node {
    pub fn new(index: u8, run: u8, rate: Millis, exceptions: usize) -> Self {
        let name = format!("{index}.{run}");
        Self {
            machine: Replica::new(name, TIMING, Bounds { versions: 100, exceptions }),
            run,
            exceptions,
            rate,
            clock: 0,
            paused: 0,
            is_stopping: false,
            is_cut_off: false,
            read: 0,
            verified: None,
            held: BTreeSet::new(),
            announces: None,
            checked: None,
            request: None,
            written: None,
        }
    }

    /// A new run of the same pod, which remembers nothing. Returned is the one before.
    pub fn start_again(&mut self) -> Node {
        let index = self.machine.election().name().starts_with('1');
        let mut next = Node::new(u8::from(index), self.run + 1, self.rate, self.exceptions);
        (next.clock, next.is_cut_off) = (self.clock, self.is_cut_off);
        std::mem::replace(self, next)
    }

    pub fn may_send(&self) -> bool {
        self.paused == 0 && self.machine.election().may_send(self.clock).is_some()
    }
}

impl Api {
    pub fn make(&mut self) {
        self.version += 1;
        self.made.push(self.version);
    }

    /// A write that would be stored must say at least what the Lease says.
    pub fn is_said_still(&self, content: &LeaseContent) -> Result<(), String> {
        let Some(said) = self.lease.as_ref().and_then(|lease| lease.content.watermark.as_ref()) else {
            return Ok(());
        };
        let says =
            |event, version| content.watermark.as_ref().is_some_and(|next| next.covers(event, version));
        let lost = self
            .made
            .iter()
            .zip(VERSIONS)
            .find(|(version, event)| said.covers(*event, **version) && !says(*event, **version));
        lost.map_or(Ok(()), |(version, _)| {
            Err(format!(
                "the Lease does not say any more that {version} is settled: {said:?}, then {:?}",
                content.watermark
            ))
        })
    }

    /// A write that names the version that it replaces; `None` makes the Lease.
    pub fn write(&mut self, replaces: Option<u64>, content: LeaseContent) -> Option<LeaseRecord> {
        if self.lease.as_ref().map(|lease| lease.version) != replaces {
            return None;
        }
        self.version += 1;
        let uid = self.lease.as_ref().map_or_else(|| format!("u{}", self.version), |lease| lease.uid.clone());
        let record = LeaseRecord { uid, version: self.version, content };
        self.earlier = self.lease.replace(record.clone());
        Some(record)
    }
}
