//! Does any order of steps break what the protocol promises?

use crate::model::explore::{Explored, explore};
use crate::model::world::World;

/// The clocks' rates, of 10 in a tick, and whether the guarantee is `no_duplicates`.
const WORLDS: [([u64; 2], bool); 3] = [([10, 10], false), ([9, 11], false), ([11, 9], true)];

/// One version while a replica leads, without a fault and with one: small enough to see all of it. With `STATES` set, time
/// goes on for longer.
#[test]
fn no_order_of_steps_breaks_a_promise() {
    let more = u64::from(most_states().is_some());
    for (faults, last_tick) in [(0, 8), (1, 6 + more)] {
        for (rates, is_once) in WORLDS {
            let mut world = World::new(rates, faults, is_once, true).with_a_leader();
            world.versions = 1;
            assert!(!explored(world, last_tick, u64::MAX).is_cut);
        }
    }
}

/// Four versions and two faults, as many states as `STATES` says.
#[test]
fn no_order_of_steps_with_faults_breaks_a_promise() {
    let most = most_states().unwrap_or(20_000);
    for (rates, is_once) in WORLDS {
        explored(World::new(rates, 2, is_once, true), 20, most);
    }
}

fn most_states() -> Option<u64> {
    std::env::var("STATES").ok().and_then(|text| text.parse().ok())
}

fn explored(world: World, last_tick: u64, most: u64) -> Explored {
    let shown = format!("{} versions, {} faults, once {}", world.versions, world.faults, world.is_once);
    let explored = explore(world, last_tick, most);
    println!("{shown}: {} states, {}", explored.states, if explored.is_cut { "cut" } else { "all" });
    assert!(explored.broken.is_none(), "{:?}", explored.broken);
    explored
}
