//! What is checked of any input, in one place: for the fuzz targets, and for the mutator of `tests/memory/mutations`.
//!
//! A body finds a fault by panicking. What an input looks like is for each body to say; all take any bytes.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "a test may fail, and each uses its own part"
)]

pub mod answer;
pub mod chunk;
pub mod config;
mod data;
mod distinct;
pub mod elastic;
pub mod event;
mod planted;
pub mod record;
pub mod secret;
pub mod strict;
pub mod template;
pub mod tenants;
pub mod watch;
#[path = "../../testkit/src/wrapped.rs"]
pub mod wrapped;

/// One reader of what comes from outside, and what must hold for all that it reads.
pub trait Body {
    /// The name of the fuzz target and the folders of its inputs.
    const NAME: &'static str;
    /// What inputs are made of, to be put in anywhere.
    const WORDS: &'static [&'static [u8]];
    /// So much may be kept for good by a thread that reads it: what is no cache of ours, and bounded.
    const KEPT_BYTES: i64 = 0;

    fn new() -> Self;

    /// Good input to begin with.
    fn seeds() -> Vec<Vec<u8>>;

    /// Panics if anything is wrong. `closely`: also with what takes long, such as reading again what was written.
    fn check(&mut self, input: &[u8], closely: bool);

    /// How much was understood so far, and how much was refused: mutants that are all good or all rubbish show
    /// nothing.
    fn seen(&self) -> Seen;
}

/// In the body's own measure: records, settings, objects, answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    pub good: u64,
    pub bad: u64,
}

impl Seen {
    pub fn add(&mut self, more: Self) {
        self.good += more.good;
        self.bad += more.bad;
    }

    fn note(&mut self, good: bool) {
        if good {
            self.good += 1;
        } else {
            self.bad += 1;
        }
    }
}
