//! Any bytes as a chunk; what is checked stands in `bodies/chunk.rs`.
#![no_main]

mod target;

libfuzzer_sys::fuzz_target!(|input: &[u8]| target::check::<bodies::chunk::Chunk>(input));
