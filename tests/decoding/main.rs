//! How records are read and written, without a host.
//! Each file here asks one question.

mod admission;
mod any_body;
#[path = "../../fuzz/bodies/mod.rs"]
mod bodies;
#[path = "../support/cases.rs"]
mod cases;
mod chunks;
#[path = "../support/cloudevent.rs"]
mod cloudevent;
#[path = "../support/cpu_time.rs"]
mod cpu_time;
#[path = "../support/dice.rs"]
mod dice;
mod each_key_once;
mod finding;
mod json_writing;
#[path = "../support/odd_values.rs"]
mod odd_values;
mod once;
mod oracle;
mod otlp;
#[path = "../support/packing.rs"]
mod packing;
#[path = "../support/reading.rs"]
mod reading;
mod rendering;
mod rendering_impact;
mod scanning;
mod selection;
#[path = "../support/mod.rs"]
mod support;
mod times;
mod wrapping;
mod wrapping_hostile;
mod wrapping_texts;

use support::chunk;
