//! Does every record of a batch get one outcome, whatever the gateway takes and refuses?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};

use super::cases;
use cases::cases;
use event_gateway::format::Framing;
use event_gateway::gateway::batch::{Batch, BatchLimits, Parts};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

const FORMS: [Framing; 3] = [Framing::LINES, Framing::ARRAY, Framing::ALONE];

/// A rendered record: a JSON document of about so many bytes that says its id.
fn document(id: usize, padding: usize) -> Vec<u8> {
    format!("{{\"id\":\"{id}\",\"message\":\"{}\"}}", "x".repeat(padding)).into_bytes()
}

/// Puts records into batches as the pipeline does: a new one when this one has no room.
fn fill(form: Framing, limits: BatchLimits, paddings: &[usize]) -> Vec<Batch<usize>> {
    let mut batches = vec![Batch::new(form, limits)];
    for (id, padding) in paddings.iter().enumerate() {
        let rendered = document(id, *padding);
        if !batches.last().unwrap().has_room_for(rendered.len()) {
            batches.push(Batch::new(form, limits));
        }
        batches.last_mut().unwrap().push(&id.to_string(), &rendered, id);
    }
    batches
}

/// The ids in a body, read as its receiver does by the content type.
fn ids_in(form: Framing, body: &[u8]) -> Vec<usize> {
    let documents: Vec<Value> = match form {
        Framing::ALONE => vec![serde_json::from_slice(body).unwrap()],
        Framing::ARRAY => serde_json::from_slice(body).unwrap(),
        _ => {
            let lines = body.strip_suffix(b"\n").expect("NDJSON ends its last line too");
            lines.split(|byte| *byte == b'\n').map(|line| serde_json::from_slice(line).unwrap()).collect()
        }
    };
    documents.iter().map(|document| document["id"].as_str().unwrap().parse().unwrap()).collect()
}

/// What a gateway does with one request; the key is the request's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Accept,
    Reject,
    /// Everything from here on has to come again.
    Retry,
}

#[derive(Debug, Default)]
struct Outcomes {
    accepted: Vec<usize>,
    entries: Vec<usize>,
    to_come_again: Vec<usize>,
    /// All of them, in the order in which they were settled.
    in_order: Vec<usize>,
    requests: usize,
    keys: BTreeMap<String, Vec<usize>>,
}

/// Sends a batch as `delivery` does.
fn send(form: Framing, batch: &Batch<usize>, mut answer: impl FnMut(&[usize]) -> Answer) -> Outcomes {
    let mut outcomes = Outcomes::default();
    let mut parts = Parts::whole(batch.len());
    while let Some(part) = parts.next() {
        let mut ids = ids_in(form, &batch.body(&part));
        assert_eq!(batch.body_bytes(&part), batch.body(&part).len());
        assert_eq!(ids, part.clone().map(|index| *batch.note(index).unwrap()).collect::<Vec<_>>());
        assert!(ids.iter().zip(part.clone()).all(|(id, index)| batch.id(index) == id.to_string()));
        assert_eq!(outcomes.keys.insert(batch.idempotency_key(&part), ids.clone()), None, "asked twice");
        outcomes.requests += 1;
        let outcome = match answer(&ids) {
            Answer::Accept => &mut outcomes.accepted,
            Answer::Reject if parts.halve(&part) => continue,
            Answer::Reject => &mut outcomes.entries,
            Answer::Retry => {
                let rest = parts.by_ref().flatten().map(|index| *batch.note(index).unwrap());
                ids.extend(rest);
                &mut outcomes.to_come_again
            }
        };
        outcome.extend(&ids);
        outcomes.in_order.extend(ids);
    }
    outcomes
}

fn limits() -> impl Strategy<Value = BatchLimits> {
    (1usize..40, prop_oneof![Just(1usize), 40usize..3_000])
        .prop_map(|(events, bytes)| BatchLimits { events, bytes })
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn batches_hold_all_records_in_order_within_the_limits(
        form in proptest::sample::select(&FORMS[..]),
        limits in limits(),
        paddings in vec(prop_oneof![8 => 0usize..90, 1 => 90usize..4_000], 1..100),
    ) {
        let batches = fill(form, limits, &paddings);
        let mut ids = Vec::new();
        for (number, batch) in batches.iter().enumerate() {
            let body = batch.body(&(0..batch.len()));
            ids.extend(ids_in(form, &body));
            let most = if form == Framing::ALONE { 1 } else { limits.events };
            prop_assert!(batch.len() <= most);
            prop_assert!(batch.len() == 1 || body.len() <= limits.bytes, "{} bytes", body.len());
            // It is closed only when the next record does not fit, but for a byte or two of brackets.
            if let Some(next) = batches.get(number + 1).filter(|_| form != Framing::ALONE) {
                let next = document(*next.note(0).unwrap(), paddings[*next.note(0).unwrap()]);
                let is_full = batch.len() == limits.events || body.len() + next.len() + 3 > limits.bytes;
                prop_assert!(is_full, "{} of {limits:?}", body.len());
            }
        }
        prop_assert_eq!(ids, (0..paddings.len()).collect::<Vec<_>>());
    }

    #[test]
    fn every_record_has_one_outcome_under_any_gateway(
        form in proptest::sample::select(&FORMS[..2]),
        entries in vec(prop_oneof![6 => Just(false), 1 => Just(true)], 1..200),
        largest in prop_oneof![3 => Just(usize::MAX), 1 => 1usize..20],
        retry_at in prop_oneof![2 => Just(usize::MAX), 1 => 0usize..30],
    ) {
        let count = entries.len();
        let limits = BatchLimits { events: 1_000, bytes: 1_000_000 };
        let batch = fill(form, limits, &vec![3; count]).remove(0);
        let mut requests = 0;
        // A 400 for a record it cannot take, a 413 for more records than it likes.
        let outcomes = send(form, &batch, |ids| {
            requests += 1;
            if requests > retry_at {
                Answer::Retry
            } else if ids.len() > largest || ids.iter().any(|id| entries[*id]) {
                Answer::Reject
            } else {
                Answer::Accept
            }
        });
        prop_assert_eq!(&outcomes.in_order, &(0..count).collect::<Vec<_>>(), "each once, and in order");
        let settled = outcomes.accepted.len() + outcomes.entries.len() + outcomes.to_come_again.len();
        prop_assert_eq!(settled, count);
        prop_assert!(outcomes.accepted.iter().all(|id| !entries[*id]));
        prop_assert!(outcomes.entries.iter().all(|id| entries[*id]), "the innocent are delivered");
        prop_assert!(retry_at < usize::MAX || outcomes.to_come_again.is_empty());
        prop_assert!(outcomes.requests < 2 * count, "{} requests for {count}", outcomes.requests);
    }

    #[test]
    fn one_rejected_record_is_found_in_few_requests(count in 1usize..2_000, place in any::<prop::sample::Index>()) {
        let entry = place.index(count);
        let batch = fill(Framing::LINES, BatchLimits { events: 5_000, bytes: usize::MAX / 2 }, &vec![0; count]).remove(0);
        let outcomes = send(Framing::LINES, &batch, |ids| {
            if ids.contains(&entry) { Answer::Reject } else { Answer::Accept }
        });
        prop_assert_eq!(&outcomes.entries, &[entry]);
        let halvings = usize::try_from(count.next_power_of_two().ilog2()).unwrap();
        prop_assert!(outcomes.requests <= 2 * halvings + 1, "{} requests of {count}", outcomes.requests);
    }

    #[test]
    fn the_key_is_the_ids_and_nothing_else(
        ids in vec("[a-c.0-2]{0,3}", 0..6),
        others in vec("[a-c.0-2]{0,3}", 0..6),
        rendered in vec(any::<u8>(), 0..9),
    ) {
        let key = |ids: &[String], rendered: &[u8], form: Framing| {
            let mut batch = Batch::new(form, BatchLimits { events: 10, bytes: 1_000 });
            ids.iter().for_each(|id| batch.push(id, rendered, ()));
            batch.idempotency_key(&(0..batch.len()))
        };
        let first = key(&ids, &rendered, Framing::LINES);
        prop_assert_eq!(&first, &key(&ids, b"{}", Framing::ARRAY), "not of the text");
        prop_assert_eq!(first == key(&others, &rendered, Framing::LINES), ids == others);
        prop_assert!(first.len() == 32 && first.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let mut reversed = ids.clone();
        reversed.reverse();
        prop_assert_eq!(first == key(&reversed, &rendered, Framing::LINES), ids == reversed);
    }
}

#[test]
fn the_key_of_a_batch_is_the_same_in_every_build() {
    // It is what a gateway compares across restarts and versions of the plugin: never change it.
    let mut batch = Batch::new(Framing::LINES, BatchLimits { events: 10, bytes: 1_000 });
    batch.push("0fa87d81-44b4-434d-a19d-2d6a99636aa5.416", b"{}", ());
    batch.push("f8596fcd-74af-4e62-a4ab-4908ce123489.235", b"{}", ());
    let keys =
        [batch.idempotency_key(&(0..2)), batch.idempotency_key(&(0..1)), batch.idempotency_key(&(1..2))];
    assert_eq!(BTreeSet::from(keys.clone()).len(), 3);
    assert_eq!(keys[0], "37858b206dde40dbda26924ed8a6dfe2");
}

#[test]
fn an_emptied_batch_is_like_a_new_one() {
    for form in FORMS {
        let mut batch = Batch::new(form, BatchLimits { events: 1, bytes: 1 });
        assert!(batch.is_empty() && batch.body(&(0..0)).is_empty());
        batch.push("a", b"{\"id\":\"7\"}", 7);
        assert!(!batch.has_room_for(0));
        assert_eq!(batch.note_mut(&8, |note| *note), None);
        assert_eq!(batch.note_mut(&7, |note| *note), Some(&mut 7));
        batch.clear();
        assert!(batch.is_empty() && batch.has_room_for(1_000_000) && batch.note(0).is_none());
        batch.push("b", b"{\"id\":\"8\"}", 8);
        assert_eq!(ids_in(form, &batch.body(&(0..1))), [8]);
        // A part beyond the end, from a caller's error, is nothing.
        assert!(batch.body(&(0..2)).is_empty() && batch.body(&(5..6)).is_empty());
    }
    assert_eq!(Parts::whole(0).next(), None);
}
