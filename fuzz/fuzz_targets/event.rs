//! Any bytes as the body of a record; what is checked stands in `bodies/event.rs`.
#![no_main]

mod target;

libfuzzer_sys::fuzz_target!(|input: &[u8]| target::check::<bodies::event::Event>(input));
