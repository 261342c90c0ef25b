//! Chunks of any number of events: the recorded ones again and again, with new uids.

use event_gateway::record::chunk::Records;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::text::Repair;

use crate::stages::recorded::Recorded;

/// The last digits of a uid, its last group, which are replaced.
const DIGITS: usize = 12;

pub struct Fresh {
    chunk: Vec<u8>,
    /// The positions of these digits.
    digits: Vec<usize>,
    number: u64,
}

impl Fresh {
    pub fn new(recorded: &Recorded, events: usize) -> Self {
        let repair = Repair::default();
        let (mut chunk, mut digits) = (Vec::new(), Vec::new());
        let records = std::iter::repeat_with(|| Records::new(recorded.chunk)).flatten();
        for record in records.filter_map(Result::ok).take(events) {
            let whole = &recorded.chunk[record.offset..record.end()];
            let event = KubeEvent::read(record.body, &repair).ok().flatten().expect("an event");
            // The uid is borrowed from the record.
            let uid = event.metadata.uid.as_ptr().addr() - whole.as_ptr().addr();
            digits.push(chunk.len() + uid + event.metadata.uid.len() - DIGITS);
            chunk.extend_from_slice(whole);
        }
        Self { chunk, digits, number: 0 }
    }

    pub fn events(&self) -> usize {
        self.digits.len()
    }

    /// A chunk with the next events.
    pub fn chunk(&mut self) -> Vec<u8> {
        for at in &self.digits {
            self.number += 1;
            let digits = format!("{:0DIGITS$x}", self.number);
            self.chunk[*at..*at + DIGITS].copy_from_slice(digits.as_bytes());
        }
        self.chunk.clone()
    }
}
