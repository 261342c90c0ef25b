//! What comes of a world in which nothing fails any more: everything is delivered, and nobody waits.

use super::promises::Broken;
use super::step::Action;
use super::world::World;

/// Ticks after which all must be settled: one lease, and some steps to take over and to send.
const TICKS: u64 = 40;

impl World {
    /// Heals everything, and takes all steps that can be taken, over and over.
    pub fn end_well(mut self) -> Result<(), Broken> {
        self.faults = 0;
        while self.api.made.len() < self.versions {
            self.take(Action::Make)?;
        }
        for _ in 0..TICKS {
            // A tick has an end: a step that is possible again and again is taken a few times.
            for _ in 0..40 {
                let actions = self.actions(0);
                let steps = actions
                    .into_iter()
                    .filter(|action| !matches!(action, Action::Skip(_) | Action::ObserveEarlier(_)));
                let Some(action) = steps.max_by_key(|action| self.urgency(*action)) else { break };
                self.take(action)?;
            }
            self.take(Action::Tick)?;
        }
        let made = self.api.made.len();
        if let Some(lost) = (0..made).find(|place| !self.is_delivered(*place)) {
            return Err(format!("version {lost} is never delivered"));
        }
        match self.nodes.iter().position(|node| !node.held.is_empty() || node.read < made) {
            Some(index) => Err(format!("replica {index} waits indefinitely: {:?}", self.nodes[index].held)),
            None => Ok(()),
        }
    }

    /// Which of the possible steps comes first: those without which others wait.
    fn urgency(&self, action: Action) -> u8 {
        match action {
            Action::Heal(_) => 9,
            Action::Restart(_) => 8,
            Action::Observe(_) => 7,
            Action::Verify(_) => 6,
            Action::Read(_) | Action::Lease(_) => 5,
            Action::Written(_) | Action::DeadLetter(..) => 7,
            Action::Arrive(_) | Action::Respond(_) | Action::Send(_) => 4,
            Action::Release(..) | Action::Check(..) => 3,
            Action::GiveUp(_) => 2,
            _ => 1,
        }
    }
}
