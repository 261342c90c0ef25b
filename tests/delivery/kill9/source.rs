//! What the host reads from its start again and again.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use event_gateway::clock;
use event_gateway::time::Stamp;
use serde_json::Value;

use super::dice::Dice;
use super::support::{self, chunk};

/// A file that only grows; a fifth of it are updates.
pub struct Source {
    pub file: PathBuf,
    encode: fn(&Value) -> Vec<u8>,
    pub ids: Vec<String>,
    uids: usize,
    length: u64,
    /// Where each growth begins, and its length: the chunks of the mini host.
    pub parts: Vec<(u64, u64)>,
}

impl Source {
    pub fn new(file: PathBuf, encode: fn(&Value) -> Vec<u8>) -> Source {
        fs::write(&file, "").expect("an empty source");
        Source { file, encode, ids: Vec::new(), uids: 0, length: 0, parts: Vec::new() }
    }

    pub fn grow(&mut self, records: usize, dice: &mut Dice) {
        let mut bytes = Vec::new();
        for _ in 0..records {
            let version = 1_000 + self.ids.len() as u64;
            let uid = if self.uids > 0 && dice.one_in(5) { dice.below(self.uids) } else { self.uids };
            self.uids = self.uids.max(uid + 1);
            let mut event = support::event(&format!("uid-{uid}"), version, version);
            // Only what has just happened may wait for the topology.
            event["lastTimestamp"] = now().into();
            self.ids.push(chunk::event_id(&event));
            bytes.extend((self.encode)(&event));
        }
        let mut file = OpenOptions::new().append(true).open(&self.file).expect("the source");
        file.write_all(&bytes).expect("a longer source");
        self.parts.push((self.length, bytes.len() as u64));
        self.length += bytes.len() as u64;
    }
}

fn now() -> String {
    let now_seconds = clock::unix_seconds(clock::wall());
    Stamp::from_unix_seconds(now_seconds).expect("a date").to_string()
}
