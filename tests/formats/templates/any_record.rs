//! Is what is rendered always JSON, whatever the record, and the same with and without the engine? `ORACLE_CASES` says
//! how many records, `ORACLE_SEED` which.

use event_gateway::correlate::{Correlation, Impact};
use serde_json::Value;

use super::dice::Dice;
use super::trying::{open, render_packed, render_with};
use super::{odd_values, packing, support};
use support::chunk;

const KEYS: &[&str] = &[
    "involvedObject",
    "regarding",
    "metadata",
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "message",
    "note",
    "reason",
    "type",
    "count",
    "source",
    "component",
    "host",
    "auditID",
    "stage",
    "user",
    "username",
    "groups",
    "objectRef",
    "verb",
    "annotations",
    "eventType",
    "id",
    "details",
    "labels",
    "kind",
    "log",
    "",
];

/// Bodies that are next to nothing, and some that are of a kind.
fn body(dice: &mut Dice) -> rmpv::Value {
    let mut body = odd_values::map(dice, KEYS, 3);
    if let rmpv::Value::Map(pairs) = &mut body {
        let mut set = |key: &str, value: rmpv::Value| pairs.push((key.into(), value));
        match dice.below(5) {
            0 => set("involvedObject", odd_values::map(dice, KEYS, 2)),
            1 => set("regarding", odd_values::map(dice, KEYS, 2)),
            2 => {
                set("auditID", odd_values::text(dice, 9).into());
                set("stage", "Panic".into());
                set("annotations", odd_values::map(dice, KEYS, 2));
            }
            3 => {
                set("eventType", "violation_audited".into());
                set("name", odd_values::text(dice, 9).into());
                set("details", odd_values::map(dice, KEYS, 3));
            }
            _ => {}
        }
    }
    body
}

const PATHS: &[&str] = &[
    "id",
    "kind",
    "time",
    "reason",
    "message",
    "count",
    "type",
    "object",
    "object.name",
    "object.labels",
    "object['namespace']",
    "services[0]",
    "source.component",
    "event",
    "event.uid",
    "event.count",
    "event.message",
    "event.involvedObject",
    "event.involvedObject.name",
    "event.source.host",
    "event.reportingComponent",
    "event[0]",
    "event['']",
    "record",
    "record.metadata",
    "record.metadata.name",
    "record['metadata']['labels']",
    "record.log",
    "record.user.groups[1]",
    "record.user.groups",
    "audit",
    "audit.annotations",
    "audit.user.extra.name",
    "violation.details.labels",
    "violation",
    "record.groups[0].name",
    "record.annotations.name.uid",
    "record.labels[2][0]",
    "record.count.x",
];

/// A path in brackets is no plain path.
#[test]
fn a_path_leads_to_the_same_with_and_without_the_engine() {
    let leaves: Vec<String> = PATHS
        .iter()
        .flat_map(|path| {
            [
                format!("[\"{{{{ {path} }}}}\", \"{{{{ ({path}) }}}}\"]"),
                format!("[\"{{{{ {path} | default('ä\\\"') }}}}\", \"{{{{ ({path}) | default('ä\\\"') }}}}\"]"),
                format!("[\"a\\n{{{{ {path} }}}}{{{{ {path} | d('-') }}}}\", \"a\\n{{{{ ({path}) }}}}{{{{ ({path}) | d('-') }}}}\"]"),
            ]
        })
        .collect();
    let renderer =
        open(&format!("[{}]", leaves.join(",")), false).unwrap_or_else(|found| panic!("{found:?}"));
    let (mut some, mut of_nothing) = (0, 0);
    for (number, mut dice) in odd_values::numbers(2_000) {
        let framed = packing::framed(&body(&mut dice), 0, dice.one_in(4));
        let body = &framed[13..];
        for text in render_packed(&renderer, body) {
            let text = text.unwrap_or_else(|why| panic!("record {number}: {why}"));
            let pairs: Vec<(Value, Value)> = serde_json::from_slice(&text).unwrap_or_else(|error| {
                panic!("record {number}: {error}: {}", String::from_utf8_lossy(&text))
            });
            for (leaf, (plain, engine)) in leaves.iter().zip(pairs) {
                assert_eq!(plain, engine, "record {number}, {leaf}");
                *(if plain.is_null() { &mut of_nothing } else { &mut some }) += 1;
            }
        }
    }
    assert!(some > of_nothing / 10 && of_nothing > 0, "{some} values and {of_nothing} times nothing");
}

const TEMPLATES: &[&str] = &[
    r#"{"all": "{{ record }}", "event": "{{ event }}", "native": ["{{ object }}", "{{ audit }}", "{{ violation }}", "{{ source }}"]}"#,
    r#"{"a": "{{ record | tojson }}", "b": "{{ record | items | list }}", "c": "{{ [record, event, none] }}",
        "d": "{{ record }}|{{ message }}|{{ (record.count) }}", "e": "{{ record.metadata | string | upper }}"}"#,
    r#"{"keys": "{% for key, value in record | items %}{{ loop.index }}: {{ key }}={{ value }}, {% else %}none{% endfor %}",
        "map": "{{ record | pick('*') }}", "without": "{{ record | omit('m*') | rename('a', '_') }}", "n": "{{ record | length }}"}"#,
    r#"{"date": "{{ record.count | date }}", "of": "{{ time | date('%s') }}", "unix": "{{ record.uid | unix('ns') }}",
        "cut": "{{ message | truncate(3) }}", "replaced": "{{ record.note | replace('a', '\"') }}", "if": "{{ 1 if record.count else record.type }}",
        "joined": "{{ record.groups | list | join('\n') if record.groups is sequence }}"}"#,
];

#[test]
fn every_record_becomes_one_line_of_json() {
    for template in TEMPLATES {
        for omit_null in [false, true] {
            let renderer = open(template, omit_null).unwrap_or_else(|found| panic!("{template}: {found:?}"));
            let mut rendered = 0;
            for (number, mut dice) in odd_values::numbers(1_500) {
                let body = packing::framed(&body(&mut dice), 0, dice.one_in(4));
                for text in render_packed(&renderer, &body[13..]) {
                    // Odd types may be more than a filter takes.
                    let Ok(text) = text else { continue };
                    rendered += 1;
                    assert_line(&text, &format!("record {number} by {template}"));
                }
            }
            assert!(rendered > 1_000, "{rendered} by {template}");
        }
    }
}

fn assert_line(text: &[u8], of: &str) {
    let shown = String::from_utf8_lossy(text);
    assert!(text.iter().all(|byte| *byte >= b' '), "{of}: {shown:?}");
    let value: Result<Value, _> = serde_json::from_slice(text);
    assert!(value.is_ok(), "{of}: {value:?}: {shown}");
}

#[test]
fn real_records_of_every_kind_become_one_line_of_json() {
    let mut all = support::audit_log();
    all.extend(chunk::watch_events());
    for template in TEMPLATES {
        let renderer = open(template, false).unwrap_or_else(|found| panic!("{template}: {found:?}"));
        for record in &all {
            let mut body = Vec::new();
            chunk::write_value(&mut body, record);
            for text in render_with(&renderer, &body, &Impact::without(Correlation::NotReady)) {
                assert_line(&text.unwrap_or_else(|why| panic!("{why}: {record}")), template);
            }
        }
    }
}
