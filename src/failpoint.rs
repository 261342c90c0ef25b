//! Failpoints: places at which a test can request a panic, to prove that the plugin survives it.
//!
//! In debug builds the variable `EVENT_GATEWAY_PANIC` may name a file. While the file exists, it lists the places that
//! panic, and how often: `flush` panics always, `flush,round 20 7` one time in 20, at random with seed 7. Each panic
//! appends its place to a file beside it whose name ends with `.hits`. Release builds have no failpoints.

/// Panics if a test requested a panic at this place.
#[cfg(debug_assertions)]
pub fn hit(place: &str) {
    let Some(file) = std::env::var_os("EVENT_GATEWAY_PANIC") else { return };
    let Ok(asked) = std::fs::read_to_string(&file) else { return };
    let mut words = asked.split_whitespace();
    let is_here = words.next().is_some_and(|places| places.split(',').any(|asked| asked == place));
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
    let is_hit = is_here && is_drawn(number().unwrap_or(1), number().unwrap_or(0));
    if is_hit {
        record(file, place);
    }
    assert!(!is_hit, "a test asked for a panic in {place}");
}

/// Whether a random draw, with a chance of one in `sides`, says yes.
#[cfg(debug_assertions)]
fn is_drawn(sides: u64, seed: u64) -> bool {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    static DRAWS: AtomicU64 = AtomicU64::new(0);
    let draws = DRAWS.fetch_add(1, Relaxed);
    let number = seed.wrapping_add(draws).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (number >> 32).is_multiple_of(sides.max(1))
}

#[cfg(debug_assertions)]
fn record(mut file: std::ffi::OsString, place: &str) {
    use std::io::Write;
    file.push(".hits");
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(file);
    // It panics even if the file cannot be written.
    let _ = opened.and_then(|mut file| file.write_all(format!("{place}\n").as_bytes()));
}

/// Does nothing in release builds.
#[cfg(not(debug_assertions))]
pub fn hit(_: &str) {}
