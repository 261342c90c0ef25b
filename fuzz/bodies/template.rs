//! Any text as a template: refused with a place and a reason, or else what it makes of a record is JSON.

use bumpalo::Bump;
use event_gateway::config::{BatchAs, FormatName, RenderSettings, ServiceSettings, TemplateSettings};
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::format::{Record, Renderer};
use event_gateway::record::classify::{Within, each};
use event_gateway::record::identity::write_id;

use super::{Body, Seen, data, strict};

pub struct Template {
    /// Samples of every kind, as `MessagePack`.
    records: Vec<Vec<u8>>,
    seen: Seen,
}

/// What docs/templates.md has of each thing that a leaf may hold.
const LEAVES: [&str; 28] = [
    "{{ id }}",
    "{{ services[0].name }}",
    "{{ message | truncate(500) }}",
    "{{ object.kind }} {{ object.namespace | default('-') }}/{{ object.name }}: {{ reason }}",
    "{% if count > 3 %}often{% elif count %}once{% else %}never{% endif %}",
    "{% for key, value in object.labels | items %}{{ key }}: {{ value }}; {% endfor %}",
    "{% for one in services %}{{ loop.index }} {{ one.name }}{% else %}none{% endfor %}",
    "{{ services | map(attribute='name') | join(', ') }}",
    "{{ object.labels | pick('app.kubernetes.io/*') | rename('.', '_') }}",
    "{{ object.labels | omit('*') | join(', ', '=') }}",
    "{{ time | unix('ms') }}",
    "{{ first_time | date('%d.%m.%Y %H:%M:%S') }}",
    "{{ {'info': 6, 'warning': 4}[severity] }}",
    "{{ record.n | times(2) if kind == 'other' }}",
    "{{ message | upper | lower | title | capitalize | trim | replace('a', 'b') | split(' ') }}",
    "{{ [1, 2.5, -3] | sort | reverse | unique | first }}",
    "{{ [count, 2] | max + [count, 2] | min - 7 // 2 % 3 ** 2 }}",
    "{{ record | tojson | length }}",
    "{{ event.involvedObject.name ~ event.count }}",
    "{{ audit.user.groups | select('startingwith', 'system:') | list }}",
    "{{ violation.details is mapping and not violation is undefined }}",
    "{{ '1' | int + '2.5' | float | round | abs }}",
    "{{ audit.annotations | items | selectattr('0', 'eq', 'a') | list }}",
    "plain {{ '{{' }} text {# nothing #}",
    "{{ {1: count, '1': kind, none: 1, '': 2} }}",
    "{{ record }}",
    "{{ [record | items, record | omit('a') | rename('e', 'a'), record | count] }}",
    // Refused, as no sample has a number there.
    "{{ kind | round(400) }}",
];

impl Body for Template {
    const NAME: &'static str = "template";
    /// The engine's compiler keeps two pools of at most 64 buffers (`minijinja`, `compiler/codegen.rs`).
    const KEPT_BYTES: i64 = 2 * 64 * 64 * 48;

    const WORDS: &'static [&'static [u8]] = &[
        b"{{ ",
        b" }}",
        b"{% ",
        b" %}",
        b"{%- for a in record %}",
        b"{% endfor %}",
        b"{% if ",
        b"{% endif %}",
        b"{% set x = 1 %}",
        b"{% macro m() %}",
        b"{# ",
        b" | ",
        b" | default('-')",
        b" | tojson",
        b" | join(', ')",
        b" | map('upper')",
        b" | date('%Y')",
        b" | date('%%%Q')",
        b" | unix('ns')",
        b" | truncate(99999999999999999999)",
        b" | replace('', 'xx')",
        b" | times(9223372036854775807)",
        b" | split('')",
        b" | int",
        b" | float",
        b" | round(400)",
        b" ** 99",
        b" * ",
        b" // 0",
        b" % 0",
        b"range(9)",
        b"loop.index",
        b"record",
        b"event.",
        b"services[0]",
        b"[-1]",
        b"[::2]",
        b"\"a\": ",
        b", \"b\": \"{{ count }}\"",
        b"// comment\n",
        b"/* ",
        b"\\u0000",
        b"\\ud83e\\udd80",
        b"\xc3\xa4",
        b"\xff",
    ];

    fn new() -> Self {
        let all = data::records();
        let twice = all.iter().step_by(31).map(data::packed_twice);
        let records = all.iter().step_by(9).map(data::packed).chain(twice).collect();
        Self { records, seen: Seen::default() }
    }

    fn seeds() -> Vec<Vec<u8>> {
        let leaves = LEAVES.map(|leaf| serde_json::json!({"a": leaf, "b": ["{{ kind }}", 1]}).to_string());
        let sample = include_bytes!("../../fluent-bit-conf/template.json").to_vec();
        leaves.into_iter().map(String::into_bytes).chain([sample]).collect()
    }

    fn check(&mut self, text: &[u8], closely: bool) {
        let template = TemplateSettings {
            file: "file.json".to_owned(),
            text: String::from_utf8_lossy(text).into_owned(),
            content_type: "application/x-ndjson".to_owned(),
            batch_as: BatchAs::Ndjson,
            omit_null: closely,
        };
        let settings = RenderSettings {
            format: FormatName::Template,
            cluster_name: "prod".to_owned(),
            audit_bodies: false,
            template: Some(template),
            services: ServiceSettings::default(),
        };
        let opened = Renderer::open(&settings, None);
        self.seen.note(opened.is_ok());
        self.together(&settings);
        match opened {
            Ok(renderer) => self.rendered(&renderer, closely),
            Err(errors) => {
                assert!(!errors.is_empty());
                for error in errors {
                    assert!(error.problem.contains("file.json"), "{error}");
                    assert!(error.problem.len() < 2_000, "{} bytes", error.problem.len());
                }
            }
        }
    }

    fn seen(&self) -> Seen {
        self.seen
    }
}

impl Template {
    /// A leaf says the same whether it stands alone or is rendered with others.
    fn together(&self, settings: &RenderSettings) {
        let template = settings.template.as_ref().expect("it is set");
        let Ok(document) = serde_json::from_str::<serde_json::Value>(&template.text) else { return };
        let Some(leaf) = document["a"].as_str() else { return };
        let open = |document: serde_json::Value| {
            let template = TemplateSettings { text: document.to_string(), ..template.clone() };
            Renderer::open(&RenderSettings { template: Some(template), ..settings.clone() }, None)
        };
        let alone = open(serde_json::json!({ "a": leaf }));
        let with_others =
            open(serde_json::json!({"a": leaf, "b": "{{ (id) }}", "c": "{{ [count, kind] }}", "d": leaf}));
        assert_eq!(alone.is_ok(), with_others.is_ok(), "{leaf}");
        let (Ok(alone), Ok(with_others)) = (alone, with_others) else { return };
        for body in &self.records {
            assert_eq!(a_of(&alone, body), a_of(&with_others, body), "{leaf}");
        }
    }

    fn rendered(&self, renderer: &Renderer, closely: bool) {
        let impact = Impact::without(Correlation::Off);
        let (mut id, mut out) = (String::new(), Vec::new());
        let count = if closely { self.records.len() } else { 1 };
        for body in self.records.iter().take(count) {
            let arena = Bump::new();
            each(body, Within::Record, &arena, &mut |body, content| {
                write_id(content, body, &mut id);
                let record = Record::new(&id, *content, &impact, body);
                out.clear();
                if renderer.render(&record, &mut out).is_err() {
                    return assert!(out.is_empty(), "nothing of it stays");
                }
                assert!(out.len() <= 1 << 20, "{} bytes", out.len());
                assert!(out.iter().all(|byte| *byte >= b' '), "one line");
                let text = str::from_utf8(&out).expect("UTF-8");
                if let Err(why) = strict::Tree::read(text) {
                    panic!("{why}: {text}");
                }
            });
        }
    }
}

/// What the leaf `a` becomes, record by record, as far as it is rendered.
fn a_of(renderer: &Renderer, body: &[u8]) -> Vec<serde_json::Value> {
    let impact = Impact::without(Correlation::Off);
    let (mut id, mut found) = (String::new(), Vec::new());
    each(body, Within::Record, &Bump::new(), &mut |body, content| {
        write_id(content, body, &mut id);
        let record = Record::new(&id, *content, &impact, body);
        let mut out = Vec::new();
        if renderer.render(&record, &mut out).is_ok() {
            let document: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
            found.push(document["a"].clone());
        }
    });
    found
}
