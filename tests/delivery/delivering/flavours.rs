//! Is every flavour of event, in every framing and phase, read as what it is?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;

use super::chunk;
use chunk::Stamp;
use event_gateway::config::FormatName;
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::format::{Record, Renderer};
use event_gateway::record::chunk::Records;
use event_gateway::record::content::Content;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::identity::record_id;
use event_gateway::record::shape::{Items, Shape, shape_of};
use event_gateway::record::text::Repair;
use event_gateway::time;
use serde_json::{Value, json};

/// Envelopes of a chunk that must hold nothing broken, with their events.
fn read(chunk: &[u8]) -> Vec<(usize, &[u8], KubeEvent<'_>)> {
    let repair = Repair::default();
    let events: Vec<_> = Records::new(chunk)
        .map(|record| {
            let envelope = record.unwrap();
            assert!(matches!(shape_of(envelope.body), Ok(Shape::Event)));
            (envelope.offset, envelope.body, KubeEvent::read(envelope.body, &repair).unwrap().unwrap())
        })
        .collect();
    assert_eq!(repair.take_count(), 0);
    events
}

fn parse_lines(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(chunk::data_file(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The 491 real events, as a watch shows them, with kind and apiVersion.
fn core_events() -> Vec<Value> {
    parse_lines("events-core-v1.ndjson")
}

/// A text of the JSON; empty when it is absent or null, as the reader has it.
fn text<'v>(event: &'v Value, pointer: &str) -> &'v str {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

#[test]
fn every_framing_and_phase_gives_the_same_events_at_their_offsets() {
    type Framing = fn(&Value, u32) -> Vec<u8>;
    let framings: [(&str, Framing); 6] = [
        ("v2 of 5.x", chunk::v2),
        ("v2 before 5", chunk::v2_before_5),
        ("v2 with metadata", |event, seconds| {
            chunk::v2_with_metadata(event, seconds, 7, &json!({"a": [1, {"b": null}]}))
        }),
        ("v1, EventTime", |event, seconds| chunk::v1(event, Stamp::EventTime(seconds, 9))),
        ("v1, integer", |event, seconds| chunk::v1(event, Stamp::Seconds(seconds))),
        ("v1, float", |event, seconds| chunk::v1(event, Stamp::Float(f64::from(seconds) + 0.5))),
    ];
    let watched = core_events();
    let mut listed = watched.clone();
    listed.iter_mut().for_each(chunk::to_list_phase);
    assert!(watched.iter().all(|event| event["kind"] == "Event" && event["apiVersion"] == "v1"));
    assert!(listed.iter().all(|event| event.get("kind").is_none() && event.get("apiVersion").is_none()));

    let bytes = chunk::of(&watched);
    let expected: Vec<_> = read(&bytes).into_iter().map(|(_, _, event)| event).collect();
    assert_eq!(expected.len(), 491);
    for (phase, events) in [("watch", &watched), ("list", &listed)] {
        for (name, framing) in framings {
            let mut bytes = Vec::new();
            let mut offsets = Vec::new();
            for event in events {
                offsets.push(bytes.len());
                bytes.extend(framing(event, chunk::input_seconds(event)));
            }
            let found = read(&bytes);
            assert_eq!(found.iter().map(|found| found.0).collect::<Vec<_>>(), offsets, "{name}, {phase}");
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(&found.2, expected, "{name}, {phase}");
            }
        }
    }
    // And all in one chunk, v1 first: a head of v2 holds one of v1.
    let framing = |place: usize| framings[(place + 3) % framings.len()].1;
    let mixed: Vec<u8> =
        watched.iter().enumerate().flat_map(|(place, event)| framing(place)(event, 1)).collect();
    assert!(read(&mixed).iter().map(|found| &found.2).eq(&expected));
}

#[test]
fn markers_around_a_group_are_no_records() {
    let events = core_events();
    let mut bytes = chunk::group_start(&json!({"schema": "otlp"}), &json!({"involvedObject": {}}));
    bytes.extend(chunk::of(&events[..3]));
    bytes.extend(chunk::group_end());
    bytes.extend(chunk::of(&events[3..5]));
    assert_eq!(read(&bytes).len(), 5);
}

#[test]
fn every_field_is_the_one_of_the_json() {
    let mut events = core_events();
    events.extend(chunk::watch_events());
    assert_eq!(events.len(), 491 + 981);
    let bytes = chunk::of(&events);
    let found = read(&bytes);
    assert_eq!(found.len(), events.len());
    for (json, (_, _, event)) in events.iter().zip(&found) {
        let texts = [
            (&event.metadata.namespace, "/metadata/namespace"),
            (&event.metadata.name, "/metadata/name"),
            (&event.metadata.uid, "/metadata/uid"),
            (&event.metadata.resource_version, "/metadata/resourceVersion"),
            (&event.metadata.creation_timestamp, "/metadata/creationTimestamp"),
            (&event.object.api_version, "/involvedObject/apiVersion"),
            (&event.object.kind, "/involvedObject/kind"),
            (&event.object.namespace, "/involvedObject/namespace"),
            (&event.object.name, "/involvedObject/name"),
            (&event.object.uid, "/involvedObject/uid"),
            (&event.object.field_path, "/involvedObject/fieldPath"),
            (&event.reason, "/reason"),
            (&event.message, "/message"),
            (&event.event_type, "/type"),
            (&event.action, "/action"),
            (&event.source.component, "/source/component"),
            (&event.source.host, "/source/host"),
            (&event.reporting_component, "/reportingComponent"),
            (&event.reporting_instance, "/reportingInstance"),
            (&event.first_timestamp, "/firstTimestamp"),
            (&event.last_timestamp, "/lastTimestamp"),
            (&event.event_time, "/eventTime"),
        ];
        for (field, pointer) in texts {
            assert_eq!(**field, *text(json, pointer), "{pointer} of {json}");
        }
        assert_eq!(event.count, json["count"].as_u64());
        assert_eq!(event.series.is_some(), json["series"].is_object());
        if let Some(series) = &event.series {
            assert_eq!(Some(series.count), json["series"]["count"].as_u64());
            assert_eq!(*series.last_observed_time, *text(json, "/series/lastObservedTime"));
        }
        assert_eq!(record_id(event, &[]), chunk::event_id(json));
    }
}

#[test]
fn the_counts_of_the_flavours_hold() {
    let events = core_events();
    let bytes = chunk::of(&events);
    let found: Vec<_> = read(&bytes).into_iter().map(|found| found.2).collect();
    let count = |is_it: &dyn Fn(&KubeEvent<'_>) -> bool| found.iter().filter(|event| is_it(event)).count();
    let is_old = |event: &KubeEvent<'_>| event.event_time.is_empty();
    let is_mute = |event: &KubeEvent<'_>| event.reporting_component.is_empty();
    let has_host = |event: &KubeEvent<'_>| !event.source.host.is_empty();

    // kubelet: 248 at 1, 49 above; controllers: 117 at 1, 9 above; four name no reporter.
    let kubelet = |event: &KubeEvent<'_>| is_old(event) && !is_mute(event) && has_host(event);
    let controller = |event: &KubeEvent<'_>| is_old(event) && !is_mute(event) && !has_host(event);
    assert_eq!(count(&|event| kubelet(event) && event.occurrences() == 1), 248);
    assert_eq!(count(&|event| kubelet(event) && event.occurrences() > 1), 49);
    assert_eq!(count(&|event| controller(event) && event.occurrences() == 1), 117);
    assert_eq!(count(&|event| controller(event) && event.occurrences() > 1), 9);
    assert_eq!(count(&|event| kubelet(event) && event.reporting_instance.is_empty()), 0);
    assert_eq!(count(&|event| controller(event) && event.reporting_instance.is_empty()), 126);
    assert_eq!(count(&|event| is_mute(event)), 4);
    assert_eq!(count(&|event| event.message.starts_with("(combined from similar events): ")), 3);

    // The scheduler's: eventTime only, then a series in place of the count.
    let scheduler = |event: &KubeEvent<'_>| !is_old(event);
    let bare = |event: &KubeEvent<'_>| scheduler(event) && event.series.is_none();
    let series = |event: &KubeEvent<'_>| scheduler(event) && event.series.is_some();
    assert_eq!((count(&bare), count(&series), count(&|event| event.series.is_some())), (57, 7, 7));
    for event in found.iter().filter(|event| scheduler(event)) {
        assert_eq!(event.count, None);
        assert!(event.first_timestamp.is_empty() && event.last_timestamp.is_empty());
        assert!(event.source.component.is_empty());
        assert_eq!(event.first_time(), time::Stamp::parse(&event.event_time));
        let last = event.series.as_ref().map_or(&event.event_time, |series| &series.last_observed_time);
        assert_eq!(event.time().map(|time| time.to_string()).as_deref(), Some(&**last));
        assert_eq!(last.len(), "2026-11-20T23:28:49.468737Z".len());
        assert_eq!(event.occurrences(), event.series.as_ref().map_or(1, |series| series.count));
    }
    for event in found.iter().filter(|event| is_old(event)) {
        let times = (time::Stamp::parse(&event.first_timestamp), time::Stamp::parse(&event.last_timestamp));
        assert_eq!((event.first_time(), event.time()), times);
        assert_eq!(Some(event.occurrences()), event.count);
    }

    // Traps: an object without a uid; one without a namespace, for which the event's own stands in.
    assert_eq!(count(&|event| event.object.uid.is_empty()), 33);
    assert_eq!(count(&|event| event.object.namespace.is_empty()), 36);
    assert_eq!(count(&|event| event.object.namespace.is_empty() && event.namespace() == "default"), 36);
    assert_eq!(found.iter().map(|event| &event.object.kind).collect::<BTreeSet<_>>().len(), 13);
    assert_eq!(found.iter().map(|event| &event.reason).collect::<BTreeSet<_>>().len(), 39);
}

#[test]
fn both_api_groups_give_the_same_native_record() {
    let (core, newer) = (core_events(), parse_lines("events-events.k8s.io-v1.ndjson"));
    assert!(newer.iter().all(|event| event.get("regarding").is_some() && event.get("message").is_none()));
    let renderer = Renderer::new(FormatName::Native, "here").expect("a format");
    let render = |events: &[Value]| {
        let mut documents = Vec::new();
        for (_, body, event) in read(&chunk::of(events)) {
            let mut out = Vec::new();
            let id = record_id(&event, body);
            renderer
                .render(
                    &Record::new(&id, Content::Event(&event), &Impact::without(Correlation::Off), body),
                    &mut out,
                )
                .unwrap();
            documents.push(String::from_utf8(out).unwrap());
        }
        documents.sort();
        documents
    };
    // The group leaves out what core/v1 shows as "" (reportingInstance of the controllers, …); in the
    // native record both are null, so nothing at all is left to differ.
    let (core, newer) = (render(&core), render(&newer));
    assert_eq!(core.len(), 491);
    for (core, newer) in core.iter().zip(&newer) {
        assert_eq!(core, newer);
    }
}

#[test]
fn the_real_chunks_are_read_whole() {
    for (name, least, has_kind) in [("chunk-list.msgpack", 200, false), ("chunk-watch.msgpack", 50, true)] {
        let bytes = std::fs::read(chunk::data_file(name)).unwrap();
        let found = read(&bytes);
        assert!(found.len() >= least, "{name} holds {}", found.len());
        // An independent reader sees as many records, and no byte is left over.
        let mut rest = &bytes[..];
        for (offset, body, event) in &found {
            assert_eq!(*offset, bytes.len() - rest.len(), "{name}");
            let record = rmpv::decode::read_value(&mut rest).unwrap();
            assert_eq!(rmpv::decode::read_value(&mut &**body).unwrap(), record[1]);
            assert_eq!(record[1]["kind"].is_nil(), !has_kind, "{name}");
            assert_eq!(record[1]["metadata"]["uid"].as_str(), Some(&*event.metadata.uid));
            assert!(!event.metadata.resource_version.is_empty() && !event.reason.is_empty());
        }
        assert!(rest.is_empty());
    }
}

#[test]
fn a_list_in_one_record_is_split_and_its_audit_items_are_no_events() {
    let bytes = std::fs::read(chunk::data_file("chunk-audit-in-http.msgpack")).unwrap();
    let records: Vec<_> = Records::new(&bytes).collect::<Result<_, _>>().unwrap();
    assert_eq!(records.len(), 1, "an audit webhook posts one EventList");
    let whole = rmpv::decode::read_value(&mut &*bytes).unwrap();
    let expected = whole[1]["items"].as_array().unwrap();
    let Ok(Shape::List { items }) = shape_of(records[0].body) else { panic!("no list") };
    let found: Vec<_> = Items::new(items).collect();
    assert_eq!(found.len(), expected.len());
    assert!(found.len() > 1);
    for (item, expected) in found.iter().zip(expected) {
        assert_eq!(rmpv::decode::read_value(&mut &**item).unwrap(), *expected);
        assert_eq!(shape_of(item), Ok(Shape::Audit));
        assert_eq!(KubeEvent::read(item, &Repair::default()), Ok(None));
    }
}

#[test]
fn a_list_of_events_is_split_into_them() {
    let events = core_events();
    let list = json!({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": events});
    let bytes = chunk::v2(&list, 1);
    let record = Records::new(&bytes).next().unwrap().unwrap();
    let Ok(Shape::List { items }) = shape_of(record.body) else { panic!("no list") };
    let repair = Repair::default();
    let split: Vec<_> =
        Items::new(items).map(|item| KubeEvent::read(item, &repair).unwrap().unwrap()).collect();
    let alone = chunk::of(&events);
    assert!(split.iter().eq(read(&alone).iter().map(|(_, _, event)| event)));
    assert_eq!(split.len(), 491);
}
