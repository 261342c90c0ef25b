//! Any bytes as settings; what is checked stands in `bodies/config.rs`.
#![no_main]

mod target;

libfuzzer_sys::fuzz_target!(|input: &[u8]| target::check::<bodies::config::Config>(input));
