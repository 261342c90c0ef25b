//! Does `cargo run --example render` do what the plugin does with every setting, or refuse it?

use event_gateway::config::keys::KEYS;
use serde_json::{Value, json};

use super::ask::{HEEDED, why_not};
use super::render_example::{bodies, shown};
use super::support::{self, event, violations};

const TEMPLATE_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/template-with-null.json");
const TEMPLATE: &[&str] = &["--format", "template", "--template-file", TEMPLATE_FILE];

/// What a setting does: of the same records, this is shown without it alone, and that with it alone.
struct Effect {
    key: &'static str,
    /// Other settings of both.
    beside: &'static [&'static str],
    value: &'static str,
    records: Vec<Value>,
    without: &'static str,
    with: &'static str,
}

fn effects() -> Vec<Effect> {
    let effect = |key, beside, value, records: &[Value], without, with| {
        let records = records.to_vec();
        Effect { key, beside, value, records, without, with }
    };
    let mut other = event("u2", 1, 1);
    other["involvedObject"]["namespace"] = json!("kube-system");
    other["metadata"]["namespace"] = json!("kube-system");
    other["type"] = json!("Normal");
    other["reason"] = json!("Pulled");
    let two = [event("u1", 1, 2), other];
    let mut long = event("u1", 1, 1);
    long["message"] = json!(format!("{} THE END", "m".repeat(150)));
    let again = [event("u1", 1, 1), event("u2", 1, 1), event("u3", 1, 1), event("u1", 1, 1)];
    let updates = [event("u1", 1, 4), event("u1", 2, 5)];
    let log = support::audit_log();
    let audit =
        |wanted: &dyn Fn(&Value) -> bool| log.iter().find(|record| wanted(record)).expect("one").clone();
    let bodied = audit(&|record| record["requestObject"].is_object() && record["level"] == "RequestResponse");
    let audits =
        [bodied.clone(), audit(&|record| record["verb"] != bodied["verb"] && record["level"] == "Metadata")];
    let name = bodied["user"]["username"].as_str().expect("a name").to_owned().leak() as &str;
    let verb = bodied["verb"].as_str().expect("a verb").to_owned().leak() as &str;
    let resource = bodied["objectRef"]["resource"].as_str().expect("a resource").to_owned().leak() as &str;
    let violations = violations();
    let text = [json!({"log": "no event"})];
    let splunk: &[&str] = &["--format", "splunk_hec"];
    let of_bodied: &'static [&'static str] = vec!["--verbs", verb, "--resources", resource].leak();
    vec![
        effect("format", &[], "raw", &two, "\"new_occurrences\"", "\"involvedObject\""),
        effect("elasticsearch_index", &["--format", "elasticsearch"], "my-index", &two, "", "my-index"),
        effect("template_file", &["--format", "template"], TEMPLATE_FILE, &two, "", "\"absent\":null"),
        effect("batch_as", TEMPLATE, "json_array", &two, "", "},{"),
        effect("omit_null", TEMPLATE, "on", &two, "\"absent\":null", ""),
        effect("cluster_name", &[], "prod-eu", &two, "", "prod-eu"),
        effect("batch_events", &["--format", "cloudevents_batch"], "1", &two, "},{", "}]\n["),
        effect("batch_bytes", &["--format", "cloudevents_batch"], "1000", &two, "},{", "}]\n["),
        effect("splunk_index", splunk, "my-index", &two, "", "my-index"),
        effect("splunk_source", splunk, "my-source", &two, "", "my-source"),
        effect("splunk_sourcetype", splunk, "my-type", &two, "", "my-type"),
        effect("alertmanager_expires_after", &["--format", "alertmanager"], "5m", &two, "", "endsAt"),
        effect("ledger_max_entries", &["--batch-events", "1"], "1", &again, "", "u1.1 u2.1 u3.1 u1.1"),
        effect("updates", &[], "first", &updates, "\"new_occurrences\":1,", ""),
        effect("kinds", &[], "kubernetes.audit", &[two[0].clone(), audits[0].clone()], "u1.1", ""),
        effect("other", &[], "drop", &text, "no event", ""),
        effect("namespaces", &[], "kube-*", &two, "u1.1", ""),
        effect("exclude_namespaces", &[], "kube-*", &two, "u2.1", ""),
        effect("types", &[], "Normal", &two, "u1.1", ""),
        effect("reasons", &[], "Pull*", &two, "u1.1", ""),
        effect("exclude_reasons", &[], "Pull*", &two, "u2.1", ""),
        effect("verbs", &[], "nothing", &audits, "kubernetes.audit", ""),
        effect("levels", &[], "Metadata", &audits, "RequestResponse", ""),
        effect("users", &[], "nobody", &audits, "kubernetes.audit", ""),
        effect("exclude_users", &[], name, &audits[..1], "kubernetes.audit", ""),
        effect("resources", &[], "nothing", &audits, "kubernetes.audit", ""),
        effect("enforcement_actions", &[], "nothing", &violations, "gatekeeper.violation", ""),
        effect("audit_bodies", of_bodied, "on", &audits, "", "\"request_object\":{"),
        effect("redact", &[], "message", &two, "happened 2 times", ""),
        effect("redact_hash", &[], "audit.user.name", &audits, name, "sha256:"),
        effect("max_message_bytes", &[], "100", &[long], "THE END", ""),
    ]
}

/// The ids of native records, in order, and all that is shown.
fn all(words: &[&str], records: &[Value]) -> String {
    let input: String = records.iter().map(|record| format!("{record}\n")).collect();
    let shown = bodies(words, &input);
    let ids: Vec<String> = shown
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["id"].as_str().map(str::to_owned))
        .collect();
    format!("{}\n{shown}", ids.join(" "))
}

#[test]
fn each_key_takes_effect_or_is_refused() {
    let effects = effects();
    for key in KEYS {
        let word = format!("--{}", key.name.replace('_', "-"));
        let of_key = effects.iter().find(|effect| effect.key == key.name);
        assert_eq!(of_key.is_some(), HEEDED.contains(&key.name), "{}", key.name);
        let Some(Effect { beside, value, records, without, with, .. }) = of_key else {
            let why = shown(&[&word, "on"], "{}").map(|_| ()).expect_err(key.name);
            let reason = why_not(key.name);
            assert_eq!(why, format!("{word}: is of no effect here; {reason}; leave it out"));
            continue;
        };
        let changed = all(&[beside, &[&*word, value][..]].concat(), records);
        assert!(with.is_empty() || changed.contains(with), "{}: no {with} in {changed}", key.name);
        assert!(without.is_empty() || !changed.contains(without), "{}: {without} in {changed}", key.name);
        // A format template needs its file.
        if key.name != "template_file" {
            let usual = all(beside, records);
            assert!(usual.contains(without), "{}: no {without} in {usual}", key.name);
            assert!(with.is_empty() || !usual.contains(with), "{}: {with} in {usual}", key.name);
        }
    }
    assert_eq!(effects.len(), HEEDED.len());
    assert!(HEEDED.iter().all(|heeded| KEYS.iter().any(|key| key.name == *heeded)));
}

#[test]
fn what_a_secret_holds_is_shown_in_no_format() {
    let secret =
        json!({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s"}, "data": {"k": "UzNDUjNU"}});
    let records = [
        json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a", "stage": "ResponseComplete",
               "level": "RequestResponse", "verb": "create", "requestURI": "/api/v1/namespaces/n/secrets",
               "user": {"username": "u"}, "objectRef": {"resource": "secrets", "namespace": "n", "apiVersion": "v1"},
               "requestObject": secret, "responseObject": secret, "requestReceivedTimestamp": "2026-11-20T23:28:49.000001Z",
               "stageTimestamp": "2026-11-20T23:28:49.000002Z"}),
        json!({"any": secret}),
    ];
    let input: String = records.iter().map(|record| format!("{record}\n")).collect();
    for format in [
        "native",
        "raw",
        "cloudevents_batch",
        "ecs",
        "otlp_json",
        "loki",
        "splunk_hec",
        "datadog",
        "k8stream",
    ] {
        let shown = shown(&["--format", format, "--audit-bodies", "on"], &input)
            .unwrap_or_else(|why| panic!("{why}"));
        let all = format!("{}{:?}{:?}", String::from_utf8_lossy(&shown.text), shown.trouble, shown.notes);
        assert!(!all.contains("UzNDUjNU"), "{format}: {all}");
    }
}

/// A kind of record that is dead-lettered is shown as that, and what is left out is counted.
#[test]
fn what_is_not_shown_is_said() {
    let input = format!("{0}{0}{1}", event("u1", 1, 1), json!({"log": "text"}));
    let shown = shown(&["--other", "dead_letter", "--max-message-bytes", "1K"], &input)
        .unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(shown.text.iter().filter(|byte| **byte == b'\n').count(), 1);
    assert_eq!(shown.trouble.len(), 1);
    assert!(
        shown.trouble[0].ends_with(": of no kind that is known (other is dead_letter)"),
        "{:?}",
        shown.trouble
    );
    assert_eq!(shown.notes, ["of 3 records are not shown: repetitions 1"]);
}
