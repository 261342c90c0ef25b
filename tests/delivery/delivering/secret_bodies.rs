//! Does what a Secret holds leave in none of the ways that people and tools write it, and does everything else arrive?

use std::fs;

use super::redaction::{FORMATS, delivered};
use super::secret_cases::{CANARY, Case, audit, canaries, cases};
use super::support;
use serde_json::{Value, json};
use support::chunk;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code};

fn assert_hidden(what: &str, text: &str) {
    for canary in canaries() {
        assert!(!text.contains(&canary), "{what}: {canary} leaves in {text}");
    }
}

#[test]
fn no_case_shows_its_secret_and_each_keeps_the_rest() {
    let cases = cases();
    assert!(cases.len() > 60);
    for format in FORMATS {
        let settings = [("format", format), ("audit_bodies", "on")];
        for Case { name, record, kept } in &cases {
            let (records, text) = delivered(&settings, &chunk::of([record]));
            assert_eq!(records.len(), 1, "{format}, {name}: {text}");
            assert_hidden(&format!("{format}, {name}"), &text);
            assert!(kept.iter().all(|kept| text.contains(kept)), "{format}, {name}: {kept:?} of {text}");
        }
    }
}

#[test]
fn no_dead_letter_and_no_log_line_shows_a_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dead");
    let gateway = TestGateway::start();
    gateway.set_default(Answer::status(422));
    let settings = [("dead_letter_file", file.to_str().expect("UTF-8"))];
    let mut host = support::started(Build::V5_1_1, &gateway, &settings);
    let cases = cases();
    let records: Vec<Value> = cases.iter().map(|case| case.record.clone()).collect();
    assert_eq!(host.deliver("a", "t", &chunk::of(&records)), Code::Ok);
    host.quit();
    let letters = fs::read_to_string(&file).expect("letters");
    assert_eq!(letters.lines().count(), cases.len());
    assert_hidden("a dead letter", &letters);
    host.logs().iter().for_each(|line| assert_hidden("a line of the log", &line.text));
}

/// What is no Secret arrives as it came, also if it is about one.
#[test]
fn what_only_speaks_of_secrets_arrives_whole() {
    let store = json!({"kind": "ExternalSecret", "spec": {"secretStoreRef": {"kind": "SecretStore", "name": "s"},
        "target": {"name": "db"}, "data": [{"secretKey": "p", "remoteRef": {"key": CANARY}}]}});
    let policy = json!({"kind": "ClusterPolicy", "spec": {"rules": [{"match": {"kinds": ["Secret"]}, "data": CANARY}]}});
    let config_map = json!({"kind": "ConfigMap", "metadata": {"name": "cm", "annotations": {"a": "b"}}, "data": {"a": CANARY}});
    let pod = json!({"kind": "Pod", "spec": {"volumes": [{"secret": {"secretName": "db"}}], "containers":
        [{"env": [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "db", "key": "p"}}}, {"name": "T", "value": CANARY}]}]}});
    let release = json!({"kind": "HelmRelease", "spec": {"ref": {"kind": "Secret", "name": "db", "namespace": "shop"}, "x": CANARY}});
    let settings = [("audit_bodies", "on")];
    for (resource, body) in [
        ("externalsecrets", &store),
        ("sealedsecrets", &json!({"kind": "SealedSecret", "spec": {"encryptedData": {"p": CANARY}}})),
        ("clusterpolicies", &policy),
        ("configmaps", &config_map),
        ("pods", &pod),
        ("helmreleases", &release),
        ("serviceaccounts", &json!({"kind": "ServiceAccount", "secrets": [{"name": "db"}], "x": CANARY})),
    ] {
        let (records, _) =
            delivered(&settings, &chunk::of([&audit(resource, json!({"requestObject": body}))]));
        assert_eq!(&records[0]["audit"]["request_object"], body, "{resource}");
    }
    // An event about a Secret still says which.
    let mut happened = support::event("e", 1, 1);
    happened["involvedObject"] =
        json!({"kind": "Secret", "namespace": "shop", "name": "db", "uid": "u", "apiVersion": "v1"});
    happened["message"] = json!("secret \"db\" not found; see kind SecretStore");
    let (records, _) = delivered(&[], &chunk::of([&happened]));
    assert_eq!(records[0]["object"]["name"], "db");
    assert_eq!(records[0]["message"], happened["message"]);
}

/// Also if more stands in its reference than names the Secret.
#[test]
fn an_event_about_a_secret_says_which() {
    let mut happened = support::event("e", 1, 1);
    for reference in ["involvedObject", "related"] {
        happened[reference] =
            json!({"kind": "Secret", "name": "db", "namespace": "shop", "x": CANARY, "data": CANARY});
    }
    for format in FORMATS {
        let (records, text) = delivered(&[("format", format)], &chunk::of([&happened]));
        assert!(records.len() == 1 && text.contains("\"db\""), "{format}: {text}");
        assert_hidden(format, &text);
    }
}

/// A client chooses its name, its agent and the query of its path. It must not be able to hide them.
#[test]
fn a_client_hides_nothing_of_itself() {
    let hiding = "kind: Secret auditID stageTimestamp requestObject responseStatus";
    let record = audit(
        "pods",
        json!({"userAgent": hiding, "requestURI": format!("/api/v1/pods?{hiding}"),
        "user": {"username": hiding, "groups": [hiding], "extra": {"kind": ["Secret"], "data": [hiding]}},
        "requestObject": {}}),
    );
    let (records, _) = delivered(&[], &chunk::of([&record]));
    let audit = &records[0]["audit"];
    assert_eq!(audit["user_agent"], hiding);
    assert_eq!(audit["request_uri"], format!("/api/v1/pods?{hiding}"));
    assert_eq!(audit["user"]["name"], hiding);
    assert_eq!(audit["user"]["extra"]["data"][0], hiding);
}

/// Members that a shipper adds to a record about a Secret are names, paths and times, and no bodies.
#[test]
fn what_shippers_add_stays() {
    let added = json!({"cluster": "prod (eu) 1", "file": "/var/log/kubernetes/audit.log", "time": "2026-11-20T23:28:53.1+01:00",
        "hash": "a".repeat(64), "number": 5, "stream": "stdout", "of": "secrets"});
    let record = audit("secrets", added.clone());
    let (records, text) = delivered(&[("format", "raw")], &chunk::of([&record]));
    for (key, value) in added.as_object().expect("members") {
        assert_eq!(&records[0][key], value, "{key}: {text}");
    }
}
