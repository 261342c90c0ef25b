//! The formats of services and tools: whether each says what its service understands, and hears what it answers.
//! Each file here asks one question.

mod byte_for_byte;
mod elasticsearch;
mod keys;
mod limits;
mod refusals;
mod requests;
mod samples;
mod schemas;
mod services;
mod stand_ins;
mod stub;
mod times;
mod valid;

use crate::bodies::elastic;
use testkit as support;
use testkit::{cases, cpu_time, dice, golden, odd_values, packing, reading};

use support::chunk;
