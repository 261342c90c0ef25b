//! A chunk is read: each record becomes what it says, whatever way it came in.

use super::{Pipeline, Place, Round};
use crate::record::audit::AuditEvent;
use crate::record::chunk::{Envelope, Records};
use crate::record::content::Content;
use crate::record::event::KubeEvent;
use crate::record::json;
use crate::record::peek::{Items, Shape, peek};
use crate::record::violation::Violation;

/// In what a body came, and so what it may be yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Record,
    /// JSON in a string of a record.
    Text,
    List,
}

impl Pipeline {
    /// Reads a chunk and takes each of its records further.
    pub(super) fn chunk<'a>(&mut self, chunk: usize, tag: &'a str, data: &'a [u8], round: &mut Round<'a>) {
        let mut records = Records::new(data);
        while let Some(record) = records.next_with(|body| KubeEvent::read_at(body, &self.repair)) {
            match record {
                Ok((envelope, event)) => {
                    let place = Place { chunk, tag, offset: envelope.offset };
                    match event.flatten() {
                        Some(event) => self.content(place, envelope.body, &Content::Event(&event), round),
                        None => self.body(place, &envelope, envelope.body, Within::Record, round),
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
    fn body<'a>(
        &mut self,
        place: Place<'a>,
        envelope: &Envelope<'a>,
        body: &'a [u8],
        within: Within,
        round: &mut Round<'a>,
    ) {
        self.repair.take_count();
        match peek(body) {
            Ok(Shape::List { items }) if within != Within::List => {
                for item in Items::new(items) {
                    self.body(place, envelope, item, Within::List, round);
                }
                return;
            }
            Ok(Shape::Text { key, json }) if within == Within::Record => match json::packed(json) {
                Ok(packed) => {
                    let packed = round.arena.alloc_slice_copy(&packed);
                    return self.body(place, envelope, packed, Within::Text, round);
                }
                Err(why) => self.journal.warn(
                    "broken JSON",
                    format!(
                        "the record at offset {} of tag {} has in {key} what begins as JSON and is none ({why}); it is \
                         taken as it is, see the setting other; was the line cut?",
                        place.offset, place.tag
                    ),
                ),
            },
            Ok(Shape::Event) => {
                if let Ok(Some(event)) = KubeEvent::read(body, &self.repair) {
                    return self.content(place, body, &Content::Event(&event), round);
                }
            }
            Ok(Shape::Audit) => {
                if let Ok(Some(audit)) = AuditEvent::read(body, &self.repair) {
                    return self.content(place, body, &Content::Audit(&audit), round);
                }
            }
            Ok(Shape::Violation) => {
                if let Ok(Some(violation)) = Violation::read(body, &self.repair) {
                    return self.content(place, body, &Content::Violation(&violation), round);
                }
            }
            _ => {}
        }
        self.content(place, body, &Content::Other { taken: envelope.taken() }, round);
    }
}
