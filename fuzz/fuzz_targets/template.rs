//! Any text as a template; what is checked stands in `bodies/template.rs`.
#![no_main]

mod target;

libfuzzer_sys::fuzz_target!(|input: &[u8]| target::check::<bodies::template::Template>(input));
