//! How does each format write what an event touches?
//!
//! The recorded cluster is replayed, and its events are rendered with their impact. `UPDATE_GOLDEN=1` writes
//! the golden file anew.

use super::support;
use event_gateway::config::FormatName;
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::format::{Record, Renderer};
use event_gateway::record::content::Content;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::text::Repair;
use serde_json::{Value, json};
use support::chunk;
use support::recording::Line;
use support::replay::{Replay, about};

/// Every event of the recording with what `render` makes of its impact.
fn each(mut look: impl FnMut(&Line, &Impact<'_>)) {
    Replay::new().run(|line, correlator, index| {
        look(line, &correlator.correlate(index, &about(&line.object)));
    });
}

fn render(format: FormatName, line: &Line, impact: &Impact<'_>) -> Value {
    let mut body = Vec::new();
    chunk::write_value(&mut body, &line.object);
    let event = KubeEvent::read(&body, &Repair::default()).expect("a map").expect("an event");
    let record = Record::new("an id", Content::Event(&event), impact, &body);
    let mut out = Vec::new();
    Renderer::new(format, "prod-eu").expect("a format").render(&record, &mut out).expect("it fits");
    serde_json::from_slice(&out).expect("JSON")
}

#[test]
fn every_native_record_is_valid() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/native-schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(file).expect("the schema")).expect("JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let mut matched = 0;
    each(|line, impact| {
        let document = render(FormatName::Native, line, impact);
        if let Some(error) = validator.iter_errors(&document).next() {
            panic!("{error} at {} in {document}", error.instance_path());
        }
        matched += usize::from(document["correlation"] == "matched");
    });
    assert!(matched > 500, "{matched}");
}

/// The first event of each kind of object and reason for a Service.
#[test]
fn the_golden_file_holds() {
    let (mut text, mut seen) = (String::new(), std::collections::BTreeSet::new());
    each(|line, impact| {
        let document = render(FormatName::Native, line, impact);
        let first = (document["object"]["kind"].to_string(), document["services"][0]["via"].to_string());
        if seen.insert(first) {
            text.push_str(&format!("{document}\n"));
        }
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/native-impact.ndjson");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &text).expect("the golden file");
    }
    assert_eq!(text, std::fs::read_to_string(path).expect("the golden file"));
}

#[test]
fn raw_carries_the_impact_whole_in_place_of_the_senders_own() {
    each(|line, impact| {
        let mut line = line.clone();
        line.object["impact"] = json!("of somebody else");
        let raw = render(FormatName::Raw, &line, impact);
        assert_eq!(raw["impact"], serde_json::to_value(impact).expect("JSON"));
        let off = render(FormatName::Raw, &line, &Impact::without(Correlation::Off));
        assert_eq!(off["impact"], "of somebody else");
        let early = render(FormatName::Raw, &line, &Impact::without(Correlation::NotReady));
        assert_eq!(early["impact"]["correlation"], "not_ready");
    });
}

#[test]
fn a_cloudevent_names_the_first_service_where_routers_look() {
    let mut named = 0;
    each(|line, impact| {
        let event = render(FormatName::CloudEvents, line, impact);
        let first = impact.services.first().map(|one| format!("{}/{}", one.namespace, one.name));
        assert_eq!(event.get("service"), first.map(Value::from).as_ref());
        assert_eq!(event["data"]["services_total"], impact.services_total);
        named += usize::from(event.get("service").is_some());
    });
    assert!(named > 500, "{named}");
}
