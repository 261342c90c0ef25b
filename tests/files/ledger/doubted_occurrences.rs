//! With intents: is no occurrence of an event ever counted twice, and is each counted or in doubt?
//!
//! A record counts the occurrences from `count - new_occurrences + 1` to `count` of its event. Whatever arrives, is lost or
//! is left in doubt, in whatever order the versions come, and whichever of them the source has no more after a crash: of
//! what has arrived nothing overlaps, and together with what was in doubt it begins at the first occurrence and has no gap.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::cases;
use super::scratch::tempdir;
use cases::cases;
use event_gateway::config::{LedgerSettings, Updates};
use event_gateway::ledger::{Ledger, Ticket, Verdict};
use event_gateway::record::identity::{Identity, Version, Versioned};
use proptest::collection::vec;
use proptest::prelude::*;

const NOW_SECONDS: u64 = 1_800_000_000;
const EVENTS: u32 = 3;
const STATES: u32 = 8;

#[derive(Debug, Clone, Copy)]
enum Answer {
    Accepted,
    Refused,
    /// Nobody knows, and this is how it was. The letters are written, or find no place.
    Lost {
        arrived: bool,
        letters: bool,
    },
    /// The host is killed before the answer.
    Killed {
        arrived: bool,
    },
}

/// The records of a round, each an event and its state, and what becomes of their request.
type Step = (Vec<(u32, u32)>, Answer);

fn step() -> impl Strategy<Value = Step> {
    let answer = prop_oneof![
        4 => Just(Answer::Accepted),
        1 => Just(Answer::Refused),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(arrived, letters)| Answer::Lost { arrived, letters }),
        2 => any::<bool>().prop_map(|arrived| Answer::Killed { arrived }),
    ];
    (vec((0..EVENTS, 0..STATES), 1..5), answer)
}

fn count_of(event: u32, state: u32) -> u32 {
    1 + event + state * (state + 1) / 2
}

fn open(folder: &std::path::Path) -> Ledger {
    let ttl = Duration::from_secs(10_000);
    let settings = LedgerSettings { state_file: Some(folder.join("ledger")), ttl, max_entries: 1_000 };
    Ledger::open(&settings, Updates::Every, NOW_SECONDS).unwrap().0
}

/// By event: the occurrences that were counted, and those that are in doubt.
#[derive(Default)]
struct Gateway {
    counted: BTreeMap<u32, BTreeSet<u32>>,
    in_doubt: BTreeMap<u32, BTreeSet<u32>>,
}

impl Gateway {
    fn take(&mut self, event: u32, count: u32, new_occurrences: u32) {
        for occurrence in count - new_occurrences + 1..=count {
            assert!(
                self.counted.entry(event).or_default().insert(occurrence),
                "occurrence {occurrence} of event {event} is counted twice"
            );
        }
    }

    fn doubt(&mut self, event: u32, count: u32, new_occurrences: u32) {
        self.in_doubt.entry(event).or_default().extend(count - new_occurrences + 1..=count);
    }

    fn has_no_gap(&self) {
        for event in 0..EVENTS {
            let of = |which: &BTreeMap<u32, BTreeSet<u32>>| which.get(&event).cloned().unwrap_or_default();
            let all: BTreeSet<u32> = of(&self.counted).union(&of(&self.in_doubt)).copied().collect();
            let last = all.last().copied().unwrap_or_default();
            assert!(all.iter().copied().eq(1..=last), "event {event}: of 1 to {last} there are {all:?}");
        }
    }
}

fn run(steps: &[Step]) {
    let folder = tempdir();
    let (mut ledger, mut gateway) = (open(folder.path()), Gateway::default());
    // At last every state comes once more, and all of it gets through.
    let all = (0..EVENTS).flat_map(|event| (0..STATES).map(move |state| (event, state))).collect();
    for (records, answer) in steps.iter().chain([&(all, Answer::Accepted)]) {
        let mut request: Vec<(Ticket, u32, u32, u32)> = Vec::new();
        for &(event, state) in records {
            let count = count_of(event, state);
            let version = Version::parse(&(100 + state).to_string());
            let record = Versioned { identity: Identity(event.into()), version, count };
            match ledger.begin(record) {
                Verdict::New { ticket } => request.push((ticket, event, count, count)),
                Verdict::Update { ticket, new_occurrences } => {
                    request.push((ticket, event, count, new_occurrences))
                }
                Verdict::InDoubt { ticket } => ledger.commit(&[ticket], NOW_SECONDS).unwrap(),
                _ => {}
            }
        }
        let tickets: Vec<_> = request.iter().map(|(ticket, ..)| *ticket).collect();
        ledger.intend(&tickets, NOW_SECONDS).unwrap();
        let abort = |ledger: &mut Ledger| tickets.iter().for_each(|ticket| ledger.abort(*ticket));
        let arrived = match *answer {
            Answer::Accepted => true,
            Answer::Refused => false,
            Answer::Lost { arrived, .. } | Answer::Killed { arrived } => arrived,
        };
        for &(_, event, count, new_occurrences) in &request {
            if arrived {
                gateway.take(event, count, new_occurrences);
            }
            if matches!(answer, Answer::Lost { .. } | Answer::Killed { .. }) {
                gateway.doubt(event, count, new_occurrences);
            }
        }
        match *answer {
            Answer::Accepted => ledger.commit(&tickets, NOW_SECONDS).unwrap(),
            Answer::Refused => {
                ledger.release(NOW_SECONDS).unwrap();
                abort(&mut ledger);
            }
            Answer::Lost { letters, .. } => {
                ledger.doubt();
                if letters { ledger.commit(&tickets, NOW_SECONDS).unwrap() } else { abort(&mut ledger) }
            }
            Answer::Killed { .. } => {
                drop(ledger);
                ledger = open(folder.path());
            }
        }
        gateway.has_no_gap();
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn no_occurrence_is_counted_twice_and_none_is_left_out(steps in vec(step(), 0..40)) {
        run(&steps);
    }
}

/// What a real control plane has shown: the host dies with a version on its way that has arrived, and the source has
/// nothing but the next one.
#[test]
fn a_version_in_doubt_that_never_comes_again_is_not_counted_again() {
    let killed = Answer::Killed { arrived: true };
    run(&[(vec![(0, 1)], killed), (vec![(0, 2)], Answer::Accepted), (vec![(0, 1)], Answer::Accepted)]);
    run(&[(vec![(0, 2)], killed), (vec![(0, 1)], Answer::Accepted), (vec![(0, 3)], Answer::Accepted)]);
}
