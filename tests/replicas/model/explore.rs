//! Tries every order of steps, depth first, and remembers the states that were seen.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::promises::Broken;
use super::step::Action;
use super::world::World;

/// One state in so many is also followed to its end.
const ENDS: u64 = 4096;

/// What was explored.
#[derive(Debug, Default)]
pub struct Explored {
    pub states: u64,
    /// Whether the bound ended it before all states were seen.
    pub is_cut: bool,
    /// What was found, with the steps that lead to it.
    pub broken: Option<(Broken, Vec<Action>)>,
}

/// Explores all states that a world can come to within so many ticks, at most this many.
pub fn explore(start: World, last_tick: u64, most: u64) -> Explored {
    let mut explored = Explored::default();
    let mut seen = HashSet::new();
    seen.insert(fingerprint(&start));
    // Each entry: a state, its steps, and the next of them to take.
    let actions = start.actions(last_tick);
    let mut path = vec![(start, actions, 0)];
    while let Some((world, actions, next)) = path.last_mut() {
        let Some(action) = actions.get(*next).copied() else {
            path.pop();
            continue;
        };
        *next += 1;
        let mut after = world.clone();
        let taken = after.take(action);
        if let Err(broken) = taken {
            let steps = path.iter().map(|(_, actions, next)| actions[next - 1]).collect();
            explored.broken = Some((broken, steps));
            return explored;
        }
        let fingerprint = fingerprint(&after);
        if !seen.insert(fingerprint) {
            continue;
        }
        explored.states += 1;
        if explored.states >= most {
            explored.is_cut = true;
            return explored;
        }
        let ends = if fingerprint.is_multiple_of(ENDS) { after.clone().end_well() } else { Ok(()) };
        if let Err(broken) = ends {
            let steps = path.iter().map(|(_, actions, next)| actions[next - 1]).collect();
            explored.broken = Some((broken, steps));
            return explored;
        }
        let mut actions = after.actions(last_tick);
        // If a bound cuts the search, what was seen is not only the end of one way.
        let first = usize::try_from(fingerprint % actions.len().max(1) as u64).unwrap_or(0);
        actions.rotate_left(first);
        path.push((after, actions, 0));
    }
    explored
}

fn fingerprint(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}
