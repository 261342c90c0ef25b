//! Any bytes as the body of a record of any kind; what is checked stands in `bodies/record.rs`.
#![no_main]

mod target;

libfuzzer_sys::fuzz_target!(|input: &[u8]| target::check::<bodies::record::Record>(input));
