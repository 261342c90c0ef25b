//! Does a leaf become what its expression says, of the type that it has?

use super::support;
use super::trying::{json, open, text, value};
use serde_json::{Value, json};
use support::event;

#[test]
fn one_expression_keeps_its_type() {
    let mut record = event("e", 7, 3);
    record["metadata"]["labels"] =
        json!({"app": "cart", "n": 1.5, "on": true, "none": null, "list": [1, "two", {"x": {}}]});
    let labels = record["metadata"]["labels"].clone();
    for (expression, expected) in [
        ("{{ count }}", json!(3)),
        ("{{count}}", json!(3)),
        ("{{- event.count -}}", json!(3)),
        ("{{ event.involvedObject.name }}", json!("cart-1")),
        ("{{ event.uid }}", json!("e")),
        ("{{ event }}", json!({"namespace": "shop", "name": "e.x", "uid": "e", "resource_version": "7"})),
        ("{{ record }}", record.clone()),
        ("{{ record.metadata.labels }}", labels.clone()),
        ("{{ (record.metadata.labels) }}", labels.clone()),
        ("{{ record['metadata'][\"labels\"].list[2].x }}", json!({})),
        ("{{ record.metadata.labels.list | last }}", json!({"x": {}})),
        ("{{ record.metadata.labels.n }}", json!(1.5)),
        ("{{ record.metadata.labels.on }}", json!(true)),
        ("{{ not record.metadata.labels.on }}", json!(false)),
        ("{{ record.metadata.labels.none }}", json!(null)),
        ("{{ record.nothing.at.all }}", json!(null)),
        ("{{ record.metadata.labels.list[9] }}", json!(null)),
        ("{{ object.pod_ip }}", json!(null)),
        ("{{ cluster }}", json!("prod-eu")),
        ("{{ count + 1 }}", json!(4)),
        ("{{ count / 2 }}", json!(1.5)),
        ("{{ 1e300 ** 2 }}", json!(null)),
        ("{{ -(1e300 ** 2) }}", json!(null)),
        (
            "{{ [count, reason, {'a': none, 'b': record.nothing}] }}",
            json!([3, "BackOff", {"a": null, "b": null}]),
        ),
        ("{{ {'Warning': 4, 'Normal': 6}[type] }}", json!(4)),
        ("{{ {'Error': 3}[type] | default(7) }}", json!(7)),
        ("{{ 'many' if count > 2 else 'few' }}", json!("many")),
        ("{{ services }}", json!([])),
        ("{{ kind == 'kubernetes.event' }}", json!(true)),
    ] {
        assert_eq!(value(expression, &record), expected, "{expression}");
    }
}

#[test]
fn everything_else_is_text() {
    let mut record = event("e", 7, 3);
    record["message"] = json!("a \"b\"\n\u{1}é\\");
    record["odd"] = json!([1, 2.5, null, true, "x"]);
    for (leaf, expected) in [
        ("{{ count }} times", "3 times"),
        (" {{ count }}", " 3"),
        ("{{ count }}\n", "3\n"),
        ("{{ count }}{{ record.odd }}", "3[1,2.5,null,true,\"x\"]"),
        ("{{ record.nothing }}|{{ object.uid }}|{{ record.eventTime }}|", "|p1||"),
        ("{{ message }}.", "a \"b\"\n\\u0001é\\."),
        ("{% if type == 'Warning' %}!{% elif count %}?{% else %}.{% endif %}", "!"),
        (
            "{% for one in record.odd if one %}{{ loop.index }}={{ one }};{% else %}none{% endfor %}",
            "1=1;2=2.5;3=true;4=x;",
        ),
        ("{% for one in record.nothing %}x{% else %}none{% endfor %}", "none"),
        (
            "{% for key, value in record.source | items %}{{ key }}:{{ value }} {% endfor %}",
            "component:kubelet host:node-a ",
        ),
        ("{% for key in ['reason', 'type'] %}{{ record[key] }} {% endfor %}", "BackOff Warning "),
        ("{# nothing #}{{ '{{' }} {{ \"}}\" }}", "{{ }}"),
        ("{{ reason ~ '/' ~ type }}!", "BackOff/Warning!"),
    ] {
        assert_eq!(value(leaf, &record), json!(expected), "{leaf}");
    }
}

#[test]
fn each_filter_does_what_its_page_says() {
    let mut record = event("e", 7, 3);
    record["labels"] = json!({"app.kubernetes.io/name": "cart", "app": "c", "tier": "web", "n": 1});
    record["metadata"]["creationTimestamp"] = json!("2026-11-21T00:28:49.5+01:00");
    for (expression, expected) in [
        ("{{ record.nothing | default('-') }}", json!("-")),
        ("{{ object.pod_ip | d('-') }}", json!("-")),
        ("{{ record.nothing | default }}", json!("")),
        ("{{ '' | default('-') }}", json!("")),
        ("{{ '' | default('-', true) }}", json!("-")),
        ("{{ reason | upper | lower | title }}", json!("Backoff")),
        ("{{ ' x ' | trim | capitalize }}", json!("X")),
        ("{{ [1, none, 'x', [2]] | join('+') }}", json!("1++x+[2]")),
        ("{{ record.labels | pick('t*, n') | join(',') }}", json!("n=1,tier=web")),
        ("{{ record.source | join('; ', ': ') }}", json!("component: kubelet; host: node-a")),
        ("{{ record.labels | pick('app*') }}", json!({"app.kubernetes.io/name": "cart", "app": "c"})),
        ("{{ record.labels | omit('app*') }}", json!({"tier": "web", "n": 1})),
        (
            "{{ record.labels | pick('app*') | rename('.', '_') }}",
            json!({"app_kubernetes_io/name": "cart", "app": "c"}),
        ),
        ("{{ record.nothing | pick('*') }}", json!(null)),
        ("{{ reason | replace('Off', 'On') }}", json!("BackOn")),
        ("{{ 'äbc' | truncate(3) }}", json!("äbc")),
        ("{{ 'äbcd' | truncate(3) }}", json!("äb…")),
        ("{{ 'äbcd' | truncate(3, '') }}", json!("äbc")),
        ("{{ record.labels.n | tojson }}", json!("1")),
        ("{{ record.source | tojson }}", json!("{\"component\":\"kubelet\",\"host\":\"node-a\"}")),
        ("{{ count | times(2) }}", json!(6)),
        ("{{ count | times(0.5) }}", json!(1.5)),
        ("{{ record.metadata.creationTimestamp | date }}", json!("2026-11-20T23:28:49.5Z")),
        ("{{ record.metadata.creationTimestamp | date('%d.%m.%Y %H:%M:%S') }}", json!("20.11.2026 23:28:49")),
        ("{{ 0 | date }}", json!("1970-01-01T00:00:00.000Z")),
        ("{{ record.metadata.creationTimestamp | unix }}", json!(1_795_217_329)),
        ("{{ record.metadata.creationTimestamp | unix('ms') }}", json!(1_795_217_329_500_u64)),
        ("{{ record.metadata.creationTimestamp | unix('us') }}", json!(1_795_217_329_500_000_u64)),
        ("{{ record.metadata.creationTimestamp | unix('ns') }}", json!(1_795_217_329_500_000_000_u64)),
        ("{{ reason | date }}", json!(null)),
        ("{{ reason | unix }}", json!(null)),
        ("{{ 'a,b' | split(',') }}", json!(["a", "b"])),
        ("{{ record.labels | length }}", json!(4)),
        ("{{ record.labels | list | sort | first }}", json!("app")),
        ("{{ [3, 1, 3] | unique | map('string') | reverse | list }}", json!(["1", "3"])),
        ("{{ [3, 1] | max + [3, 1] | min }}", json!(4)),
        ("{{ [1, 2, 3] | select('ge', 2) | list }}", json!([2, 3])),
        ("{{ [1, 2, 3] | reject('ge', 2) | list }}", json!([1])),
        ("{{ '12' | int + '1.5' | float | round | int }}", json!(14)),
        ("{{ count | string }}", json!("3")),
        ("{{ count | bool }}", json!(true)),
        ("{{ -3 | abs }}", json!(3)),
        ("{{ range(3) | list }}", json!([0, 1, 2])),
    ] {
        assert_eq!(value(expression, &record), expected, "{expression}");
    }
}

/// Both API groups are read by the names of core/v1; `record` has its own.
#[test]
fn an_event_has_the_names_of_core_in_both_api_groups() {
    let lines = |name: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(support::chunk::data_file(name)).expect("data");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let renderer = open(
        r#"{"a": ["{{ event.involvedObject }}", "{{ event.message }}", "{{ event.count }}", "{{ event.source }}",
             "{{ event.firstTimestamp }}", "{{ event.lastTimestamp }}", "{{ event.reportingComponent }}"],
            "b": ["{{ (event.involvedObject) }}", "{{ (event.message) }}", "{{ (event.count) }}", "{{ (event.source) }}",
             "{{ (event.firstTimestamp) }}", "{{ (event.lastTimestamp) }}", "{{ (event.reportingComponent) }}"]}"#,
        false,
    )
    .unwrap_or_else(|errors| panic!("{errors:?}"));
    let (core, newer) = (lines("events-core-v1.ndjson"), lines("events-events.k8s.io-v1.ndjson"));
    assert_eq!(core.len(), 491);
    for (core, newer) in core.iter().zip(&newer) {
        let (mut core, newer) = (json(&renderer, core), json(&renderer, newer));
        // Where core/v1 says nothing, it says so by another sort of nothing.
        for place in ["/a/2", "/b/2", "/a/6", "/b/6"] {
            if newer.pointer(place).is_some_and(Value::is_null) {
                let said = core.pointer_mut(place).expect("it is there").take();
                assert!(said.is_null() || said == 0 || said == "", "{said}");
            }
        }
        assert_eq!(core, newer);
        assert_eq!(core["a"], core["b"]);
        assert!(core["a"][0]["kind"].is_string() && core["a"][1].is_string());
    }
    assert_eq!(value("{{ record.involvedObject }}", &newer[0]), json!(null));
}

#[test]
fn what_has_no_value_is_left_out_where_it_is_asked_for() {
    let template = r#"{"none": "{{ record.nothing }}", "null": null, "computed": "{{ record.nothing.x | upper if false else none }}",
        "list": ["{{ record.nothing }}", 1], "text": "{{ record.nothing }}!", "map": {"a": "{{ object.pod_ip }}"}, "last": "{{ record.no }}"}"#;
    let of = |omit_null| {
        let renderer = open(template, omit_null).unwrap_or_else(|errors| panic!("{errors:?}"));
        text(&renderer, &event("e", 1, 1)).expect("a record")
    };
    assert_eq!(
        of(false),
        r#"{"none":null,"null":null,"computed":null,"list":[null,1],"text":"!","map":{"a":null},"last":null}"#
    );
    // A place in a list counts, and a null of the document's own was meant.
    assert_eq!(of(true), r#"{"null":null,"list":[null,1],"text":"!","map":{}}"#);
}

#[test]
fn a_document_may_be_any_json() {
    for (template, expected) in [
        ("\"{{ count }}\"", "1"),
        ("// a\n[1, \"{{ reason }}\" /* b */]", "[1,\"BackOff\"]"),
        ("{\"a\": {\"b\": [{\"c\": \"{{ id }}\"}, {}]}}", "{\"a\":{\"b\":[{\"c\":\"e.1\"},{}]}}"),
        ("17", "17"),
        ("\u{feff}{}", "{}"),
    ] {
        let renderer = open(template, false).unwrap_or_else(|errors| panic!("{errors:?}"));
        assert_eq!(text(&renderer, &event("e", 1, 1)).expect("a record"), expected, "{template}");
    }
}
