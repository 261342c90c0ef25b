//! Any bytes as the choices of who plants a secret in a record; what is checked stands in `bodies/secret.rs`.
#![no_main]

mod target;

libfuzzer_sys::fuzz_target!(|input: &[u8]| target::check::<bodies::secret::Secret>(input));
