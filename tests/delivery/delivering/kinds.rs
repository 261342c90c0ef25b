//! Is each record taken for what it is, and delivered once with all that it says?
//!
//! `UPDATE_GOLDEN=1 cargo test --test delivery delivering::kinds` writes tests/golden anew; read the difference first.

use std::fs;

use super::{golden, support};
use golden::assert_golden;
use serde_json::{Value, json};
use support::gateway::TestGateway;
use support::host::{Build, Code, MiniHost};
use support::{chunk, event, value, violations};

fn started(gateway: &TestGateway, settings: &[(&str, &str)]) -> MiniHost {
    support::started(Build::V5_1_1, gateway, settings)
}

/// What a chunk becomes.
fn delivered(settings: &[(&str, &str)], chunk: &[u8]) -> Vec<Value> {
    let gateway = TestGateway::start();
    let mut host = started(&gateway, settings);
    assert_eq!(host.deliver("a", "t", chunk), Code::Ok);
    host.quit();
    gateway.accepted_records()
}

fn webhook_body() -> Value {
    serde_json::from_slice(&fs::read(chunk::data_file("audit-webhook-body.json")).expect("data"))
        .expect("JSON")
}

fn audit_ids(records: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    records.iter().map(|one| format!("{}.{}", text(&one["auditID"]), text(&one["stage"]))).collect()
}

/// Ids of audit records without the hash at their end.
fn without_hash(ids: &[String]) -> Vec<&str> {
    ids.iter().map(|id| id.rsplit_once('.').expect("three parts").0).collect()
}

#[test]
fn each_item_of_the_audit_webhooks_body_arrives_once() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway, &[]);
    let body = webhook_body();
    let expected = audit_ids(body["items"].as_array().expect("a list"));
    assert_eq!(expected.len(), 77);
    for _ in 0..2 {
        assert_eq!(host.deliver("a", "t", &chunk::v2(&body, 1)), Code::Ok);
        assert_eq!(without_hash(&gateway.accepted_ids()), expected);
    }
    // As in_http of a real host packed another one.
    let packed = fs::read(chunk::data_file("chunk-audit-in-http.msgpack")).expect("data");
    assert_eq!(host.deliver("a", "t", &packed), Code::Ok);
    assert_eq!(gateway.accepted_ids().len(), 77 + 13);
    let metrics = host.metrics_when(|metrics| value(metrics, "records_total") > 166.0);
    assert_eq!(value(&metrics, "duplicate_records_total"), 77.0);
    host.quit();
}

#[test]
fn the_lines_of_the_audit_log_say_all_but_their_bodies() {
    let lines = support::audit_log();
    let records = delivered(&[("cluster_name", "prod-eu")], &chunk::of(&lines));
    let ids: Vec<_> = records.iter().map(|record| record["id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(without_hash(&ids), audit_ids(&lines));
    assert_eq!(ids.len(), 487);
    assert!(records.iter().all(|record| record["audit"].get("request_object").is_none()));
    assert_golden("audit.ndjson", &records);
    for record in &records {
        golden::assert_native(record);
    }
}

fn without_applied(value: &mut Value) {
    match value {
        Value::Object(members) => members.iter_mut().for_each(|(key, value)| {
            if key == "kubectl.kubernetes.io/last-applied-configuration" {
                *value = json!("[redacted]");
            }
            without_applied(value);
        }),
        Value::Array(items) => items.iter_mut().for_each(without_applied),
        _ => {}
    }
}

#[test]
fn bodies_are_delivered_only_where_they_are_asked_for() {
    let lines = support::audit_log();
    let with_body = |line: &&Value| line.get("requestObject").is_some();
    let chunk = chunk::of(lines.iter().filter(with_body));
    let records = delivered(&[("audit_bodies", "on")], &chunk);
    assert_eq!(records.len(), 270);
    for (record, line) in records.iter().zip(lines.iter().filter(with_body)) {
        for (key, came) in [("request_object", "requestObject"), ("response_object", "responseObject")] {
            let mut came = line[came].clone();
            // The one part of these bodies that stays behind.
            without_applied(&mut came);
            assert_eq!(record["audit"][key], came);
        }
        golden::assert_native(record);
    }
}

#[test]
fn a_violation_is_the_same_in_every_run_and_each_run_tells_it_once() {
    let records = delivered(&[("cluster_name", "prod-eu")], &chunk::of(&violations()));
    assert_golden("violations.ndjson", &records);
    records.iter().for_each(golden::assert_native);

    let [one, ..] = &violations()[..] else { unreachable!("four") };
    let mut of_another_container = one.clone();
    of_another_container["message"] = json!("another thing is wrong");
    let mut next_run = one.clone();
    next_run["id"] = json!("2026-11-20T23:41:00Z");
    let chunk = chunk::of([one, &of_another_container, one, &next_run, &next_run]);
    for (updates, expected) in [("every", 3), ("first", 2)] {
        let records = delivered(&[("updates", updates)], &chunk);
        assert_eq!(records.len(), expected, "updates {updates}");
        assert!(records.iter().all(|record| record["new_occurrences"] == 1), "{records:?}");
    }
}

/// A client may choose the `Audit-ID` of its request. Dropping repetitions by the id loses none for that.
#[test]
fn nobody_hides_a_request_behind_anothers_id() {
    let one = support::audit_log().swap_remove(0);
    let mut other = one.clone();
    other["requestURI"] = json!("/api/v1/namespaces/shop/secrets/db");
    other["requestReceivedTimestamp"] = json!("2026-11-20T23:28:37.926488Z");
    let records = delivered(&[], &chunk::of([&one, &other, &one]));
    assert_eq!(records.len(), 2);
    assert_ne!(records[0]["id"], records[1]["id"]);
    assert_eq!(records[0]["audit"]["id"], records[1]["audit"]["id"]);
}

/// The parser of a `tail` may take the time out of a line, and give it to the record: it is shown, but it is the
/// host's, and makes no two of one.
#[test]
fn a_violation_without_a_time_or_a_run_has_that_of_its_record() {
    let mut denied = violations().swap_remove(3);
    denied.as_object_mut().expect("a map").remove("ts");
    let at = |seconds| chunk::v2(&denied, seconds);
    let chunk = [at(1_795_217_999), at(1_795_218_000), at(1_795_218_000)].concat();
    for settings in [&[][..], &[("redact", "violation.details")]] {
        let times: Vec<_> = delivered(settings, &chunk).iter().map(|record| record["time"].clone()).collect();
        assert_eq!(times, ["2026-11-20T23:39:59.000000000Z"]);
    }
}

#[test]
fn json_in_a_string_is_read_as_if_a_parser_had() {
    let audit = support::audit_log().swap_remove(0);
    let all = [audit, violations().swap_remove(0), event("e", 1, 1)];
    let wrapped: Vec<Value> = all
        .iter()
        .zip(["log", "message", "log"])
        .map(|(record, key)| json!({key: format!(" {record}\n"), "stream": "stdout"}))
        .collect();
    assert_eq!(delivered(&[], &chunk::of(&wrapped)), delivered(&[], &chunk::of(&all)));
    // A whole list as one line, too.
    let records = delivered(&[], &chunk::of([&json!({"log": webhook_body().to_string()})]));
    assert_eq!(records.len(), 77);
}

#[test]
fn a_line_cut_in_the_middle_is_delivered_as_it_is_and_logged() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway, &[]);
    let line = support::audit_log().swap_remove(0).to_string();
    let cut = json!({"log": line[..line.len() / 2]});
    assert_eq!(host.deliver("a", "t", &chunk::of([&cut, &event("e", 1, 1)])), Code::Ok);
    let records = gateway.accepted_records();
    assert_eq!((&records[0]["kind"], &records[0]["record"]), (&json!("other"), &cut));
    assert_eq!(records[1]["id"], "e.1");
    let said = host.wait_log("begins as JSON and is none");
    assert!(said.text.contains("offset 0 of tag t") && said.text.contains("column"), "{said:?}");
    host.quit();
}

#[test]
fn one_broken_item_of_four_hundred_costs_the_others_nothing() {
    let mut body = webhook_body();
    let items = body["items"].as_array().expect("a list").clone();
    let mut many: Vec<Value> = (0..400)
        .map(|number| {
            let mut item = items[number % items.len()].clone();
            item["auditID"] = json!(format!("id-{number}"));
            item
        })
        .collect();
    many[200] = json!({"auditID": 7, "stage": {"no": "text"}});
    body["items"] = json!(many);
    let records = delivered(&[], &chunk::v2(&body, 1));
    assert_eq!(records.len(), 400);
    assert_eq!(records.iter().filter(|record| record["kind"] == "kubernetes.audit").count(), 399);
    assert_eq!(records[200]["record"], many[200]);
}

#[test]
fn an_audit_record_of_two_megabytes_is_delivered_without_its_bodies() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dead");
    let mut audit = support::audit_log().swap_remove(0);
    audit["requestObject"] = json!({"data": "x".repeat(2 << 20)});
    let settings = [("dead_letter_file", file.to_str().expect("UTF-8"))];
    let records = delivered(&settings, &chunk::of([&audit]));
    assert_eq!(records.len(), 1);
    // Where they are asked for, they are what it loses.
    for format in ["native", "raw"] {
        let with_bodies = [settings[0], ("audit_bodies", "on"), ("format", format)];
        let records = delivered(&with_bodies, &chunk::of([&audit]));
        let body = if format == "raw" { "/requestObject" } else { "/audit/request_object" };
        assert_eq!(records[0].pointer(body), Some(&json!("[left out: too large]")), "{format}");
    }
    // As JSON it may be six times as long as it came.
    audit["requestObject"] = json!({"data": "\u{1}".repeat(400 << 10)});
    let records = delivered(&[settings[0], ("format", "raw")], &chunk::of([&audit]));
    assert_eq!(records[0]["requestObject"], "[left out: too large]");
    // What is too large without them and without its long texts and lists is not for a gateway.
    audit["extra"] = (0..200_000).map(|number| (format!("key-{number}"), json!(1))).collect();
    assert_eq!(delivered(&settings, &chunk::of([&audit])).len(), 0);
    let letter: Value = serde_json::from_str(&fs::read_to_string(&file).expect("a letter")).expect("JSON");
    assert_eq!(letter["record"]["extra"], audit["extra"]);
}

#[test]
fn records_of_unknown_kind_pass_are_dropped_or_dead_lettered() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dead");
    let odd = json!({"log": "plain text", "n": [1, null]});
    let chunk = chunk::of([&odd, &event("e", 1, 1), &odd]);
    let passed = delivered(&[], &chunk);
    assert_eq!(passed.len(), 3, "nothing tells a repetition");
    assert_eq!(passed[0]["record"], odd);
    golden::assert_native(&passed[0]);
    assert_eq!(passed[0]["id"], passed[2]["id"]);
    let raw = delivered(&[("format", "raw")], &chunk);
    assert_eq!((&raw[0]["log"], &raw[0]["n"]), (&odd["log"], &odd["n"]));
    assert_eq!(delivered(&[("other", "drop")], &chunk).len(), 1);
    let away = [("other", "dead_letter"), ("dead_letter_file", file.to_str().expect("UTF-8"))];
    assert_eq!(delivered(&away, &chunk).len(), 1);
    let letters = fs::read_to_string(&file).expect("letters");
    assert_eq!(letters.lines().count(), 2);
    assert!(letters.contains("of no kind that is known"), "{letters}");
}

#[test]
fn kinds_and_what_each_has_of_its_own_choose() {
    let lines = support::audit_log();
    let mut all = lines.clone();
    all.extend(violations());
    all.push(event("e", 1, 1));
    let chunk = chunk::of(&all);
    let count = |settings: &[(&str, &str)]| delivered(settings, &chunk).len();
    let of = |wanted: &dyn Fn(&Value) -> bool| lines.iter().filter(|line| wanted(line)).count();
    assert_eq!(count(&[("kinds", "kubernetes.event")]), 1);
    assert_eq!(count(&[("kinds", "gatekeeper.violation, kubernetes.event")]), 5);
    let audits = ("kinds", "kubernetes.audit");
    assert_eq!(count(&[audits]), 487);
    assert_eq!(count(&[audits, ("verbs", "create, delete*")]), {
        of(&|line| {
            let verb = line["verb"].as_str().expect("a text");
            verb == "create" || verb.starts_with("delete")
        })
    });
    assert_eq!(count(&[audits, ("levels", "Metadata")]), of(&|line| line["level"] == "Metadata"));
    let of_system =
        |line: &Value| line["user"]["username"].as_str().is_some_and(|user| user.starts_with("system:"));
    assert_eq!(count(&[audits, ("exclude_users", "system:*")]), of(&|line| !of_system(line)));
    assert_eq!(count(&[audits, ("users", "system:*")]), of(&of_system));
    // Who acts as one of those that are left out is seen all the same, and so are those acting as others.
    let mut acting = lines[0].clone();
    acting["impersonatedUser"] = json!({"username": "system:node:n1"});
    for (user, expected) in [("jane", 1), ("system:admin", 0)] {
        acting["user"]["username"] = json!(user);
        let of_one = |settings: &[(&str, &str)]| delivered(settings, &chunk::of([&acting])).len();
        assert_eq!(of_one(&[("exclude_users", "system:*")]), expected, "{user}");
        assert_eq!(of_one(&[("users", "system:node:*")]), 1, "{user}");
    }
    let about = |line: &Value, resource: &str| line["objectRef"]["resource"] == resource;
    assert_eq!(count(&[audits, ("resources", "pods")]), of(&|line| about(line, "pods")));
    assert_eq!(count(&[audits, ("resources", "pods/status")]), {
        of(&|line| about(line, "pods") && line["objectRef"]["subresource"] == "status")
    });
    assert_eq!(
        count(&[audits, ("namespaces", "shop")]),
        of(&|line| line["objectRef"]["namespace"] == "shop")
    );
    assert_eq!(count(&[("kinds", "gatekeeper.violation"), ("enforcement_actions", "deny")]), 3);
}
