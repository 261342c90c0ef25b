//! Any bytes as a chunk: the records that are found in it, and all that is done with them before the network.

use event_gateway::record::chunk::{Envelope, Records};
use event_gateway::record::cursor::DecodeError;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::shape::{Items, Shape, shape_of};
use event_gateway::record::text::Repair;
use serde_json::json;

use super::event::Event;
use super::{Body, Seen, data};

pub struct Chunk {
    pub event: Event,
    /// Where the records of the last chunk begin, and what was skipped.
    pub offsets: Vec<usize>,
    pub faults: Vec<DecodeError>,
    repair: Repair,
    seen: Seen,
}

impl Body for Chunk {
    const NAME: &'static str = "chunk";

    const WORDS: &'static [&'static [u8]] = &[
        data::HEADS[0],
        data::HEADS[1],
        data::HEADS[2],
        data::HEADS[3],
        data::HEADS[4],
        // The markers around a group.
        &[0x92, 0x92, 0xd7, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x80, 0x80],
        &[0x92, 0x92, 0xd7, 0, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0, 0x80, 0x80],
        &[0xd7, 0x00],
        b"\xa5items\x92",
        b"\xaeinvolvedObject\x81",
        b"\xa9regarding\x80",
        b"\xa8metadata\x80",
        &[0xc1],
        &[0xdd, 0xff, 0xff, 0xff, 0xff],
        &[0xdf, 0xff, 0xff, 0xff, 0xff],
        &[0xdb, 0xff, 0xff, 0xff, 0xff],
        &[0xdc, 0x00, 0x41],
        &[0xde, 0xff, 0xff],
        &[0xc9, 0x00, 0x00, 0x01, 0x00],
        &[0x91; 66],
    ];

    fn new() -> Self {
        let (offsets, faults) = (Vec::new(), Vec::new());
        Self { event: Event::new(), offsets, faults, repair: Repair::default(), seen: Seen::default() }
    }

    fn seeds() -> Vec<Vec<u8>> {
        let events = data::events();
        let framed =
            |framing: usize, of: &serde_json::Value| [data::HEADS[framing], &data::packed(of)].concat();
        let mut seeds = Vec::new();
        for (place, some) in events.chunks_exact(2).enumerate() {
            seeds.push(framed(place % data::HEADS.len(), &some[0]));
            seeds.push(some.iter().flat_map(|event| framed(place % data::HEADS.len(), event)).collect());
            let list = json!({"kind": "EventList", "metadata": {}, "items": some});
            seeds.push(framed(place % data::HEADS.len(), &list));
        }
        // As a real Fluent Bit made them: one record, and two.
        for name in ["chunk-watch.msgpack", "chunk-list.msgpack"] {
            let real = std::fs::read(data::file(name)).expect("test data");
            let records: Vec<Envelope<'_>> = Records::new(&real).flatten().collect();
            for two in records.chunks_exact(2).step_by(7) {
                seeds.push(real[two[0].offset..two[0].end()].to_vec());
                seeds.push(real[two[0].offset..two[1].end()].to_vec());
            }
        }
        let audit = std::fs::read(data::file("chunk-audit-in-http.msgpack")).expect("test data");
        seeds.push(audit[..2_000].to_vec());
        seeds
    }

    fn check(&mut self, chunk: &[u8], closely: bool) {
        self.offsets.clear();
        self.faults.clear();
        let repair = std::mem::take(&mut self.repair);
        let mut at_once = Records::new(chunk);
        let mut afterwards = closely.then(|| Records::new(chunk));
        let mut end = 0;
        while let Some(found) = at_once.next_with(|body| KubeEvent::read_at(body, &repair)) {
            if let Some(afterwards) = &mut afterwards {
                let same = afterwards.next().expect("as many records both ways");
                assert_eq!(
                    found.as_ref().map(|(envelope, _)| envelope),
                    same.as_ref(),
                    "both ways find the same"
                );
            }
            self.seen.note(found.is_ok());
            let (envelope, event) = match found {
                Ok(found) => found,
                Err(fault) => {
                    assert!(fault.offset <= chunk.len());
                    self.faults.push(fault);
                    continue;
                }
            };
            assert!(envelope.offset >= end, "a byte was read twice");
            end = envelope.end();
            assert!(end <= chunk.len(), "a body reaches over the end");
            assert_eq!(&chunk[envelope.offset + envelope.framing.len()..end], envelope.body);
            self.offsets.push(envelope.offset);
            match event.flatten() {
                Some(event) => {
                    if closely {
                        let again = KubeEvent::read(envelope.body, &repair);
                        assert_eq!(again.as_ref(), Ok(&Some(event.clone())), "both ways read the same");
                    }
                    self.event.found(envelope.body, &event, closely);
                }
                None => self.body(envelope.body, true, closely),
            }
        }
        assert!(afterwards.is_none_or(|mut afterwards| afterwards.next().is_none()));
        self.repair = repair;
    }

    fn seen(&self) -> Seen {
        self.seen
    }
}

impl Chunk {
    /// What is no event at first sight.
    fn body(&mut self, body: &[u8], may_be_list: bool, closely: bool) {
        match shape_of(body) {
            Ok(Shape::List { items }) if may_be_list => {
                for item in Items::new(items) {
                    self.body(item, false, closely);
                }
            }
            Ok(Shape::Event) => self.event.check(body, closely),
            _ => {}
        }
    }
}
