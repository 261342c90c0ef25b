//! The filter, in the mini host and by itself.
//! Each file here asks one question.

mod border;
mod bounds;
mod cluster;
mod host;
mod impact;
mod memory;
mod records;

use testkit as support;
use testkit::{dice, held, mark, painted, swarm};

use support::chunk;
