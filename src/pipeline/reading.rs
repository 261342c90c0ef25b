//! A chunk is read: each record becomes what it says, whatever way it came in.

use super::unread::Unread;
use super::{Pipeline, Place, Round};
use crate::record::chunk::Records;
use crate::record::classify::{BodyClass, ClassifiedBody, Within, classify};
use crate::record::content::Content;
use crate::record::cursor::{DecodeErrorKind, MAX_DEPTH};
use crate::record::depth_limit::limit_depth;
use crate::record::event::KubeEvent;
use crate::record::wrapper_search::WrappedBody;

impl Pipeline {
    /// Reads a chunk and takes each of its records further.
    pub(super) fn chunk<'a>(&mut self, chunk: usize, tag: &'a str, data: &'a [u8], round: &mut Round<'a>) {
        let mut records = Records::new(data);
        let mut unread = Unread::new(tag);
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
                    let skipped = records.skipped();
                    let offset = skipped.as_ptr().addr() - data.as_ptr().addr();
                    let place = Place { chunk, tag, offset, taken: None };
                    if fault.kind != DecodeErrorKind::TooDeep || !self.deep(place, skipped, round) {
                        unread.add(offset, skipped, fault, &self.redactor);
                    }
                }
            }
        }
        if !self.keep_unread(&unread) {
            round.fail(chunk);
        }
    }

    /// Takes a record that nests too deep further, without what lies too deep. `false`: it is no record.
    fn deep<'a>(&mut self, place: Place<'a>, record: &[u8], round: &mut Round<'a>) -> bool {
        let Ok(cut) = limit_depth(record) else { return false };
        let cut: &'a [u8] = round.arena.alloc_slice_copy(&cut);
        let Some(Ok(envelope)) = Records::new(cut).next() else { return false };
        self.log.warn(
            "record cut",
            format!(
                "the record at offset {} of tag {} nests deeper than {MAX_DEPTH} levels; what lies deeper is left out, \
                 and the rest is delivered",
                place.offset, place.tag
            ),
        );
        let place = Place { taken: envelope.taken(), ..place };
        self.body(place, envelope.body, Within::Record, round);
        true
    }

    /// Takes a closer look at what was not an event at first sight.
    fn body<'a>(&mut self, place: Place<'a>, body: &'a [u8], within: Within, round: &mut Round<'a>) {
        self.repair.take_count();
        let ClassifiedBody { body, class } = classify(body, within, &self.repair, round.arena);
        match class {
            BodyClass::Event(event) => return self.content(place, body, &Content::Event(&event), round),
            BodyClass::Audit(audit) => return self.content(place, body, &Content::Audit(&audit), round),
            BodyClass::Violation(violation) => {
                return self.content(place, body, &Content::Violation(&violation), round);
            }
            BodyClass::List { items, within } => {
                for item in items {
                    self.body(place, item, within, round);
                }
                return;
            }
            BodyClass::Several(parts) => {
                for WrappedBody { body, within } in parts {
                    self.body(place, body, within, round);
                }
                return;
            }
            BodyClass::InvalidJson { key, why } => self.log.warn(
                "broken JSON",
                format!(
                    "the record at offset {} of tag {} has in {key} what begins as JSON and is none ({why}); it is \
                     taken as it is, see the setting other; was the line cut?",
                    place.offset, place.tag
                ),
            ),
            BodyClass::Other => {}
        }
        self.content(place, body, &Content::Other, round);
    }
}
