//! Any bytes as the body of a record of any kind: what it is taken for, what must not leave it, and what each format
//! makes of it.

use bumpalo::Bump;
use event_gateway::config::{
    BatchAs, FormatName, RenderSettings, Selection, ServiceSettings, TemplateSettings,
};
use event_gateway::correlate::{About, Correlation, Impact};
use event_gateway::format::{self, Renderer};
use event_gateway::kind::Kind;
use event_gateway::record::classify::{BodyClass, Within, each, read_as};
use event_gateway::record::content::Content;
use event_gateway::record::cursor::Cursor;
use event_gateway::record::identity::{versioned, write_id};
use event_gateway::record::raw::Raw;
use event_gateway::record::redact::{Action, Redactor};
use event_gateway::record::text::Repair;
use event_gateway::select;
use serde::de::IgnoredAny;

use super::event::cluster;
use super::{Body, Seen, data, distinct, elastic, strict};

/// Formats without a field that a record may lack.
const HOLD_EVERYTHING: [FormatName; 15] = [
    FormatName::Native,
    FormatName::CloudEvents,
    FormatName::CloudEventsBatch,
    FormatName::Raw,
    FormatName::Otlp,
    FormatName::OtlpJson,
    FormatName::Ecs,
    FormatName::Elasticsearch,
    FormatName::SplunkHec,
    FormatName::Datadog,
    FormatName::Loki,
    FormatName::Alertmanager,
    FormatName::PagerDuty,
    FormatName::Falco,
    FormatName::K8stream,
];

pub struct Record {
    renderers: Vec<(FormatName, Renderer)>,
    /// As by default, and with a rule of each sort.
    redactors: [Redactor; 2],
    selection: Selection,
    id: String,
    out: Vec<u8>,
    turn: usize,
    seen: Seen,
}

impl Body for Record {
    const NAME: &'static str = "record";

    const WORDS: &'static [&'static [u8]] = &[
        b"\xa7auditID",
        b"\xa5stage",
        b"\xa5level",
        b"\xa4verb",
        b"\xaarequestURI",
        b"\xa4user",
        b"\xb0impersonatedUser",
        b"\xa8username",
        b"\xa6groups",
        b"\xa5extra",
        b"\xa9sourceIPs",
        b"\xa9objectRef",
        b"\xa8resource\xa7secrets",
        b"\xabsubresource",
        b"\xaeresponseStatus",
        b"\xa4code",
        b"\xadrequestObject",
        b"\xaeresponseObject",
        b"\xb8requestReceivedTimestamp",
        b"\xabannotations",
        b"\xbcauthorization.k8s.io/decision",
        b"\xa9eventType\xb1violation_audited",
        b"\xaaevent_type\xa9violation",
        b"\xafconstraint_name",
        b"\xa7details",
        b"\xb2enforcementActions",
        b"\xa9timestamp",
        b"\xa2ts",
        b"\xa4kind\xa6Secret",
        b"\xa4kind\xaaSecretList",
        b"\xa4kind\xa9EventList",
        b"\xa5items",
        b"\xa4data",
        b"\xaastringData",
        b"\xa3log",
        b"\xa7message",
        b"\xa7MESSAGE",
        b"\xa7payload",
        b"\xa4body",
        b"\xadlog_processed",
        b"\xa4type\xa5ADDED\xa6object",
        b"\xa4verb\xa7UPDATED\xa5event",
        b"\xaaproperties\x81\xa3log",
        b"\xa7records\x91",
        b"\xa9logEvents\x91",
        b"2026-11-20T23:28:53Z stdout F ",
        b"{\"log\":\"{\\\"log\\\":",
        b"1e999",
        b"{\"auditID\":\"a\",\"verb\":\"b\"}\n{\"involvedObject\":{}}\n",
        b"[null,{\"log\":",
        b"\xef\xbb\xbf\x1b[0m",
        b"\"\\\"{\\\\\\\"log",
        b"\"a\",}\n",
        b"\xaeinvolvedObject",
        b"\xa8metadata",
        b"{\"auditID\":\"a\",\"stage\":\"b\"}",
        b"\"requestObject\":{",
        b"\\u0000\\ud800",
        b"{{ x }}{% for %}",
        &[0xca, 0x7f, 0x80, 0, 0],
        &[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
        &[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0xdf, 0, 0, 0, 1],
        &[0xdd, 0, 0, 0, 2],
        &[0xc0],
        b"\xa6\x1b[31m\x07",
        b"\xa4\xff\xfe\xc0\x80",
        // Keys that become the same text, and names that an index refuses.
        b"\x82\xa6team.a\x01\xa6team_a\x02",
        b"\x82\x01\x01\xa11\x02",
        b"\x82\xc0\x01\xa4null\x02",
        b"\x82\xa1\x1b\x01\xa6\\u001b\x02",
        b"\x82\xa1\xff\x01\xa1\xfe\x02",
        b"\x82\x90\x01\xa5[\xe2\x80\xa6]\x02",
        b"\x82\xa0\x01\xa1 \x02",
        b"\xa3_id",
        b"\xa3a.b",
    ];

    fn new() -> Self {
        // Made here, where nobody counts what it takes.
        let _ = cluster();
        let mut redactor = Redactor::new(40);
        for (field, action) in [
            ("object.name", Action::Hash),
            ("audit.user", Action::Hash),
            ("audit.annotations.authorization.*", Action::Remove),
            ("audit.source_ips", Action::Remove),
            ("violation.details", Action::Hash),
            ("event.name", Action::Remove),
            ("record.log", Action::Hash),
        ] {
            redactor.add(field, action).expect("a field");
        }
        Self {
            renderers: FormatName::WORDS.iter().map(|(_, format)| (*format, renderer(*format))).collect(),
            redactors: [Redactor::new(16_000), redactor],
            selection: Selection::default(),
            id: String::new(),
            out: Vec::new(),
            turn: 0,
            seen: Seen::default(),
        }
    }

    fn seeds() -> Vec<Vec<u8>> {
        let records = data::records();
        let twice = records.iter().step_by(11).map(data::packed_twice);
        records.iter().map(data::packed).chain(twice).collect()
    }

    fn check(&mut self, body: &[u8], closely: bool) {
        // As the chunk's reader measures it: one container is around it.
        let Ok(body) = Cursor::new(body).value_inside(1) else { return self.seen.note(false) };
        let arena = Bump::new();
        let mut found = Vec::new();
        each(body, Within::Record, &arena, &mut |body, content| {
            found.push(content.kind());
            self.found(body, content, closely);
        });
        self.seen.note(found.iter().any(|kind| *kind != Kind::Other));
    }

    fn seen(&self) -> Seen {
        self.seen
    }
}

impl Record {
    fn found(&mut self, body: &[u8], content: &Content<'_, '_>, closely: bool) {
        write_id(content, body, &mut self.id);
        assert!(!self.id.is_empty() && select::selects(&self.selection, content));
        assert_eq!(versioned(content, body).is_some(), content.kind() != Kind::Other);
        if closely {
            distinct::check(body, content);
        }
        self.turn += 1;
        let redactor = &self.redactors[self.turn / self.renderers.len() % 2];
        let redacted = redactor.redact(content, body);
        let Some(redacted) = redacted else {
            assert!(!shows_a_secret(Raw::new(body), false), "{:?}", content.kind());
            return self.rendered(body, content, closely);
        };
        assert_eq!(Cursor::new(&redacted).value().map(<[u8]>::len), Ok(redacted.len()), "one whole value");
        assert!(!shows_a_secret(Raw::new(&redacted), false), "{:?}", content.kind());
        let repair = Repair::default();
        let read = read_as(content.kind(), &redacted, &repair);
        let again = match &read {
            Some(BodyClass::Event(event)) => Content::Event(event),
            Some(BodyClass::Audit(audit)) => Content::Audit(audit),
            Some(BodyClass::Violation(violation)) => Content::Violation(violation),
            _ => Content::Other,
        };
        assert_eq!(again.kind(), content.kind(), "it is itself still");
        self.rendered(&redacted, &again, closely);
    }

    fn rendered(&mut self, body: &[u8], content: &Content<'_, '_>, closely: bool) {
        let (index, correlator) = cluster();
        let impact = if closely {
            correlator.correlate(index, &About::from(*content))
        } else {
            Impact::without(Correlation::Off)
        };
        let record = format::Record::new(&self.id, *content, &impact, body);
        let turn = self.turn;
        let chosen = |place: usize| closely || place == turn % FormatName::WORDS.len();
        for (_, (format, renderer)) in self.renderers.iter().enumerate().filter(|(place, _)| chosen(*place)) {
            self.out.clear();
            match renderer.render(&record, &mut self.out) {
                Ok(_) => {
                    assert_well_formed(*format, &self.out, body.len());
                    assert_each_key_once(*format, content.kind(), &self.out);
                    if let FormatName::Ecs | FormatName::Elasticsearch = format {
                        assert_taken_by_elasticsearch(&self.out, true);
                    }
                }
                Err(why) => {
                    assert!(
                        !HOLD_EVERYTHING.contains(format) && !why.to_string().is_empty(),
                        "{format:?}: {why}"
                    );
                    assert!(self.out.is_empty(), "nothing of it stays");
                }
            }
        }
    }
}

/// Whether what a Secret holds stands in a document, in the plainest way to look for it.
fn shows_a_secret(value: Raw<'_>, in_one: bool) -> bool {
    let is_one = || {
        let kind = value.pairs().filter(|(key, _)| key == "kind").last().and_then(|(_, kind)| kind.as_text());
        kind.is_some_and(|kind| kind == "Secret" || kind == "SecretList")
    };
    let in_one = in_one || is_one();
    value.items().any(|item| shows_a_secret(item, in_one))
        || value.pairs().any(|(key, inside)| {
            let holds = in_one && (key == "data" || key == "stringData");
            let is_shown = inside.as_text().is_none_or(|text| text != "[redacted]");
            (holds && is_shown && !inside.is_null()) || shows_a_secret(inside, in_one)
        })
}

fn assert_well_formed(format: FormatName, out: &[u8], body_bytes: usize) {
    // A byte is seven at the most where a document stands in a text of another, and stands in several places.
    assert!(out.len() < 64 * body_bytes + 40_000, "{format:?}: {} bytes of {body_bytes}", out.len());
    if format == FormatName::Otlp {
        return;
    }
    let text = str::from_utf8(out).expect("UTF-8");
    let lines: Vec<_> = text.split('\n').collect();
    assert_eq!(lines.len(), if format == FormatName::Elasticsearch { 2 } else { 1 }, "{format:?}: {text}");
    for line in lines {
        assert!(line.bytes().all(|byte| byte >= b' '), "{format:?}: a control character");
        if let Err(error) = serde_json::from_str::<IgnoredAny>(line) {
            panic!("{format:?}: {error}: {line}");
        }
    }
}

fn assert_each_key_once(format: FormatName, kind: Kind, out: &[u8]) {
    if format == FormatName::Otlp {
        assert_eq!(strict::repeated_attribute(out), None, "{format:?}");
        return;
    }
    for line in str::from_utf8(out).expect("UTF-8").split('\n') {
        let document = strict::Tree::read(line).unwrap_or_else(|why| panic!("{format:?}: {why}: {line}"));
        let json_in_a_text = match format {
            FormatName::Loki => document.at(&["values", "0", "1"]),
            FormatName::OtlpJson if kind == Kind::Other => {
                document.at(&["scopeLogs", "0", "logRecords", "0", "body", "stringValue"])
            }
            _ => None,
        };
        if let Some(strict::Tree::Text(json)) = json_in_a_text {
            assert_eq!(strict::repeated_key(json), None, "{format:?}: {json}");
        }
    }
}

fn assert_taken_by_elasticsearch(out: &[u8], tells_time: bool) {
    let text = str::from_utf8(out).expect("UTF-8");
    let (action, document) =
        text.split_once('\n').map_or((None, text), |(action, rest)| (Some(action), rest));
    assert_eq!(action.and_then(elastic::action_fault), None, "{text}");
    assert_eq!(elastic::fault(document, tells_time), None, "{document}");
}

/// As the settings make it by default, the template that of this repository.
pub(super) fn renderer(format: FormatName) -> Renderer {
    let template = TemplateSettings {
        file: "template.json".to_owned(),
        text: include_str!("../../fluent-bit-conf/template.json").to_owned(),
        content_type: "application/x-ndjson".to_owned(),
        batch_as: BatchAs::Ndjson,
        omit_null: false,
    };
    let template = (format == FormatName::Template).then_some(template);
    let cluster_name = "a \"cluster\"".to_owned();
    let services = ServiceSettings::default();
    // Bodies are written as long as they are asked for.
    let settings = RenderSettings { format, cluster_name, audit_bodies: true, template, services };
    Renderer::open(&settings, None).expect("a format")
}
