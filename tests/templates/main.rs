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

#[path = "../support/allocations.rs"]
mod allocations;
#[path = "../../examples/render/ask.rs"]
mod ask;
#[path = "../../examples/render/show.rs"]
mod show;

#[path = "../support/dice.rs"]
mod dice;
#[path = "../support/golden.rs"]
mod golden;
#[path = "../support/odd_values.rs"]
mod odd_values;
#[path = "../support/packing.rs"]
mod packing;
#[path = "../support/reading.rs"]
mod reading;
#[path = "../support/secret_cases.rs"]
mod secret_cases;
#[path = "../support/mod.rs"]
mod support;
