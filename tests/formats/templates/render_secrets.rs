//! Does a Secret leave in any of the formats, as `cargo run --example render` shows them, and does the cautious line of
//! docs/sources.md take out what lies beyond Secrets?

use serde_json::{Value, json};

use super::render_example::shown;
use super::secret_cases::{CANARY, audit, canaries, cases};
use super::support;
use event_gateway::config::FormatName;

/// What the formats ask for.
fn words(format: &str, template: &str) -> Vec<String> {
    let mut words = vec!["--format", format, "--audit-bodies", "on"];
    if format == "template" {
        words.extend(["--template-file", template]);
    }
    words.into_iter().map(str::to_owned).collect()
}

/// Every byte that is shown, in each format.
fn in_each_format(records: &[Value], more: &[&str], mut then: impl FnMut(&str, &str)) {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/fluent-bit-conf/template.json");
    let input: String = records.iter().map(|record| format!("{record}\n")).collect();
    assert!(FormatName::WORDS.len() >= 18);
    for (format, _) in FormatName::WORDS {
        let words = words(format, template);
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let shown = shown(&words, &input).unwrap_or_else(|why| panic!("{format}: {why}"));
        let said = shown.trouble.join("\n") + &shown.notes.join("\n");
        then(format, &format!("{}{said}", String::from_utf8_lossy(&shown.text)));
    }
}

#[test]
fn no_format_shows_a_secret() {
    let records: Vec<Value> = cases().into_iter().map(|case| case.record).collect();
    in_each_format(&records, &[], |format, text| {
        assert!(text.len() > 1_000, "{format}");
        for canary in canaries() {
            assert!(!text.contains(&canary), "{format}: {canary} in {text}");
        }
    });
}

/// The line as it stands in the page.
fn cautious() -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sources.md");
    let text = std::fs::read_to_string(page).expect("the page");
    let line = text.lines().find_map(|line| line.strip_prefix("redact audit.request_object, "));
    format!("audit.request_object, {}", line.expect("the line for cautious users"))
}

#[test]
fn the_cautious_line_takes_out_what_lies_beyond() {
    let container =
        json!({"name": "c", "command": [CANARY], "args": [CANARY], "env": [{"name": "P", "value": CANARY}]});
    let pod = json!({"kind": "Pod", "spec": {"containers": [container], "initContainers": [container]}});
    let mut of_a_pod = audit(
        "pods",
        json!({"auditID": "pod", "requestObject": pod, "responseObject": pod,
        "responseStatus": {"code": 422, "message": CANARY}, "annotations": {"webhook.example/x": CANARY}}),
    );
    of_a_pod["user"] = json!({"username": "jane", "extra": {"x": [CANARY]}});
    of_a_pod["impersonatedUser"] = json!({"username": "john", "extra": {"x": [CANARY]}});
    let mut exec = audit(
        "pods",
        json!({"auditID": "exec", "requestURI": format!("/api/v1/pods/c/exec?command={CANARY}")}),
    );
    exec["objectRef"]["subresource"] = json!("exec");
    let map = audit(
        "configmaps",
        json!({"auditID": "map", "requestObject": {"kind": "ConfigMap", "data": {"a": CANARY}}}),
    );
    let mut event = support::event("e", 1, 1);
    event["metadata"]["annotations"] = json!({"x": CANARY});
    let violation = json!({"id": "r1", "eventType": "violation_audited", "name": "c", "kind": "K8sNeed", "group": "g", "resourceName": "v",
        "details": {"object": CANARY}, "message": "no"});
    let records = [of_a_pod, exec, map, event, violation];
    let (mut with, line) = (0, cautious());
    in_each_format(&records, &["--redact", &line], |format, text| {
        assert!(!text.contains(CANARY), "{format}: {text}");
        with += usize::from(["jane", "cart-1"].iter().all(|kept| text.contains(kept)));
    });
    assert!(with >= 9, "who did what is written in {with} formats only");
    // Without it they are written, or the test would show nothing.
    in_each_format(&records[..2], &[], |format, text| {
        assert!(format != "raw" || text.contains(CANARY), "{format}: {text}");
    });
}

/// Each rule that the page names is one, also for what it stands for.
#[test]
fn each_rule_of_the_page_takes_out_its_part() {
    let body = json!({"spec": {"containers": [{"env": CANARY}], "initContainers": [{"env": CANARY}],
        "template": {"spec": {"containers": [{"env": CANARY}]}}}, "data": {"a": CANARY}});
    let record = audit("deployments", json!({"auditID": "d", "requestObject": body}));
    let rules = "audit.request_object.spec.*ontainers.env, audit.request_object.spec.template.spec.*ontainers.env, \
                 audit.request_object.data";
    in_each_format(&[record], &["--redact", rules], |format, text| {
        assert!(!text.contains(CANARY), "{format}: {text}");
    });
}
