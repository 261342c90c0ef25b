//! The formats of services and tools: whether each says what its service understands, and hears what it answers.
//! Each file here asks one question.

mod byte_for_byte;
#[path = "../../fuzz/bodies/elastic.rs"]
mod elastic;
mod elasticsearch;
mod keys;
mod limits;
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
mod times;
mod valid;

use testkit as support;
use testkit::{cases, cpu_time, dice, golden, odd_values, packing, reading};

use support::chunk;
