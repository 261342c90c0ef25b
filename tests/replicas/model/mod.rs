//! A model of the protocol: every order of steps of two replicas is tried, with faults.

pub mod action;
pub mod explore;
pub mod promises;
mod quiet;
pub mod step;
pub mod walk;
pub mod world;

use std::ops::Range;

use promises::Broken;
use step::Action;

/// Walks with each of these seeds. Returns the first that breaks a promise, which promise, and the steps up to there.
pub fn search(mut seeds: Range<u64>) -> Option<(u64, Broken, Vec<Action>)> {
    seeds.find_map(|seed| walk::walk(seed).map(|(broken, steps)| (seed, broken, steps)))
}
