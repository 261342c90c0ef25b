//! Which mode is played when: at which requests, connections and look-ups, counted from 1.

use super::dice::Dice;
use super::modes::{Mode, Place};

/// What is spoiled of one thing that is counted, by number; nothing is beyond the end.
#[derive(Default)]
pub struct Spells {
    spoiled: Vec<Option<&'static Mode>>,
}

/// Spells of all modes of a trial.
pub struct Plan {
    pub requests: Spells,
    pub connections: Spells,
    pub lookups: Spells,
}

impl Spells {
    /// One more spell of this mode, behind what there is.
    fn add(&mut self, mode: &'static Mode, dice: &mut Dice) {
        // The first connection and look-up may be the only ones: what comes late may never come.
        let is_request = !matches!(mode.place, Place::Connection { .. } | Place::Name(_));
        let well = dice.below(if is_request { 3 } else { 2 });
        self.spoiled.extend((0..well).map(|_| None));
        self.spoiled.extend((0..=dice.below(mode.most)).map(|_| Some(mode)));
    }

    pub fn at(&self, number: usize) -> Option<&'static Mode> {
        self.spoiled.get(number.checked_sub(1)?).copied().flatten()
    }

    /// Whether this number is the last of a spell.
    pub fn ends_at(&self, number: usize) -> bool {
        let same = |a: &Mode, b: &Mode| a.name == b.name;
        match (self.at(number), self.at(number + 1)) {
            (Some(now), Some(next)) => !same(now, next),
            (now, None) => now.is_some(),
            (None, _) => false,
        }
    }

    pub fn len(&self) -> usize {
        self.spoiled.len()
    }
}

impl Plan {
    /// Every mode once, and sometimes again, in an order of its own.
    pub fn roll(modes: &[&'static Mode], dice: &mut Dice) -> Plan {
        let mut order = modes.to_vec();
        // Those of short spells are those that cost the longest waits.
        let again = modes[dice.below(modes.len())];
        if again.most > 2 && dice.one_in(3) {
            order.push(again);
        }
        for index in (1..order.len()).rev() {
            order.swap(index, dice.below(index + 1));
        }
        let mut plan =
            Plan { requests: Spells::default(), connections: Spells::default(), lookups: Spells::default() };
        for mode in order {
            match mode.place {
                Place::Chosen | Place::Oversize => {}
                Place::Connection { .. } => plan.connections.add(mode, dice),
                Place::Name(_) => plan.lookups.add(mode, dice),
                Place::Answer(_) | Place::Redirect(_) | Place::Head(_) | Place::Asked(_) | Place::Token => {
                    plan.requests.add(mode, dice);
                }
            }
        }
        plan
    }
}
