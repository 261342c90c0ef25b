//! How records are read and written, without a host.
//! Each file here asks one question.

mod any_body;
mod chunks;
mod each_key_once;
mod finding;
mod json_writing;
mod once;
mod oracle;
mod otlp;
mod rendering;
mod rendering_impact;
mod scanning;
mod selecting;
mod selection;
mod times;
mod wrapping;
mod wrapping_hostile;
mod wrapping_texts;

use crate::bodies;
use testkit as support;
use testkit::{cases, cloudevent, cpu_time, dice, odd_values, packing, reading};

use support::chunk;
