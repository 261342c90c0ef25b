//! Any bytes as a chunk, through everything that happens to a record before the network.
#![no_main]

use event_gateway::correlate::{Correlation, Impact};
use event_gateway::config::Format;
use event_gateway::ledger::identity::{identity, record_id};
use event_gateway::record::chunk::Records;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::peek::{Items, Shape, peek};
use event_gateway::record::text::Repair;
use event_gateway::render::{Record, Renderer};

libfuzzer_sys::fuzz_target!(|chunk: &[u8]| {
    let mut end = 0;
    let repair = Repair::default();
    let mut at_once = Records::new(chunk);
    for record in Records::new(chunk) {
        let found = at_once.next_with(|body| KubeEvent::read_at(body, &repair)).expect("as many records both ways");
        match (record, found) {
            (Ok(envelope), Ok((same, event))) => {
                assert_eq!(envelope, same, "both ways find the same records");
                if let Some(event) = event {
                    assert_eq!(Ok(event), KubeEvent::read(envelope.body, &repair), "both ways read the same");
                }
                assert!(envelope.offset >= end, "a byte was read twice");
                end = envelope.end();
                assert!(end <= chunk.len(), "a body reaches over the end");
                body(envelope.body, true);
            }
            (Err(fault), Err(same)) => {
                assert_eq!(fault, same);
                assert!(fault.offset <= chunk.len());
            }
            (record, found) => panic!("{record:?} is not {found:?}"),
        }
    }
    assert!(at_once.next().is_none());
});

fn body(bytes: &[u8], may_be_list: bool) {
    match peek(bytes) {
        Ok(Shape::List { items }) if may_be_list => Items::new(items).for_each(|item| body(item, false)),
        Ok(Shape::Event) => event(bytes),
        _ => {}
    }
}

fn event(body: &[u8]) {
    let repair = Repair::default();
    let Ok(Some(event)) = KubeEvent::read(body, &repair) else { return };
    let id = record_id(&event);
    let _ = identity(&event);
    let record = Record { id: &id, event: &event, new_occurrences: 1, impact: &Impact::without(Correlation::Off), body };
    for format in [Format::Raw, Format::Native, Format::CloudEvents] {
        let mut out = Vec::new();
        Renderer::new(format, "c").render(&record, &mut out);
        assert!(out.iter().all(|byte| *byte >= b' '), "a line of NDJSON is one line");
        assert!(out.len() < 24 * body.len() + 1_000, "{} bytes of {}", out.len(), body.len());
    }
}
