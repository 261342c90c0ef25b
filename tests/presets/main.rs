//! The formats of services and tools: whether each says what its service understands, and hears what it answers.
//! Each file here asks one question.

mod byte_for_byte;
#[path = "../support/cases.rs"]
mod cases;
#[path = "../support/dice.rs"]
mod dice;
#[path = "../support/golden.rs"]
mod golden;
mod keys;
mod limits;
#[path = "../support/odd_values.rs"]
mod odd_values;
#[path = "../support/packing.rs"]
mod packing;
#[path = "../support/reading.rs"]
mod reading;
mod refusals;
mod requests;
mod samples;
mod schemas;
mod services;
mod stand_ins;
mod stub;
#[path = "../support/mod.rs"]
mod support;
mod valid;

use support::chunk;
