//! Decode: a chunk becomes records, and the body of each is classified, whatever it came in.

use std::sync::Arc;

use bumpalo::Bump;

use super::round::{Chunk, Decoded, Place};
use super::unreadable::Unreadable;
use crate::log::HostLog;
use crate::record::chunk::Records;
use crate::record::classify::{BodyClass, ClassifiedBody, Within, classify};
use crate::record::content::Content;
use crate::record::cursor::{DecodeErrorKind, MAX_DEPTH};
use crate::record::depth_limit::limit_depth;
use crate::record::event::KubeEvent;
use crate::record::redact::Redactor;
use crate::record::text::Repair;
use crate::record::wrapper_search::WrappedBody;

pub(super) struct Decoder {
    repair: Repair,
    /// Says how much of an unreadable record may be shown.
    redactor: Arc<Redactor>,
    log: Arc<HostLog>,
}

impl Decoder {
    pub(super) fn new(redactor: Arc<Redactor>, log: &Arc<HostLog>) -> Self {
        Self { repair: Repair::default(), redactor, log: Arc::clone(log) }
    }

    /// Calls `take` with each record of a chunk. Returns the parts of the chunk that could not be read.
    pub(super) fn chunk<'a>(
        &self,
        chunk: Chunk<'a>,
        arena: &'a Bump,
        take: &mut impl FnMut(&Decoded<'_, 'a>),
    ) -> Unreadable<'a> {
        let Chunk { index, tag, data } = chunk;
        let mut records = Records::new(data);
        let mut unreadable = Unreadable::new(tag);
        while let Some(record) = records.next_with(|body| KubeEvent::read_at(body, &self.repair)) {
            match record {
                Ok((envelope, event)) => {
                    let (offset, received) = (envelope.offset, envelope.received());
                    let place = Place { chunk: index, tag, offset, received };
                    match event.flatten() {
                        Some(event) => self.give(place, envelope.body, Content::Event(&event), take),
                        None => self.body(place, envelope.body, Within::Record, arena, take),
                    }
                }
                Err(fault) => {
                    self.repair.take_count();
                    let skipped = records.skipped();
                    let offset = skipped.as_ptr().addr() - data.as_ptr().addr();
                    let place = Place { chunk: index, tag, offset, received: None };
                    if fault.kind != DecodeErrorKind::TooDeep || !self.deep(place, skipped, arena, take) {
                        unreadable.add(offset, skipped, fault, &self.redactor);
                    }
                }
            }
        }
        unreadable
    }

    /// Decodes a record that nests too deep, without its deepest levels. `false`: it is no record.
    fn deep<'a>(
        &self,
        place: Place<'a>,
        record: &[u8],
        arena: &'a Bump,
        take: &mut impl FnMut(&Decoded<'_, 'a>),
    ) -> bool {
        let Ok(cut) = limit_depth(record) else { return false };
        let cut: &'a [u8] = arena.alloc_slice_copy(&cut);
        let Some(Ok(envelope)) = Records::new(cut).next() else { return false };
        self.log.warn(
            "record cut",
            format!(
                "the record at offset {} of tag {} nests deeper than {MAX_DEPTH} levels; what lies deeper is left out, \
                 and the rest is delivered",
                place.offset, place.tag
            ),
        );
        let place = Place { received: envelope.received(), ..place };
        self.body(place, envelope.body, Within::Record, arena, take);
        true
    }

    /// Classifies a body that is not an event by its first keys.
    fn body<'a>(
        &self,
        place: Place<'a>,
        body: &'a [u8],
        within: Within,
        arena: &'a Bump,
        take: &mut impl FnMut(&Decoded<'_, 'a>),
    ) {
        self.repair.take_count();
        let ClassifiedBody { body, class } = classify(body, within, &self.repair, arena);
        match class {
            BodyClass::Event(event) => return self.give(place, body, Content::Event(&event), take),
            BodyClass::Audit(audit) => return self.give(place, body, Content::Audit(&audit), take),
            BodyClass::Violation(violation) => {
                return self.give(place, body, Content::Violation(&violation), take);
            }
            BodyClass::List { items, within } => {
                return items.for_each(|item| self.body(place, item, within, arena, take));
            }
            BodyClass::Several(parts) => {
                for WrappedBody { body, within } in parts {
                    self.body(place, body, within, arena, take);
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
        self.give(place, body, Content::Other, take);
    }

    fn give<'a>(
        &self,
        place: Place<'a>,
        body: &'a [u8],
        content: Content<'_, 'a>,
        take: &mut impl FnMut(&Decoded<'_, 'a>),
    ) {
        take(&Decoded { place, body, content, replaced_strings: self.repair.take_count() });
    }
}
