//! Walks through the world at random: a seed decides what happens, and when.

use super::promises::Broken;
use super::step::Action;
use super::world::World;

/// Steps of a walk, before everything is left to end well.
const STEPS: usize = 160;
const LAST_TICK: u64 = 60;

/// A source of random numbers (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)) % sides.max(1)
    }
}

/// What comes late in a walk: one connection is slow.
fn late(number: u64) -> Option<Action> {
    let index = usize::from(number % 2 == 1);
    match number / 2 {
        0 => Some(Action::Verify(index)),
        1 => Some(Action::Observe(index)),
        2 => Some(Action::Written(index)),
        3 => Some(Action::Arrive(index)),
        4 => Some(Action::Read(index)),
        _ => None,
    }
}

/// Takes the walk of this seed. Returns what broke, and the steps up to there.
pub fn walk(seed: u64) -> Option<(Broken, Vec<Action>)> {
    let mut dice = Dice(seed);
    let rates = [[10, 10], [9, 11], [11, 9]][usize::try_from(dice.roll(3)).unwrap_or(0)];
    let faults = u8::try_from(dice.roll(5)).unwrap_or(0);
    let mut world = World::new(rates, faults, dice.roll(2) == 0, dice.roll(2) == 0);
    // Some walks are in a hurry, and in others much time passes between two steps.
    let (of_ticks, of_faults) = (1 + dice.roll(12), 1 + dice.roll(3));
    let late = late(dice.roll(12));
    let favourite = dice.roll(8);
    let mut steps = Vec::new();
    for step in 0..STEPS {
        let actions = world.actions(LAST_TICK);
        let weight = |action: &Action| match action {
            Action::Tick => of_ticks,
            // A partition lasts.
            Action::Heal(_) => 1,
            action if action.is_fault() => {
                if action.fault() == Some(favourite) {
                    8
                } else {
                    of_faults
                }
            }
            action if Some(*action) == late && step < STEPS * 3 / 4 => 0,
            _ => 8,
        };
        let mut at = dice.roll(actions.iter().map(weight).sum());
        let chosen = actions.iter().find(|action| {
            let is_here = at < weight(action);
            at = at.saturating_sub(weight(action));
            is_here
        });
        let Some(action) = chosen else { break };
        steps.push(*action);
        if let Err(broken) = world.take(*action) {
            return Some((broken, steps));
        }
    }
    world.end_well().err().map(|broken| (broken, steps))
}
