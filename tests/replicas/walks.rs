//! Does a walk at random break what the protocol promises? It may have more faults than the search of all states.

use crate::model::search;

#[test]
fn no_walk_breaks_a_promise() {
    let seeds = std::env::var("SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000);
    let first: u64 = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let broken = search(first..first + seeds);
    assert!(broken.is_none(), "{broken:?}");
    println!("{seeds} seeds");
}
