//! Chunks without end, of real events under names of their own.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::hostile::dice::Dice;
use crate::support::chunk;

/// Uids and versions of this length, so that a record is written by writing over these.
const UID: &str = "soak-000000000000";
pub const FIRST_VERSION: u64 = 100_000_000_000;
const DIGITS: usize = 12;
/// Kept out by `exclude_reasons`.
pub const NOISE: &str = "SoakNoise";

struct Template {
    bytes: Vec<u8>,
    uids: Vec<usize>,
    versions: Vec<usize>,
    is_noise: bool,
}

/// What makes chunks, and how many records they had so far.
pub struct Load {
    templates: Vec<Template>,
    uids: u64,
    pub produced: u64,
    /// The records among these that are to be left out.
    pub excluded: Vec<u64>,
}

impl Load {
    /// The events of a real cluster, each in turn, and now and then noise.
    pub fn new() -> Load {
        let mut events = chunk::watch_events();
        for event in &mut events {
            event["metadata"]["uid"] = json!(UID);
            event["metadata"]["resourceVersion"] = json!(FIRST_VERSION.to_string());
        }
        let mut noise = events[0].clone();
        noise["reason"] = json!(NOISE);
        events.push(noise);
        let templates = events.iter().map(|event| {
            let bytes = chunk::of([event]);
            let places = |text: &str| {
                let found = |at: &usize| bytes[*at..].starts_with(text.as_bytes());
                (0..bytes.len()).filter(found).collect::<Vec<_>>()
            };
            Template {
                uids: places(UID),
                versions: places(&FIRST_VERSION.to_string()),
                is_noise: event["reason"] == NOISE,
                bytes,
            }
        });
        Load { templates: templates.collect(), uids: 0, produced: 0, excluded: Vec::new() }
    }

    /// Writes a chunk of so many records, a fifth of them updates.
    pub fn write(&mut self, records: usize, file: &Path, dice: &mut Dice) {
        let mut bytes = Vec::new();
        for _ in 0..records {
            let is_update = self.uids > 0 && dice.one_in(5);
            // One of the last thousand: the ledger has forgotten the others.
            let uid = if is_update { self.uids - 1 - dice.roll() % self.uids.min(1_000) } else { self.uids };
            self.uids = self.uids.max(uid + 1);
            let template = &self.templates[dice.below(self.templates.len())];
            let start = bytes.len();
            bytes.extend_from_slice(&template.bytes);
            let mut write = |at: usize, number: u64| {
                bytes[start + at..start + at + DIGITS].copy_from_slice(format!("{number:012}").as_bytes());
            };
            for place in &template.uids {
                write(place + UID.len() - DIGITS, uid);
            }
            for place in &template.versions {
                write(*place, FIRST_VERSION + self.produced);
            }
            if template.is_noise {
                self.excluded.push(self.produced);
            }
            self.produced += 1;
        }
        fs::write(file, bytes).expect("a chunk");
    }
}
