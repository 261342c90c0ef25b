//! Any bytes as the objects of a hostile tenant; what is checked stands in `bodies/tenants.rs`.
#![no_main]

mod target;

libfuzzer_sys::fuzz_target!(|input: &[u8]| target::check::<bodies::tenants::Tenants>(input));
