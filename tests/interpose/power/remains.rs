//! What is left of one file.

use super::Dice;

const SECTOR: usize = 512;
/// What the kernel writes at once, and takes for written after a sync that failed.
pub const PAGE: usize = 4096;

/// What is to become of a file.
#[derive(Debug, Clone)]
pub enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

/// One file: what is on the disk, what the kernel shows, and what it still has to write.
#[derive(Debug, Clone, Default)]
pub struct Content {
    durable: Vec<u8>,
    shown: Vec<u8>,
    pending: Vec<Change>,
    /// Taken for written by the kernel, though it was not.
    limbo: Vec<Change>,
}

fn apply(file: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Truncate(len) => file.resize(*len, 0),
        Change::Write { offset, bytes } => {
            let end = offset + bytes.len();
            if file.len() < end {
                file.resize(end, 0);
            }
            file[*offset..end].copy_from_slice(bytes);
        }
    }
}

impl Content {
    /// All of it on the disk.
    pub fn of(bytes: &[u8]) -> Self {
        Self { durable: bytes.to_vec(), shown: bytes.to_vec(), ..Self::default() }
    }

    pub fn change(&mut self, change: &Change) {
        apply(&mut self.shown, change);
        self.pending.push(change.clone());
    }

    /// A sync failed: nothing will write these any more, and nobody will know.
    pub fn give_up(&mut self) {
        self.limbo.append(&mut self.pending);
    }

    /// What waits goes to the disk, in whole pages as the kernel shows them; what it gave up on does not.
    pub fn sync(&mut self, dice: &mut Dice) {
        if self.limbo.is_empty() {
            self.durable.clone_from(&self.shown);
            self.pending.clear();
            return;
        }
        let mut disk = self.durable.clone();
        some_of(&self.limbo, dice).iter().for_each(|change| apply(&mut disk, change));
        disk.resize(self.shown.len(), 0);
        for change in self.pending.drain(..) {
            if let Change::Write { offset, bytes } = change {
                let from = offset / PAGE * PAGE;
                let to = (offset + bytes.len()).div_ceil(PAGE) * PAGE;
                let range = from..to.min(self.shown.len());
                disk[range.clone()].copy_from_slice(&self.shown[range]);
            }
        }
        self.durable = disk;
        // It is on the disk or it is not; nothing will write it any more.
        self.limbo.clear();
    }

    /// One of the things that may be there when the power is back.
    pub fn survivor(&self, dice: &mut Dice) -> Vec<u8> {
        let mut disk = self.durable.clone();
        let waiting = [&self.limbo[..], &self.pending].concat();
        let left = match dice.below(8) {
            0 => Vec::new(),
            1 => waiting,
            2 => cut_after(&waiting, SECTOR, dice),
            3 => cut_after(&waiting, 1, dice),
            4 => some_of(&waiting, dice),
            5 => shuffled(some_of(&waiting, dice), dice),
            6 => {
                let lost = dice.below(waiting.len());
                waiting
                    .into_iter()
                    .enumerate()
                    .filter(|(place, _)| *place != lost)
                    .map(|(_, change)| change)
                    .collect()
            }
            _ => return sectors(disk, &waiting, dice),
        };
        left.iter().for_each(|change| apply(&mut disk, change));
        disk
    }
}

/// The first ones, the last of them cut short.
fn cut_after(changes: &[Change], grain: usize, dice: &mut Dice) -> Vec<Change> {
    let mut left = changes[..dice.below(changes.len() + 1)].to_vec();
    if let Some(Change::Write { bytes, .. }) = left.last_mut() {
        bytes.truncate(dice.below(bytes.len() + 1) / grain * grain);
    }
    left
}

/// Any, each whole or a part of it.
fn some_of(changes: &[Change], dice: &mut Dice) -> Vec<Change> {
    let mut left = Vec::new();
    for change in changes {
        match change {
            _ if dice.one_in(2) => {}
            Change::Write { offset, bytes } if dice.one_in(4) => {
                let grain = if dice.one_in(2) { SECTOR } else { 1 };
                let from = (dice.below(bytes.len() + 1) / grain * grain).min(bytes.len());
                let to = from + dice.below(bytes.len() - from + 1);
                left.push(Change::Write { offset: offset + from, bytes: bytes[from..to].to_vec() });
            }
            change => left.push(change.clone()),
        }
    }
    left
}

/// Writes change places; a truncation is a border that none crosses.
fn shuffled(mut changes: Vec<Change>, dice: &mut Dice) -> Vec<Change> {
    for part in changes.split_mut(|change| matches!(change, Change::Truncate(_))) {
        for place in (1..part.len()).rev() {
            part.swap(place, dice.below(place + 1));
        }
    }
    changes
}

/// Each sector as it was after some change, whatever its neighbours are: what a kernel's cache makes of it.
fn sectors(mut disk: Vec<u8>, changes: &[Change], dice: &mut Dice) -> Vec<u8> {
    let mut shown = disk.clone();
    for change in changes {
        apply(&mut shown, change);
        if let Change::Truncate(len) = change {
            if dice.one_in(2) {
                disk.resize(*len, 0);
            }
            continue;
        }
        let Change::Write { offset, bytes } = change else { continue };
        for sector in offset / SECTOR..(offset + bytes.len()).div_ceil(SECTOR) {
            let range = sector * SECTOR..((sector + 1) * SECTOR).min(shown.len());
            if dice.one_in(2) {
                apply(&mut disk, &Change::Write { offset: range.start, bytes: shown[range].to_vec() });
            }
        }
    }
    disk
}
