//! Does every format say what it promises, byte for byte, whatever the record holds?
//!
//! `UPDATE_GOLDEN=1 cargo test --test formats decoding::rendering` writes tests/golden anew; read the difference before
//! committing it, because it is what every reader behind a gateway will meet.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use super::{chunk, cloudevent, support};
use cloudevent::assert_is_cloudevent;
use event_gateway::config::FormatName;
use event_gateway::correlate::{Affected, Correlation, Impact, UidText, Via};
use event_gateway::format::{Framing, Record, Renderer};
use event_gateway::gateway::batch::{Batch, BatchLimits};
use event_gateway::record::chunk::Records;
use event_gateway::record::content::Content;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::identity::record_id;
use event_gateway::record::text::Repair;
use serde_json::{Value, json};

const FORMATS: [(&str, FormatName); 4] = [
    ("native", FormatName::Native),
    ("cloudevents", FormatName::CloudEvents),
    ("cloudevents_batch", FormatName::CloudEventsBatch),
    ("raw", FormatName::Raw),
];

/// Renders the events of a chunk, each with its id.
fn render(renderer: &Renderer, chunk: &[u8]) -> Vec<(String, Vec<u8>)> {
    render_with(&Impact::without(Correlation::Off), renderer, chunk)
}

fn render_with(impact: &Impact<'_>, renderer: &Renderer, chunk: &[u8]) -> Vec<(String, Vec<u8>)> {
    let render_one = |record: Result<event_gateway::record::chunk::Envelope<'_>, _>| {
        let body = record.unwrap().body;
        let event = KubeEvent::read(body, &Repair::default()).unwrap().unwrap();
        let id = record_id(&event, body);
        let new_occurrences = u32::try_from(event.occurrences()).unwrap();
        let mut out = Vec::new();
        renderer
            .render(
                &Record { new_occurrences, ..Record::new(&id, Content::Event(&event), impact, body) },
                &mut out,
            )
            .unwrap();
        (id, out)
    };
    Records::new(chunk).map(render_one).collect()
}

fn render_json(format: FormatName, cluster: &str, chunk: &[u8]) -> Vec<Value> {
    let rendered = render(&Renderer::new(format, cluster).expect("a format"), chunk);
    rendered.iter().map(|(_, line)| serde_json::from_slice(line).unwrap()).collect()
}

/// All events of the run: as listed, and as watched, which is where `managedFields` are.
fn real_events() -> Vec<Value> {
    [chunk::listed_events(), chunk::watch_events()].concat()
}

fn schema() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/native-schema.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn the_golden_files_hold() {
    let bytes = chunk::of(&chunk::chosen_events());
    for (name, format) in FORMATS {
        let renderer = Renderer::new(format, "prod-eu").expect("a format");
        let mut bodies = Vec::new();
        let limits = BatchLimits { events: 100, bytes: 1_000_000 };
        let mut batch = Batch::new(renderer.framing(), limits);
        for (id, line) in render(&renderer, &bytes) {
            batch.push(&id, &line, ());
        }
        // Each alone, or all in one request.
        let step = if renderer.framing() == Framing::ALONE { 1 } else { batch.len() };
        let parts = (0..batch.len()).step_by(step).map(|start| start..start + step);
        for part in parts {
            bodies.extend_from_slice(&batch.body(&part));
            if bodies.last() != Some(&b'\n') {
                bodies.push(b'\n');
            }
        }
        let file = format!("{}/tests/golden/{name}.ndjson", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&file, &bodies).unwrap();
        }
        let golden = std::fs::read(&file).unwrap_or_default();
        for (number, (found, golden)) in
            bodies.split(|byte| *byte == b'\n').zip(golden.split(|byte| *byte == b'\n')).enumerate()
        {
            let (found, golden) = (String::from_utf8_lossy(found), String::from_utf8_lossy(golden));
            assert_eq!(found, golden, "{name}.ndjson, line {}", number + 1);
        }
        assert_eq!(bodies.len(), golden.len(), "{name}.ndjson");
    }
}

#[test]
fn every_native_record_is_valid_and_holds_every_key() {
    let schema = schema();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let required = |of: &Value| {
        let names = of["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    let keys = |of: &Value| of.as_object().unwrap().keys().cloned().collect();
    let documents = render_json(FormatName::Native, "", &chunk::of(&real_events()));
    assert_eq!(documents.len(), 491 + 981);
    for document in &documents {
        if let Some(error) = validator.iter_errors(document).next() {
            panic!("{error} at {} in {document}", error.instance_path());
        }
        let mut all = required(&schema);
        all.insert("event".to_owned());
        assert_eq!(all, keys(document));
        for part in ["source", "object", "event"] {
            assert_eq!(required(&schema["properties"][part]), keys(&document[part]));
        }
    }
}

#[test]
fn the_schema_refuses_what_is_no_native_record() {
    let schema = schema();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let good = render_json(FormatName::Native, "c", &chunk::of(&chunk::chosen_events())).remove(0);
    assert!(validator.is_valid(&good));
    let mut later = good.clone();
    later["a_key_of_a_later_version"] = json!(1);
    assert!(validator.is_valid(&later));

    let pointers = schema["required"].as_array().unwrap().iter().map(|key| ("", key.as_str().unwrap()));
    let pointers = pointers.chain([("", "event")]);
    let inner = ["source", "object", "event"].into_iter().flat_map(|part| {
        let inner = schema["properties"][part]["required"].as_array().unwrap();
        inner.iter().map(move |key| (part, key.as_str().unwrap()))
    });
    for (part, key) in pointers.chain(inner) {
        let pointer = if part.is_empty() { String::new() } else { format!("/{part}") };
        for wrong in [None, Some(json!("")), Some(json!(-1)), Some(json!([]))] {
            let mut bad = good.clone();
            let inside = bad.pointer_mut(&pointer).unwrap().as_object_mut().unwrap();
            match wrong {
                None => inside.remove(key),
                // No Services are a good answer.
                Some(wrong) if key == "services" && wrong == json!([]) => continue,
                Some(wrong) => inside.insert(key.to_owned(), wrong),
            };
            assert!(!validator.is_valid(&bad), "{part}/{key}: {bad}");
        }
    }
    for (key, wrong) in [("time", "2026-11-20T23:28:49+01:00"), ("time", "yesterday"), ("severity", "bad")] {
        let mut bad = good.clone();
        bad[key] = json!(wrong);
        assert!(!validator.is_valid(&bad), "{key}");
    }
    for (name, property) in schema["properties"].as_object().unwrap() {
        let parts = property["properties"].as_object().into_iter().flatten();
        for (name, property) in parts.chain([(name, property)]) {
            assert!(property["description"].is_string(), "{name} is not described");
        }
    }
}

#[test]
fn raw_is_the_event_less_managed_fields_plus_id() {
    let events = real_events();
    let rendered = render_json(FormatName::Raw, "c", &chunk::of(&events));
    let mut managed = 0;
    for (mut event, raw) in events.into_iter().zip(rendered) {
        event["id"] = json!(chunk::event_id(&event));
        let metadata = event["metadata"].as_object_mut().unwrap();
        managed += usize::from(metadata.remove("managedFields").is_some());
        assert_eq!(raw, event);
    }
    assert!(managed > 900, "the watch shows managedFields");
    // Only that one place is left out; and an `id` that the record brought makes way for ours.
    let event = json!({"id": "theirs", "managedFields": 1, "involvedObject": {"managedFields": [2]},
        "metadata": {"managedFields": {"a": 1}, "uid": "u", "resourceVersion": "7"}});
    let expected = json!({"id": "u.7", "managedFields": 1, "involvedObject": {"managedFields": [2]},
        "metadata": {"uid": "u", "resourceVersion": "7"}});
    assert_eq!(render_json(FormatName::Raw, "c", &chunk::v2(&event, 1)), [expected]);
}

#[test]
fn the_same_record_renders_to_the_same_bytes() {
    let events = real_events();
    let bytes = chunk::of(&events);
    let older: Vec<u8> = events.iter().flat_map(|event| chunk::v2_before_5(event, 1)).collect();
    for (_, format) in FORMATS {
        let first = render(&Renderer::new(format, "c").expect("a format"), &bytes);
        assert_eq!(first, render(&Renderer::new(format, "c").expect("a format"), &bytes));
        assert_eq!(
            first,
            render(&Renderer::new(format, "c").expect("a format"), &older),
            "the framing is not in the record"
        );
    }
}

/// Any string, placed where a record holds text, must give one line of JSON and sound CloudEvents.
fn hostile_texts() -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = [
        "\0\u{1}\u{1f}\u{7f}\u{80}\u{9f}",
        "line\r\nfeed\n{\"id\":\"forged\"}\n",
        "\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}\u{fdd0}\u{10ffff}",
        "\"\\/\u{8}\u{c}</script>",
        "%00 ?#[]@ %zz ü/..//",
        "👩‍👩‍👧 \u{202e}gnp.exe",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    texts.extend([
        b"\xff\xfe\xc0\x80".to_vec(),             // never UTF-8
        b"cut \xf0\x9f\x91".to_vec(),             // a code point cut short
        b"surrogate \xed\xa0\x80 alone".to_vec(), // what only UTF-16 can hold
        "é\u{0}".repeat(10_000).into_bytes(),
    ]);
    texts
}

const MARK: &str = "MARKMARKMARKMARK";

/// A record with this text in every place that holds one.
fn record_of(text: &[u8]) -> Vec<u8> {
    let mark = MARK;
    let mut body = json!({
        "metadata": {"name": mark, "namespace": mark, "uid": mark, "resourceVersion": mark},
        "involvedObject": {"apiVersion": mark, "kind": mark, "namespace": mark, "name": mark,
            "uid": mark, "fieldPath": mark},
        "reason": mark, "message": mark, "type": mark, "action": mark,
        "source": {"component": mark, "host": mark}, "reportingInstance": mark,
        "firstTimestamp": mark, "lastTimestamp": "2026-11-20T23:28:49Z",
    });
    body.as_object_mut().unwrap().insert(mark.to_owned(), json!(mark));
    with_marks_replaced(&chunk::v2(&body, 1), text)
}

/// JSON cannot hold what is no UTF-8, so the text takes its place in the MessagePack.
fn with_marks_replaced(record: &[u8], text: &[u8]) -> Vec<u8> {
    let marked = [&[0xb0][..], MARK.as_bytes()].concat();
    let mut rest = record;
    let mut replaced = Vec::new();
    while let Some(at) = rest.windows(marked.len()).position(|window| window == marked) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.push(0xdb);
        replaced.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        replaced.extend_from_slice(text);
        rest = &rest[at + marked.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// A Service of this name and namespace is hit, as an API server that checks neither would have it.
fn impact_on(text: &str) -> Impact<'_> {
    let service = Affected {
        namespace: text,
        name: text,
        uid: UidText::Said(text),
        via: Via::Endpoint,
        endpoints_ready: 0,
        endpoints_total: 1,
        endpoints_here: None,
        deleted: false,
    };
    Impact { services: vec![service], services_total: 1, ..Impact::without(Correlation::Matched) }
}

#[test]
fn hostile_texts_stay_inside_their_line() {
    let message_alone = chunk::v2(&json!({"involvedObject": {}, "message": MARK}), 1);
    let megabyte = vec![b'\n'; 1 << 20];
    let mut records: Vec<_> = hostile_texts().into_iter().map(|text| (record_of(&text), text)).collect();
    records.push((with_marks_replaced(&message_alone, &megabyte), megabyte));
    for (record, text) in records {
        let shown = String::from_utf8_lossy(&text);
        let impacts = [Impact::without(Correlation::Off), impact_on(&shown)];
        for (impact, (name, format)) in impacts.iter().flat_map(|impact| FORMATS.map(|of| (impact, of))) {
            let rendered = render_with(impact, &Renderer::new(format, &shown).expect("a format"), &record);
            let (_, line) = &rendered[0];
            let start: String = shown.chars().take(30).collect();
            assert_eq!(line.iter().filter(|byte| **byte < b' ').count(), 0, "{name}: {start:?}");
            let document: Value = serde_json::from_slice(line).unwrap();
            let message = match format {
                FormatName::CloudEvents | FormatName::CloudEventsBatch => &document["data"]["message"],
                _ => &document["message"],
            };
            let expected = if format == FormatName::Raw { shown.to_string() } else { support::plain(&shown) };
            assert_eq!(message.as_str(), Some(&*expected), "{name}: {start:?}");
            if matches!(format, FormatName::CloudEvents | FormatName::CloudEventsBatch) {
                assert_is_cloudevent(&document);
                assert_eq!(document["service"].is_string(), !impact.services.is_empty(), "{name}: {start:?}");
            }
        }
    }
}

#[test]
fn cloudevents_keep_the_specification_around_the_native_record() {
    let bytes = chunk::of(&real_events());
    let natives = render_json(FormatName::Native, "prod/eu 1", &bytes);
    let mut ids = std::collections::HashSet::new();
    for (document, native) in render_json(FormatName::CloudEvents, "prod/eu 1", &bytes).iter().zip(&natives) {
        assert_is_cloudevent(document);
        assert_eq!(&document["data"], native);
        assert_eq!((&document["id"], &document["time"]), (&native["id"], &native["time"]));
        assert_eq!(document["source"], "/k8s/prod%2Feu%201/events");
        let reason = native["reason"].as_str().unwrap();
        assert_eq!(document["type"], format!("io.k8s.event.{reason}"));
        let subject: Vec<_> =
            ["namespace", "kind", "name"].iter().filter_map(|part| native["object"][part].as_str()).collect();
        assert_eq!(document["subject"], subject.join("/"));
        ids.insert(document["id"].as_str().unwrap().to_owned());
    }
    // 491 uids, 58 of which have updates; the list at the end repeats the last state of each.
    let distinct: std::collections::HashSet<_> = real_events().iter().map(chunk::event_id).collect();
    assert_eq!(ids, distinct);
    // An event that says next to nothing still makes a sound document.
    for document in render_json(FormatName::CloudEvents, "", &chunk::v2(&json!({"involvedObject": {}}), 1)) {
        assert_is_cloudevent(&document);
        assert!(document.get("subject").is_none() && document.get("time").is_none());
    }
}
