//! Is a body that is read as its record is found read as it is read afterwards?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use super::{cases, chunk};
use cases::cases;
use event_gateway::record::chunk::Records;
use event_gateway::record::cursor::MAX_DEPTH;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::text::Repair;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Goes both ways through the bytes; how many records were read in one pass.
fn assert_alike(bytes: &[u8]) -> usize {
    let repair = Repair::default();
    let mut afterwards = Records::new(bytes);
    let mut at_once = Records::new(bytes);
    let mut read_at_once = 0;
    loop {
        let expected = afterwards.next();
        let found = at_once.next_with(|body| KubeEvent::read_at(body, &repair));
        assert_eq!(
            found.as_ref().map(|found| found.as_ref().map(|(envelope, _)| *envelope)),
            expected.as_ref().map(Result::as_ref).map(|expected| expected.copied())
        );
        match found {
            None => return read_at_once,
            Some(Ok((envelope, Some(event)))) => {
                assert_eq!(event, KubeEvent::read(envelope.body, &repair).unwrap());
                read_at_once += 1;
            }
            Some(_) => {}
        }
    }
}

#[test]
fn every_real_record_is_read_in_one_pass() {
    for name in ["chunk-list.msgpack", "chunk-watch.msgpack"] {
        let bytes = std::fs::read(chunk::data_file(name)).unwrap();
        let records = Records::new(&bytes).count();
        assert!(records > 100, "{name}");
        assert_eq!(assert_alike(&bytes), records, "{name}");
    }
}

#[test]
fn depth_is_judged_alike() {
    for depth in [1, 40, MAX_DEPTH - 3, MAX_DEPTH - 2, MAX_DEPTH - 1, MAX_DEPTH, 200] {
        let nested = (0..depth).fold(json!(1), |inside, _| json!([inside]));
        let side_by_side: Vec<Value> = (0..depth).map(|_| json!([1])).collect();
        for odd in [nested, json!(side_by_side)] {
            let body = json!({"involvedObject": {"kind": "Pod"}, "reason": "Odd", "odd": odd});
            assert_alike(&[chunk::v2(&body, 1), chunk::v2(&json!({"log": "next"}), 1)].concat());
        }
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn no_mutant_makes_a_difference(changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..30), cut in 0usize..2_000) {
        let mut bytes = std::fs::read(chunk::data_file("chunk-list.msgpack")).unwrap();
        bytes.truncate(20_000 - cut);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        assert_alike(&bytes);
    }
}
