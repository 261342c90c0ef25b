//! Any bytes as an answer of the gateway; what is checked stands in `bodies/answer.rs`.
#![no_main]

mod target;

libfuzzer_sys::fuzz_target!(|input: &[u8]| target::check::<bodies::answer::Answer>(input));
