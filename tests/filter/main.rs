//! The filter, in the mini host and by itself.
//! Each file here asks one question.

mod border;
mod bounds;
mod cluster;
#[path = "../support/dice.rs"]
mod dice;
#[path = "../support/held.rs"]
mod held;
mod host;
mod impact;
#[path = "../support/mark.rs"]
mod mark;
mod memory;
#[path = "../support/painted.rs"]
mod painted;
mod records;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/swarm.rs"]
mod swarm;

use support::chunk;
