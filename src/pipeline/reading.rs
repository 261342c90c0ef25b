//! A chunk is read: each record becomes what it says, whatever way it came in.

use super::{Pipeline, Place, Round};
use crate::record::chunk::Records;
use crate::record::content::Content;
use crate::record::event::KubeEvent;
use crate::record::understood::{Looked, Understood, Within, understand};

impl Pipeline {
    /// Reads a chunk and takes each of its records further.
    pub(super) fn chunk<'a>(&mut self, chunk: usize, tag: &'a str, data: &'a [u8], round: &mut Round<'a>) {
        let mut records = Records::new(data);
        while let Some(record) = records.next_with(|body| KubeEvent::read_at(body, &self.repair)) {
            match record {
                Ok((envelope, event)) => {
                    let (offset, taken) = (envelope.offset, envelope.taken());
                    let place = Place { chunk, tag, offset, taken };
                    match event.flatten() {
                        Some(event) => self.content(place, envelope.body, &Content::Event(&event), round),
                        None => self.body(place, envelope.body, Within::Record, round),
                    }
                }
                Err(fault) => {
                    self.repair.take_count();
                    self.metrics.records_total.add(1);
                    self.metrics.skipped_records_total.add(1);
                    self.journal
                        .error("record skipped", format!("a record of tag {tag} was skipped: {fault}"));
                }
            }
        }
    }

    /// Takes a closer look at what was not an event at first sight.
    fn body<'a>(&mut self, place: Place<'a>, body: &'a [u8], within: Within, round: &mut Round<'a>) {
        self.repair.take_count();
        let Looked { body, is } = understand(body, within, &self.repair, round.arena);
        match is {
            Understood::Event(event) => return self.content(place, body, &Content::Event(&event), round),
            Understood::Audit(audit) => return self.content(place, body, &Content::Audit(&audit), round),
            Understood::Violation(violation) => {
                return self.content(place, body, &Content::Violation(&violation), round);
            }
            Understood::List(items) => {
                for item in items {
                    self.body(place, item, Within::List, round);
                }
                return;
            }
            Understood::Broken { key, why } => self.journal.warn(
                "broken JSON",
                format!(
                    "the record at offset {} of tag {} has in {key} what begins as JSON and is none ({why}); it is \
                     taken as it is, see the setting other; was the line cut?",
                    place.offset, place.tag
                ),
            ),
            Understood::Other => {}
        }
        self.content(place, body, &Content::Other, round);
    }
}
