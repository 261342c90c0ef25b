//! What the source brings: chunks of new events, their updates, and repetitions of both.

use std::collections::BTreeSet;

use super::dice::Dice;
use super::modes::{Mode, Place};
use crate::{chunk, event};

/// A gateway that takes nothing above a size takes this much uncompressed, which is several usual records.
pub const TAKEN_BYTES: usize = 8_000;
/// The message of a record that is larger than that in every format.
const OVERSIZE_BYTES: usize = 2 * TAKEN_BYTES;

/// Smaller requests are never asked for.
pub const ASKED_FROM_BYTES: usize = 16 << 10;

pub struct Chunk {
    pub bytes: Vec<u8>,
    pub ids: Vec<String>,
}

pub struct Load {
    pub chunks: Vec<Chunk>,
    /// All ids.
    pub wanted: BTreeSet<String>,
    /// Those that the gateway refuses by their id, and those too large for it.
    pub chosen: BTreeSet<String>,
    pub oversize: BTreeSet<String>,
}

impl Load {
    pub fn roll(modes: &[&'static Mode], dice: &mut Dice) -> Load {
        let plays = |wanted: fn(&Place) -> bool| modes.iter().any(|mode| wanted(&mode.place));
        let chooses = plays(|place| matches!(place, Place::Chosen));
        let limits = plays(|place| matches!(place, Place::Oversize));
        let is_asked = plays(|place| matches!(place, Place::Asked(_)));
        let (mut chunks, mut events) = (Vec::new(), Vec::new());
        let (mut wanted, mut chosen, mut oversize) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (mut uids, mut version) = (0, 1_000);
        for _ in 0..3 + dice.below(5) {
            let mut records = Vec::new();
            for _ in 0..2 + dice.below(18) {
                if !events.is_empty() && dice.one_in(6) {
                    let again: &serde_json::Value = &events[dice.below(events.len())];
                    records.push(again.clone());
                    continue;
                }
                version += 1 + dice.below(9) as u64;
                let uid = if uids > 0 && dice.one_in(4) { dice.below(uids) } else { uids };
                uids = uids.max(uid + 1);
                let mut event = event(&format!("uid-{uid}"), version, version);
                let id = chunk::event_id(&event);
                // The first in any case: a mode that meets no record is not played.
                if limits && (wanted.is_empty() || dice.one_in(12)) {
                    event["message"] = noise(OVERSIZE_BYTES, dice).into();
                    oversize.insert(id.clone());
                } else if chooses && (chosen.is_empty() || dice.one_in(8)) {
                    chosen.insert(id.clone());
                } else if !limits && dice.one_in(40) {
                    // More than sockets take at once: such a body can be cut in its middle.
                    event["message"] = noise(200_000, dice).into();
                } else if !limits && is_asked {
                    // Gzip halves hexadecimal digits.
                    event["message"] = noise(3 * ASKED_FROM_BYTES, dice).into();
                }
                wanted.insert(id);
                events.push(event.clone());
                records.push(event);
            }
            chunks.push(Chunk {
                bytes: chunk::of(&records),
                ids: records.iter().map(chunk::event_id).collect(),
            });
        }
        Load { chunks, wanted, chosen, oversize }
    }

    /// Those that the gateway will never take.
    pub fn doomed(&self) -> BTreeSet<String> {
        self.chosen.union(&self.oversize).cloned().collect()
    }
}

/// Text that gzip cannot make small.
fn noise(bytes: usize, dice: &mut Dice) -> String {
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        text += &format!("{:016x}", dice.roll());
    }
    text
}
