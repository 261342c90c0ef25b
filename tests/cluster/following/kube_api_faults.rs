//! Does the test API server fail in each way in which a real one, or the network before it, fails?

use std::time::Duration;

use super::support;
use serde_json::{Value, json};

use support::certificates::Certificates;
use support::kube_api::{ALL, Delivery, KubeApi};
use support::kube_client::{Next, Watch, get, watch};

const BOUND: Duration = Duration::from_secs(30);
/// Long enough for a line that should not come; a slow machine makes the tests weaker, not red.
const A_WHILE: Duration = Duration::from_millis(200);
const PODS: &str = "/api/v1/pods";

fn pod(name: &str) -> Value {
    json!({ "kind": "Pod", "apiVersion": "v1", "metadata": { "name": name, "namespace": "shop", "uid": name } })
}

fn with_watch() -> (KubeApi, Watch) {
    let api = KubeApi::start();
    let open = watch(&api.url(), &format!("{PODS}?watch=1&resourceVersion={}", api.version()), &[]);
    api.wait_for_watches("pods", 1, BOUND);
    (api, open)
}

#[test]
fn a_resource_can_be_forbidden_and_missing() {
    let api = KubeApi::start();
    api.forbid("pods");
    api.missing("ingresses");
    let forbidden = get(&api.url(), PODS, &[]);
    assert_eq!((forbidden.status, &forbidden.json()["reason"]), (403, &json!("Forbidden")));
    let message = forbidden.json()["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("cannot list resource \"pods\" in API group \"\""), "{message}");
    assert_eq!(get(&api.url(), &format!("{PODS}?watch=1"), &[]).status, 403);
    let missing = get(&api.url(), "/apis/networking.k8s.io/v1/ingresses", &[]);
    assert_eq!((missing.status, &missing.json()["kind"]), (404, &json!("Status")));
    assert_eq!(get(&api.url(), "/api/v1/nodes", &[]).status, 200);
    api.allow(ALL);
    assert_eq!(get(&api.url(), PODS, &[]).status, 200);
}

#[test]
fn a_token_is_asked_for_and_can_change() {
    let api = KubeApi::start();
    api.require_token("one");
    let status = |headers: &[&str]| get(&api.url(), PODS, headers).status;
    assert_eq!((status(&[]), status(&["Authorization: Bearer one"])), (401, 200));
    api.require_token("two");
    assert_eq!(status(&["Authorization: Bearer one"]), 401);
    assert_eq!(status(&["Authorization: Bearer two"]), 200);
    let seen: Vec<_> = api.requests().into_iter().map(|request| request.authorization).collect();
    assert_eq!(seen[1].as_deref(), Some("Bearer one"));
    api.require_no_token();
    assert_eq!(status(&[]), 200);
}

#[test]
fn the_next_requests_can_be_turned_away_for_a_time() {
    let api = KubeApi::start();
    api.too_many_requests("pods", 2, 3);
    api.unavailable("pods", 1, 1);
    let answers: Vec<_> = (0..4).map(|_| get(&api.url(), PODS, &[])).collect();
    let seen: Vec<_> = answers.iter().map(|answer| (answer.status, answer.header("retry-after"))).collect();
    assert_eq!(seen, [(429, Some("3")), (429, Some("3")), (503, Some("1")), (200, None)]);
    assert_eq!(answers[0].json()["details"]["retryAfterSeconds"], 3);
}

#[test]
fn bytes_can_come_in_any_pieces() {
    for delivery in [
        Delivery::Chunks(1),
        Delivery::Chunks(7),
        Delivery::Chunks(100_000),
        Delivery::Slow { bytes: 40, pause: Duration::from_millis(1) },
    ] {
        let (api, mut open) = with_watch();
        api.deliver(ALL, delivery);
        for name in ["a", "b", "ü"] {
            api.put("pods", pod(name));
            assert_eq!(open.change().1, name, "{delivery:?}");
        }
        let list = get(&api.url(), PODS, &[]);
        assert_eq!((list.names().len(), list.header("transfer-encoding")), (3, Some("chunked")));
    }
}

#[test]
fn a_stop_does_not_wait_for_a_slow_answer() {
    let (api, _open) = with_watch();
    api.deliver("pods", Delivery::Slow { bytes: 1, pause: Duration::from_secs(3_600) });
    api.put("pods", pod("a"));
    api.wait_for_request("watch=1", BOUND);
    api.stop();
}

#[test]
fn a_watch_can_fall_silent_and_stays_so() {
    let (api, mut open) = with_watch();
    api.put("pods", pod("before"));
    api.fall_silent("pods");
    api.put("pods", pod("after"));
    assert_eq!(open.change().1, "before");
    let mut late = watch(&api.url(), &format!("{PODS}?watch=1&resourceVersion=1&timeoutSeconds=1"), &[]);
    assert_eq!(late.status, 200);
    assert_eq!(get(&api.url(), PODS, &[]).names().len(), 2, "lists are answered");
    api.close_watches("pods");
    api.heal("pods");
    api.put("pods", pod("healed"));
    assert_eq!([open.next_within(A_WHILE), late.next_within(A_WHILE)], [Next::Silence, Next::Silence]);
    assert_eq!(api.open_watches("pods"), 2);
    let mut fresh = watch(&api.url(), &format!("{PODS}?watch=1&resourceVersion=1"), &[]);
    assert_eq!([fresh.change().1, fresh.change().1, fresh.change().1], ["before", "after", "healed"]);
    drop((open, late, fresh));
    api.wait_for_watches("pods", 0, BOUND);
}

#[test]
fn a_watch_can_break_within_a_line() {
    let (api, mut open) = with_watch();
    api.put("pods", pod("whole"));
    api.cut("pods");
    api.put("pods", pod("half"));
    assert_eq!(open.change().1, "whole");
    let Next::Cut(half) = open.next() else { panic!("the line is whole") };
    assert!(half.starts_with("{\"type\":\"ADDED\"") && !half.contains('\n'), "{half}");
    api.wait_for_watches("pods", 0, BOUND);
    assert_eq!(watch(&api.url(), &format!("{PODS}?watch=1&resourceVersion=2"), &[]).change().1, "half");
}

#[test]
fn garbage_and_huge_lines_go_to_the_open_watches_only() {
    let (api, mut open) = with_watch();
    api.put("pods", pod("a"));
    api.send_line("pods", b"<html>not me</html>");
    api.send_huge_line("pods", 3 << 20);
    api.put("pods", pod("b"));
    assert_eq!(open.change().1, "a");
    assert_eq!(open.next(), Next::Garbage("<html>not me</html>\n".into()));
    let Next::Line(huge) = open.next() else { panic!("no huge line") };
    assert_eq!(huge.to_string().len(), 3 << 20);
    assert_eq!(open.change().1, "b");
    let mut late = watch(&api.url(), &format!("{PODS}?watch=1&resourceVersion=1"), &[]);
    assert_eq!([late.change().1, late.change().1], ["a", "b"]);
}

#[test]
fn a_watch_that_falls_behind_what_is_kept_is_ended() {
    let (api, mut open) = with_watch();
    api.keep_changes(10);
    api.deliver("pods", Delivery::Slow { bytes: 10, pause: Duration::from_millis(20) });
    for number in 0..50 {
        api.put("pods", pod(&format!("p{number}")));
    }
    let lines = std::iter::from_fn(|| Some(open.next()).filter(|next| *next != Next::End)).count();
    assert!(lines < 50, "{lines} lines, with what was forgotten");
}

#[test]
fn no_watch_begins_before_what_is_kept() {
    let api = KubeApi::start();
    api.keep_changes(10);
    let old = api.version();
    for number in 0..50 {
        api.put("pods", pod(&format!("p{number}")));
    }
    let Next::Line(error) = watch(&api.url(), &format!("{PODS}?watch=1&resourceVersion={old}"), &[]).next()
    else {
        panic!("no line")
    };
    assert_eq!(error["object"]["code"], 410);
    let kept = format!("{PODS}?watch=1&resourceVersion={}", api.version() - 10);
    assert_eq!(watch(&api.url(), &kept, &[]).change().1, "p40");
}

#[test]
fn the_server_speaks_tls_with_an_authority_of_its_own() {
    let certificates = Certificates::new();
    let api = KubeApi::start_tls(&certificates.server());
    api.put("pods", pod("a"));
    let pem = std::fs::read(certificates.file("ca.pem")).expect("the authority");
    let authority = ureq::tls::Certificate::from_pem(&pem).expect("a certificate");
    let roots = ureq::tls::RootCerts::new_with_certs(&[authority]);
    let tls = ureq::tls::TlsConfig::builder().root_certs(roots).build();
    let agent: ureq::Agent = ureq::Agent::config_builder().tls_config(tls).build().into();
    let url = format!("{}{PODS}", api.url());
    let list = agent.get(&url).call().expect("an answer").body_mut().read_to_string().expect("a list");
    assert!(list.contains("\"name\":\"a\""), "{list}");
    let watched = agent.get(format!("{url}?watch=1&timeoutSeconds=1")).call().expect("an answer");
    let lines = watched.into_body().read_to_string().expect("a whole watch");
    assert!(lines.starts_with("{\"type\":\"ADDED\""), "{lines}");
    assert!(ureq::get(&url).call().is_err(), "an unknown authority");
}
