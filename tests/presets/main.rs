//! The formats of services and tools: whether each says what its service understands, and hears what it answers.
//! Each file here asks one question.

mod byte_for_byte;
#[path = "../support/cases.rs"]
mod cases;
#[path = "../support/cpu_time.rs"]
mod cpu_time;
#[path = "../support/dice.rs"]
mod dice;
#[path = "../../fuzz/bodies/elastic.rs"]
mod elastic;
mod elasticsearch;
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
#[path = "../../fuzz/bodies/strict.rs"]
#[allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail, and each uses its own part"
)]
mod strict;
mod stub;
#[path = "../support/mod.rs"]
mod support;
mod times;
mod valid;

use support::chunk;
