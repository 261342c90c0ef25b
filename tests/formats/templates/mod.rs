//! `format template`: what templates make of records, and what they may not.
//! Each file here asks one question.

mod any_record;
mod bounds;
mod faults;
mod golden_file;
mod leaves;
mod render_example;
mod render_keys;
mod render_secrets;
mod settings;
mod trying;

#[path = "../../../examples/render/ask.rs"]
mod ask;
#[path = "../../../examples/render/show.rs"]
mod show;

use crate::allocations;
use testkit as support;
use testkit::{dice, golden, odd_values, packing, reading, secret_cases};
