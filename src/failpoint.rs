//! A failpoint for tests: shows that a panic at a given place is survived.
//!
//! In debug builds the variable `EVENT_GATEWAY_PANIC` may name a file; while it is there, it says which places
//! panic, and how often: `flush` always, `flush,round 20 7` one time in 20 by the dice of seed 7. Each panic
//! appends its place to the file beside it whose name ends with `.sprung`. Release builds have none of this.

/// Panics here, if a test asked for it.
#[cfg(debug_assertions)]
pub fn hit(place: &str) {
    let Some(file) = std::env::var_os("EVENT_GATEWAY_PANIC") else { return };
    let Ok(asked) = std::fs::read_to_string(&file) else { return };
    let mut words = asked.split_whitespace();
    let is_here = words.next().is_some_and(|places| places.split(',').any(|asked| asked == place));
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
    let is_sprung = is_here && falls(number().unwrap_or(1), number().unwrap_or(0));
    if is_sprung {
        tell(file, place);
    }
    assert!(!is_sprung, "a test asked for a panic in {place}");
}

/// One throw of dice with so many sides.
#[cfg(debug_assertions)]
fn falls(sides: u64, seed: u64) -> bool {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    static THROWN: AtomicU64 = AtomicU64::new(0);
    let thrown = THROWN.fetch_add(1, Relaxed);
    let number = seed.wrapping_add(thrown).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (number >> 32).is_multiple_of(sides.max(1))
}

#[cfg(debug_assertions)]
fn tell(mut file: std::ffi::OsString, place: &str) {
    use std::io::Write;
    file.push(".sprung");
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(file);
    // Written or not, it panics.
    let _ = opened.and_then(|mut file| file.write_all(format!("{place}\n").as_bytes()));
}

/// Nothing, in release builds.
#[cfg(not(debug_assertions))]
pub fn hit(_: &str) {}
