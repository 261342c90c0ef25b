//! The events that pass the stages: a chunk that Fluent Bit made from a real cluster's list.

use event_gateway::record::chunk::Records;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::text::Repair;

/// It lives as long as the process, so that the work can borrow from it.
pub struct Recorded {
    pub chunk: &'static [u8],
    pub events: Vec<(KubeEvent<'static>, &'static [u8])>,
}

impl Recorded {
    pub fn load() -> &'static Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/chunk-list.msgpack");
        let chunk: &'static [u8] = std::fs::read(path).expect("the recorded chunk").leak();
        let repair = Repair::default();
        let bodies = Records::new(chunk).filter_map(Result::ok).map(|record| record.body);
        let read = |body: &'static [u8]| Some((KubeEvent::read(body, &repair).ok().flatten()?, body));
        Box::leak(Box::new(Self { chunk, events: bodies.filter_map(read).collect() }))
    }
}
