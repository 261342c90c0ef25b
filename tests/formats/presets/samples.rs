//! Records of all kinds, and what a format makes of them.

use std::collections::BTreeSet;

use event_gateway::config::FormatName;
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::format::{Record, Renderer};
use event_gateway::record::audit::AuditEvent;
use event_gateway::record::content::Content;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::identity::write_id;
use event_gateway::record::shape::{Shape, shape_of};
use event_gateway::record::text::Repair;
use event_gateway::record::violation::Violation;
use event_gateway::time::Stamp;
use serde_json::{Value, json};

use super::chunk;
use super::support::replay::{Replay, about};
use super::support::{audit_log, violations};

/// The formats of this group, by their words.
pub const FORMATS: [(&str, FormatName); 11] = [
    ("ecs", FormatName::Ecs),
    ("splunk_hec", FormatName::SplunkHec),
    ("datadog", FormatName::Datadog),
    ("loki", FormatName::Loki),
    ("alertmanager", FormatName::Alertmanager),
    ("pagerduty", FormatName::PagerDuty),
    ("falco", FormatName::Falco),
    ("gelf", FormatName::Gelf),
    ("kubernetes_event_exporter", FormatName::KubernetesEventExporter),
    ("k8stream", FormatName::K8stream),
    ("eventrouter", FormatName::Eventrouter),
];

/// When the host took in what has no time.
pub const TAKEN: &str = "2026-11-21T08:00:00.123456789Z";

/// Those that stand in for a tool that knows events only.
pub fn holds_events_only(format: &str) -> bool {
    ["kubernetes_event_exporter", "eventrouter"].contains(&format)
}

/// Reads a body as the pipeline does, and renders it as its first delivery.
pub fn render(
    renderer: &Renderer,
    body: &[u8],
    taken: Option<Stamp>,
    impact: &Impact<'_>,
) -> Result<String, String> {
    with_content(body, |content| {
        let mut id = String::new();
        write_id(&content, body, &mut id);
        let new_occurrences = u32::try_from(content.occurrences()).unwrap_or(u32::MAX);
        // A minute after it was taken in, or else when it happened.
        let mut record =
            Record { new_occurrences, received: taken, ..Record::new(&id, content, impact, body) };
        if let Some(now) = taken.and_then(|taken| taken.later(std::time::Duration::from_secs(60))) {
            record.now = now;
        }
        let mut out = b"before".to_vec();
        let rendered = renderer.render(&record, &mut out);
        let text = String::from_utf8(out).expect("UTF-8");
        let text = text.strip_prefix("before").expect("what stood there stays").to_owned();
        assert!(rendered.is_ok() || text.is_empty(), "half of it was left");
        rendered.map(|_| text).map_err(|error| error.to_string())
    })
}

/// Looks at a body as the pipeline reads it.
pub fn with_content<R>(body: &[u8], look: impl FnOnce(Content<'_, '_>) -> R) -> R {
    let repair = Repair::default();
    match shape_of(body) {
        Ok(Shape::Event) => match KubeEvent::read(body, &repair).expect("whole") {
            Some(event) => look(Content::Event(&event)),
            None => look(Content::Other),
        },
        Ok(Shape::Audit) => match AuditEvent::read(body, &repair).expect("whole") {
            Some(audit) => look(Content::Audit(&audit)),
            None => look(Content::Other),
        },
        Ok(Shape::Violation) => match Violation::read(body, &repair).expect("whole") {
            Some(violation) => look(Content::Violation(&violation)),
            None => look(Content::Other),
        },
        _ => look(Content::Other),
    }
}

pub fn packed(record: &Value) -> Vec<u8> {
    let mut body = Vec::new();
    chunk::write_value(&mut body, record);
    body
}

/// What `format` makes of records without an impact.
pub fn rendered(renderer: &Renderer, records: &[Value]) -> Vec<Result<String, String>> {
    let impact = Impact::without(Correlation::Off);
    let taken = Stamp::parse(TAKEN);
    records.iter().map(|record| render(renderer, &packed(record), taken, &impact)).collect()
}

/// One event of each flavour, an audit record of each verb and class of answers, all violations, and one of no known
/// kind.
pub fn chosen() -> Vec<Value> {
    let mut all = chunk::chosen_events();
    let mut seen = BTreeSet::new();
    all.extend(audit_log().into_iter().filter(|line| {
        let class = line["responseStatus"]["code"].as_u64().map(|code| code / 100);
        seen.insert((line["verb"].to_string(), class))
    }));
    all.extend(violations());
    all.push(odd_one());
    all
}

/// A record of unknown kind, with all that JSON has.
pub fn odd_one() -> Value {
    json!({"log": "plain <text> & \u{2028} more", "n": [1, null, -2.5, true], "nested": {"a": {"b": "c"}}})
}

/// Each event of the recorded cluster with what a renderer makes of it and its impact.
pub fn of_the_recording(renderer: &Renderer, mut look: impl FnMut(&Value, &Impact<'_>, &str)) {
    Replay::new().run(|line, correlator, index| {
        let impact = correlator.correlate(index, &about(&line.object));
        let text = render(renderer, &packed(&line.object), None, &impact).expect("an event");
        look(&line.object, &impact, &text);
    });
}
