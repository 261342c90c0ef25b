//! The gateway of the soak: it spoils requests by the seed, and knows which records it has.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::hostile::dice::Dice;
use crate::hostile::{MODES, Mode, Place};
use crate::load::FIRST_VERSION;
use crate::support::gateway::{Answer, Request, TestGateway};

/// Keys that the gateway remembers, as one that honours `Idempotency-Key` does for a while.
const KEYS: usize = 10_000;

pub struct Taker {
    pub gateway: TestGateway,
    state: Arc<Mutex<State>>,
}

/// What the gateway has, and what came of it.
#[derive(Default)]
pub struct State {
    /// By number.
    taken: Vec<bool>,
    pub records: u64,
    /// Requests that came again as they were, and were recognised by the key.
    pub known_keys: u64,
    /// Records that came again under another key.
    pub again: u64,
    pub requests: u64,
    pub faults: u64,
    keys: HashSet<String>,
    order: VecDeque<String>,
    spell: Option<(&'static Mode, usize)>,
    one_in: usize,
    is_well: bool,
}

impl Taker {
    /// One request in so many begins a spell of a fault.
    pub fn start(seed: u64, one_in: usize) -> Taker {
        let state = State { one_in, ..State::default() };
        let (gateway, state) = (TestGateway::start(), Arc::new(Mutex::new(state)));
        let (for_requests, dice) = (Arc::clone(&state), Mutex::new(Dice(seed)));
        gateway.respond_with(move |request| {
            let mut state = for_requests.lock().expect("no panic within");
            state.answer(request, &mut dice.lock().expect("no panic within"))
        });
        Taker { gateway, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic within")
    }

    /// No more faults from now on.
    pub fn get_well(&self) {
        self.state().is_well = true;
    }
}

impl State {
    fn answer(&mut self, request: &Request, dice: &mut Dice) -> Answer {
        self.requests += 1;
        let answer = self.spoiled(dice).unwrap_or_else(Answer::ok);
        if answer.accepts() {
            self.take(request);
        }
        answer
    }

    fn spoiled(&mut self, dice: &mut Dice) -> Option<Answer> {
        if self.spell.is_none() && !self.is_well && dice.one_in(self.one_in) {
            let mode = &MODES[dice.below(MODES.len())];
            if let Place::Answer(_) = mode.place {
                self.spell = Some((mode, 1 + dice.below(mode.most)));
            }
        }
        let (mode, left) = self.spell?;
        self.spell = (left > 1 && !self.is_well).then_some((mode, left - 1));
        self.faults += 1;
        match mode.place {
            Place::Answer(answer) => Some(answer(dice)),
            _ => None,
        }
    }

    fn take(&mut self, request: &Request) {
        let key = request.header("idempotency-key").expect("a key").to_owned();
        if self.keys.contains(&key) {
            self.known_keys += 1;
            return;
        }
        self.keys.insert(key.clone());
        self.order.push_back(key);
        if self.order.len() > KEYS {
            let oldest = self.order.pop_front().expect("there are some");
            self.keys.remove(&oldest);
        }
        for line in request.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let number = usize::try_from(version_of(line) - FIRST_VERSION).expect("a number");
            if self.taken.len() <= number {
                self.taken.resize(number + 1, false);
            }
            if std::mem::replace(&mut self.taken[number], true) {
                self.again += 1;
            } else {
                self.records += 1;
            }
        }
    }

    /// The first numbers below this that the gateway has not, but for these.
    pub fn missing(&self, produced: u64, excluded: &[u64]) -> Vec<u64> {
        let excluded: HashSet<_> = excluded.iter().copied().collect();
        let has = |number: u64| self.taken.get(usize::try_from(number).expect("a number")) == Some(&true);
        (0..produced).filter(|number| has(*number) == excluded.contains(number)).take(20).collect()
    }
}

/// Reads a line that begins with `{"id":"soak-000000000123.100000000456"`: parsing them all would take longer than to
/// deliver them.
fn version_of(line: &[u8]) -> u64 {
    let id = line.strip_prefix(b"{\"id\":\"").expect("an id at the beginning");
    let version = id.split(|byte| *byte == b'"').next().and_then(|id| id.rsplit(|byte| *byte == b'.').next());
    std::str::from_utf8(version.expect("a version")).expect("digits").parse().expect("a number")
}
