//! Does the verification know every version of every event that the API server has, through everything that an API server
//! and a network do?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod faults;
mod handover;
mod machine;
mod restores;
mod script;
mod shown;
mod stage;

use testkit as support;
