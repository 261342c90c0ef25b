//! Any bytes as what the Kubernetes API sends; what is checked stands in `bodies/watch.rs`.
#![no_main]

mod target;

libfuzzer_sys::fuzz_target!(|input: &[u8]| target::check::<bodies::watch::Watch>(input));
