//! A trip wire for tests: shows that a panic at a given place is survived.
//!
//! In debug builds the variable `EVENT_GATEWAY_PANIC` may name a file; while that file holds the name of a
//! place, the place panics. Release builds have none of this.

/// Panics here, if a test asked for it.
#[cfg(debug_assertions)]
pub fn wire(place: &str) {
    let asked = std::env::var_os("EVENT_GATEWAY_PANIC").and_then(|file| std::fs::read_to_string(file).ok());
    assert!(asked.as_deref() != Some(place), "a test asked for a panic in {place}");
}

/// Nothing, in release builds.
#[cfg(not(debug_assertions))]
pub fn wire(_: &str) {}
