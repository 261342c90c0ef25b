//! Does the test API server keep the rules of the real one for Leases, on which an election of a leader relies?

use std::time::Duration;

use super::support;
use serde_json::{Value, json};

use support::kube_api::KubeApi;
use support::kube_client::{Answer, Next, get, send, watch};

const BOUND: Duration = Duration::from_secs(30);
const ALL_LEASES: &str = "/apis/coordination.k8s.io/v1/leases";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/logging/leases";
const ONE: &str = "/apis/coordination.k8s.io/v1/namespaces/logging/leases/gateway";

fn lease(holder: &str) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": { "name": "gateway", "namespace": "logging", "annotations": { "example.com/watermark": "7" } },
        "spec": {
            "holderIdentity": holder, "leaseDurationSeconds": 15, "leaseTransitions": 0,
            "acquireTime": "2026-12-01T12:00:00.000000Z", "renewTime": "2026-12-01T12:00:00.000000Z",
        },
    })
}

fn ask(api: &KubeApi, method: &str, target: &str, body: &Value) -> Answer {
    send(&api.url(), (method, target), &[], body.to_string().as_bytes()).expect("an answer")
}

/// With a Lease that `a` holds, as the server has answered it.
fn with_lease() -> (KubeApi, Value) {
    let api = KubeApi::start();
    let made = ask(&api, "POST", LEASES, &lease("a"));
    assert_eq!(made.status, 201, "{}", made.text);
    (api, made.json())
}

fn version_of(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).expect("a version")
}

/// Status, reason, and whether the message holds this text.
fn assert_refused(answer: &Answer, status: u16, reason: &str, message: &str) {
    let body = answer.json();
    assert_eq!((answer.status, &body["reason"], &body["kind"]), (status, &json!(reason), &json!("Status")));
    assert_eq!(body["code"], status);
    let found = body["message"].as_str().unwrap_or_default();
    assert!(found.contains(message), "{found}");
}

#[test]
fn a_lease_is_made_read_changed_and_deleted() {
    let (api, made) = with_lease();
    assert_eq!(version_of(&made), api.version(), "the one version of all resources");
    assert!(!made["metadata"]["uid"].as_str().unwrap_or_default().is_empty());
    assert!(made["metadata"]["creationTimestamp"].as_str().is_some_and(|time| time.ends_with('Z')));
    assert_eq!((&made["kind"], &made["spec"]), (&json!("Lease"), &lease("a")["spec"]));
    assert_eq!(get(&api.url(), ONE, &[]).json(), made);

    let mut changed = made.clone();
    changed["spec"]["holderIdentity"] = "b".into();
    let answered = ask(&api, "PUT", ONE, &changed);
    assert_eq!(answered.status, 200);
    changed["metadata"]["resourceVersion"] = (version_of(&made) + 1).to_string().into();
    assert_eq!(answered.json(), changed, "the response is what is stored");
    assert_eq!(api.lease("logging", "gateway"), Some(changed.clone()));

    let gone = ask(&api, "DELETE", ONE, &json!({}));
    assert_eq!((gone.status, &gone.json()["status"]), (200, &json!("Success")));
    assert_eq!(gone.json()["details"]["uid"], made["metadata"]["uid"]);
    assert_refused(
        &get(&api.url(), ONE, &[]),
        404,
        "NotFound",
        "leases.coordination.k8s.io \"gateway\" not found",
    );
    assert_eq!(ask(&api, "DELETE", ONE, &json!({})).status, 404);
    let anew = ask(&api, "POST", LEASES, &lease("c")).json();
    assert_ne!(anew["metadata"]["uid"], made["metadata"]["uid"]);
}

#[test]
fn what_is_there_is_not_made_again() {
    let (api, made) = with_lease();
    let refused = ask(&api, "POST", LEASES, &lease("b"));
    assert_refused(&refused, 409, "AlreadyExists", "leases.coordination.k8s.io \"gateway\" already exists");
    assert_eq!(refused.json()["details"]["name"], "gateway");
    assert_eq!(api.lease("logging", "gateway"), Some(made));
    let elsewhere = LEASES.replace("logging", "other");
    let mut there = lease("b");
    there["metadata"]["namespace"] = "other".into();
    assert_eq!(ask(&api, "POST", &elsewhere, &there).status, 201, "a name is of its namespace");
    assert_refused(&ask(&api, "POST", LEASES, &there), 400, "BadRequest", "namespace");
    there["metadata"]["resourceVersion"] = "1".into();
    assert_refused(&ask(&api, "POST", &elsewhere, &there), 500, "InternalError", "should not be set");
}

#[test]
fn of_two_changes_from_one_version_the_second_is_refused() {
    let (api, made) = with_lease();
    let (mut first, mut second) = (made.clone(), made.clone());
    first["spec"]["holderIdentity"] = "first".into();
    second["spec"]["holderIdentity"] = "second".into();
    assert_eq!(ask(&api, "PUT", ONE, &first).status, 200);
    let refused = ask(&api, "PUT", ONE, &second);
    assert_refused(&refused, 409, "Conflict", "the object has been modified; please apply your changes");
    assert_eq!(refused.json()["details"]["kind"], "leases");
    second["metadata"]["resourceVersion"] = (api.version() + 5).to_string().into();
    assert_eq!(ask(&api, "PUT", ONE, &second).status, 409, "nor is a version of the future taken");
    assert_eq!(api.lease("logging", "gateway").expect("a Lease")["spec"]["holderIdentity"], "first");
    let version = api.version();
    let preconditions =
        json!({ "preconditions": { "resourceVersion": made["metadata"]["resourceVersion"] } });
    assert_eq!(ask(&api, "DELETE", ONE, &preconditions).status, 409);
    assert_eq!(api.version(), version);
}

/// The strategy of Leases in a real server: `AllowUnconditionalUpdate` is false, `AllowCreateOnUpdate` is true.
#[test]
fn a_change_without_a_version_is_refused_and_one_of_what_is_gone_makes_it_unless_it_names_the_uid() {
    let (api, made) = with_lease();
    let refused = ask(&api, "PUT", ONE, &lease("b"));
    assert_refused(&refused, 422, "Invalid", "metadata.resourceVersion");
    assert_eq!(refused.json()["details"]["causes"][0]["field"], "metadata.resourceVersion");
    api.delete_lease("logging", "gateway");
    assert_refused(
        &ask(&api, "PUT", ONE, &made),
        409,
        "Conflict",
        "Precondition failed: UID in precondition",
    );
    let mut without_uid = made.clone();
    without_uid["metadata"]["uid"] = Value::Null;
    let anew = ask(&api, "PUT", ONE, &without_uid);
    assert_eq!(anew.status, 201, "{}", anew.text);
    assert_ne!(anew.json()["metadata"]["uid"], made["metadata"]["uid"]);
    assert_eq!(anew.json()["metadata"]["annotations"], made["metadata"]["annotations"]);
    assert_refused(&ask(&api, "PUT", ONE, &made), 409, "Conflict", "UID in object meta: 1ea5e");
}

#[test]
fn a_change_that_changes_nothing_is_no_write() {
    let (api, made) = with_lease();
    let again = ask(&api, "PUT", ONE, &made);
    assert_eq!((again.status, again.json()), (200, made));
    let versions: Vec<_> = api.writes("leases").iter().map(|write| write.version).collect();
    assert_eq!(versions, [Some(api.version()), None]);
}

#[test]
fn a_watch_of_one_lease_sees_it_and_no_other_and_comes_from_the_cache() {
    let (api, made) = with_lease();
    let first = version_of(&made);
    let by_name = format!("{LEASES}?fieldSelector=metadata.name%3Dgateway");
    let mut open = watch(
        &api.url(),
        &format!("{by_name}&watch=1&resourceVersion={first}&allowWatchBookmarks=true"),
        &[],
    );
    let mut present = watch(&api.url(), &format!("{by_name}&watch=1&resourceVersion=0"), &[]);
    assert_eq!(present.change(), ("ADDED".into(), "gateway".into(), first));
    api.wait_for_watches("leases", 2, BOUND);
    api.put_lease("logging", "other", lease("x"));
    api.put_lease("elsewhere", "gateway", lease("x"));
    api.hold_lease("logging", "gateway", "b", "2026-12-01T12:00:09.000000Z");
    let Next::Line(line) = open.next() else { panic!("no line") };
    assert_eq!((&line["type"], &line["object"]["spec"]["holderIdentity"]), (&json!("MODIFIED"), &json!("b")));
    api.bookmark();
    assert_eq!(open.change(), ("BOOKMARK".into(), String::new(), api.version()));
    api.delete_lease("logging", "gateway");
    assert_eq!(open.change(), ("DELETED".into(), "gateway".into(), api.version()));
    assert_eq!(get(&api.url(), &by_name, &[]).names(), Vec::<String>::new());
    assert_eq!(get(&api.url(), LEASES, &[]).names(), ["other"]);
    assert_eq!(get(&api.url(), ALL_LEASES, &[]).names(), ["other", "gateway"]);
    assert_eq!(get(&api.url(), &format!("{LEASES}?fieldSelector=spec.holderIdentity%3Db"), &[]).status, 400);
}

#[test]
fn the_cache_may_be_behind_and_a_read_of_the_present_is_not() {
    let (api, made) = with_lease();
    api.lag("leases", Duration::MAX);
    let held = api.hold_lease("logging", "gateway", "b", "2026-12-01T12:00:09.000000Z");
    assert_eq!(get(&api.url(), &format!("{ONE}?resourceVersion=0"), &[]).json(), made);
    assert_eq!(get(&api.url(), ONE, &[]).json(), held);
    let from_cache = ask(&api, "PUT", ONE, &made);
    assert_eq!(from_cache.status, 409, "writes know the present");
}

#[test]
fn annotations_may_have_256_kib_and_a_request_3_mib() {
    let (api, made) = with_lease();
    let of_size = |bytes: usize| {
        let mut lease = made.clone();
        let key = "example.com/watermark";
        lease["metadata"]["annotations"] = json!({ key: "x".repeat(bytes - key.len()) });
        lease
    };
    let refused = ask(&api, "PUT", ONE, &of_size(262_145));
    assert_refused(&refused, 422, "Invalid", "metadata.annotations: Too long: may not be more than 262144");
    assert_eq!(refused.json()["details"]["causes"][0]["reason"], "FieldValueTooLong");
    assert_refused(&ask(&api, "PUT", ONE, &of_size(4 << 20)), 413, "RequestEntityTooLarge", "3145728");
    assert_eq!(ask(&api, "PUT", ONE, &of_size(262_144)).status, 200);
}

#[test]
fn what_the_decoder_or_the_validation_does_not_take_is_refused() {
    let (api, made) = with_lease();
    let with = |part: &str, key: &str, value: Value| {
        let mut lease = made.clone();
        lease[part][key] = value;
        lease
    };
    // Go reads exactly six digits of a second.
    for time in ["2026-12-01T12:00:00Z", "2026-12-01T12:00:00.123Z", "2026-12-01T12:00:00.123456789Z", "now"]
    {
        let refused = ask(&api, "PUT", ONE, &with("spec", "renewTime", time.into()));
        assert_refused(&refused, 400, "BadRequest", "cannot be handled as a Lease: parsing time");
    }
    for (part, key, value, status) in [
        ("spec", "leaseDurationSeconds", json!("15"), 400),
        ("spec", "leaseDurationSeconds", json!(15.5), 400),
        ("spec", "leaseTransitions", json!(3_000_000_000_u64), 400),
        ("spec", "leaseDurationSeconds", json!(0), 422),
        ("spec", "leaseTransitions", json!(-1), 422),
        ("metadata", "annotations", json!({ "example.com/watermark": 7 }), 400),
        ("metadata", "annotations", json!({ "a word": "7" }), 422),
        ("metadata", "annotations", json!({ "a/b/c": "7" }), 422),
        ("metadata", "name", json!("other"), 400),
    ] {
        let refused = ask(&api, "PUT", ONE, &with(part, key, value.clone()));
        assert_eq!(refused.status, status, "{key}: {value}: {}", refused.text);
    }
    let mut kind = made.clone();
    kind["kind"] = "Pod".into();
    assert_eq!(ask(&api, "PUT", ONE, &kind).status, 400);
    assert_eq!(send(&api.url(), ("PUT", ONE), &[], b"{").expect("an answer").status, 400);
    assert_eq!(api.lease("logging", "gateway"), Some(made.clone()));
    // Nulls and unknown fields are left out, and no error.
    let unknown = ask(&api, "PUT", ONE, &with("spec", "watermark", json!(7))).json();
    assert_eq!(unknown["spec"], made["spec"]);
    let mut null = unknown.clone();
    null["spec"]["holderIdentity"] = Value::Null;
    assert_eq!(ask(&api, "PUT", ONE, &null).json()["spec"].get("holderIdentity"), None);
}

#[test]
fn nothing_else_can_be_written_and_nothing_in_other_ways() {
    let (api, made) = with_lease();
    for (method, target) in [
        ("POST", ALL_LEASES),
        ("PATCH", ONE),
        ("DELETE", LEASES),
        ("PUT", LEASES),
        ("POST", "/api/v1/namespaces/logging/events"),
        ("DELETE", "/api/v1/namespaces/logging/pods/a"),
    ] {
        assert_eq!(ask(&api, method, target, &made).status, 405, "{method} {target}");
    }
}

#[test]
fn damage_and_other_holders_come_from_outside_and_the_api_shows_them() {
    let (api, made) = with_lease();
    let damaged = api.edit_lease("logging", "gateway", |lease| {
        lease["metadata"]["annotations"]["example.com/watermark"] = "\u{0}not a number".into();
        lease["spec"]["renewTime"] = Value::Null;
    });
    assert_eq!(get(&api.url(), ONE, &[]).json(), damaged);
    assert_eq!(damaged["metadata"]["uid"], made["metadata"]["uid"]);
    let put = api.put_lease("logging", "gateway", json!({ "spec": { "holderIdentity": "someone else" } }));
    assert_eq!(put["metadata"]["uid"], made["metadata"]["uid"], "the same Lease");
    let seen = api.wait_for_lease(("logging", "gateway"), "another holder", BOUND, |lease| {
        lease["spec"]["holderIdentity"] == "someone else"
    });
    assert_eq!(version_of(&seen), api.version());
    api.delete_lease("logging", "gateway");
    assert_eq!(api.lease("logging", "gateway"), None);
}

#[test]
fn writes_are_counted_by_client() {
    let api = KubeApi::start();
    let as_client = |client: &str, method: &str, target: &str, body: &Value| {
        let agent = format!("User-Agent: {client}");
        send(&api.url(), (method, target), &[&agent], body.to_string().as_bytes()).expect("an answer")
    };
    let mut made = as_client("one", "POST", LEASES, &lease("a")).json();
    for second in 1..=3 {
        made["spec"]["renewTime"] = format!("2026-12-01T12:00:0{second}.000000Z").into();
        made = as_client("one", "PUT", ONE, &made).json();
    }
    assert_eq!(as_client("two", "POST", LEASES, &lease("b")).status, 409);
    api.wait_for_writes("leases", 5, BOUND);
    let counted = [("one".to_owned(), 4), ("two".to_owned(), 1)].into();
    assert_eq!(api.writes_by_client("leases"), counted);
    assert_eq!(api.most_writes_within("leases", Duration::from_secs(3_600)), counted);
    let log: Vec<_> = api.writes("leases").iter().map(|write| (write.verb, write.code)).collect();
    assert_eq!(log, [("create", 201), ("update", 200), ("update", 200), ("update", 200), ("create", 409)]);
    assert!(api.writes("leases")[4].version.is_none());
    api.forget_writes();
    assert!(api.writes_by_client("leases").is_empty());
}
