//! After each fault, is every version seen that the API server has, and do the numbers say how many are owed?

use std::time::Duration;

use super::stage::*;
use super::support::kube_api::{Delivery, KubeApi, Request};
use event_gateway::verification::Scope;
use event_gateway::verification::timing::Timing;

const EVENTS: &str = "events";

/// An API server with some events, and the watch open.
fn watched(timing: &Timing) -> Stage {
    let api = KubeApi::start();
    for n in 0..3 {
        put(&api, &format!("old-{n}"));
    }
    let url = api.url();
    let stage = Stage::at(api, url, timing);
    stage.api.wait_for_watches(EVENTS, 1, BOUND);
    stage.assert_knows_all();
    stage
}

/// New events, one of them of three versions, and one that expires.
fn change(stage: &Stage, round: u64) {
    for n in 0..5 {
        put(&stage.api, &format!("{round}-{n}"));
    }
    put(&stage.api, &format!("{round}-0"));
    put(&stage.api, &format!("{round}-0"));
    remove(&stage.api, &format!("{round}-1"));
}

#[test]
fn all_pages_of_the_first_list_are_seen_and_what_is_settled_is_no_longer_owed() {
    for delivery in [Delivery::Whole, Delivery::Chunks(1_021)] {
        let api = KubeApi::start();
        api.deliver(EVENTS, delivery);
        for n in 0..1_203 {
            put(&api, &n.to_string());
        }
        let stage = Stage::of(api);
        stage.assert_knows_all();
        let requests = stage.api.requests_for(EVENTS);
        let first = requests.iter().find(|request| request.target.contains("limit=500")).unwrap();
        let accept = first.accept.clone().unwrap();
        assert!(accept.starts_with("application/json;as=PartialObjectMetadataList"), "{accept}");
        assert_eq!(requests.iter().filter(|request| request.parameter("continue").is_some()).count(), 2);
        stage.api.wait_for_watches(EVENTS, 1, BOUND);
        wait("what is owed", || stage.verification.lag().overdue == 1_203);
        let lag = stage.verification.lag();
        assert_eq!((lag.seen, lag.settled, lag.unsettled, lag.forgotten), (1_203, 0, 1_203, 0));
        for (uid, version) in events(&stage.api).into_iter().skip(3) {
            stage.settle(&uid, version);
        }
        let lag = stage.verification.lag();
        assert_eq!((lag.seen, lag.settled, lag.unsettled), (1_203, 1_200, 3));
        // Its numbers are those of a moment, perhaps within the list.
        stage.wait_logged("have not come through this output");
        for (uid, version) in events(&stage.api) {
            stage.settle(&uid, version);
        }
        stage.wait_logged("all 1203 versions of events");
        assert_eq!(stage.verification.lag().oldest, Duration::ZERO);
    }
}

#[test]
fn a_watch_that_ends_breaks_or_lies_goes_on_where_it_was() {
    type Fault = fn(&KubeApi);
    let faults: [(&str, Fault); 6] = [
        ("close", |api| api.close_watches(EVENTS)),
        ("cut", |api| api.cut(EVENTS)),
        ("nonsense", |api| api.send_line(EVENTS, b"{\"type\":")),
        ("error", |api| {
            let status = r#"{"kind":"Status","code":500,"reason":"InternalError","message":"etcd"}"#;
            api.send_line(EVENTS, format!(r#"{{"type":"ERROR","object":{status}}}"#).as_bytes());
        }),
        ("too busy", |api| {
            api.too_many_requests(EVENTS, 2, 0);
            api.close_watches(EVENTS);
        }),
        ("unavailable", |api| {
            api.unavailable(EVENTS, 2, 0);
            api.close_watches(EVENTS);
        }),
    ];
    let stage = watched(&TIMING);
    for (round, (name, fault)) in (1..).zip(faults) {
        let restarts = stage.restarts();
        fault(&stage.api);
        change(&stage, round);
        wait(name, || stage.restarts() > restarts);
        stage.assert_knows_all();
        // Of everything, and not only of the newest versions: 7 in each round, and the 3 of before.
        wait(name, || stage.verification.lag().seen == 3 + 7 * round);
    }
    let lag = stage.verification.lag();
    assert_eq!((lag.settled, lag.unsettled, lag.forgotten), (0, 3 + 7 * 6, 0));
}

#[test]
fn an_api_server_that_restarts_is_watched_again_where_it_was() {
    let stage = watched(&TIMING);
    for round in 1..4 {
        stage.api.stop();
        change(&stage, round);
        std::thread::sleep(Duration::from_millis(700));
        stage.api.restart();
        stage.assert_knows_all();
        wait("all versions", || stage.verification.lag().seen == 3 + 7 * round);
    }
    assert_eq!(
        stage.api.requests_for(EVENTS).iter().filter(|request| request.target.contains("limit=500")).count(),
        1
    );
}

#[test]
fn a_history_that_ended_leads_to_a_list_and_hides_what_it_replaced() {
    for forget in [KubeApi::compact, |api: &KubeApi| api.keep_changes(1)] {
        let stage = watched(&TIMING);
        let last = stage.put_and_see("last");
        stage.api.stop();
        let hidden = put(&stage.api, "a");
        change(&stage, 1);
        let newest = put(&stage.api, "a");
        forget(&stage.api);
        put(&stage.api, "b");
        stage.api.restart();
        stage.wait_seen("b", newest + 1);
        stage.assert_knows_all();
        assert!(!stage.has_seen("a", hidden), "nobody can see it any more");
        let hides = stage.shared.lock().seen().unsettled().find(|(version, _)| *version == newest).unwrap();
        assert_eq!(hides.1.hides_above, Some(last));
    }
}

#[test]
fn pages_that_expire_lead_to_the_whole_list() {
    let api = KubeApi::start();
    for n in 0..1_100 {
        put(&api, &n.to_string());
    }
    // The first page comes slowly enough that its successor has expired.
    api.deliver(EVENTS, Delivery::Slow { bytes: 8_000, pause: Duration::from_millis(5) });
    let stage = Stage::of(api);
    stage.api.wait_for_request("limit=500", BOUND);
    wait("the expiry", || {
        stage.api.expire_pages();
        stage.api.requests_for(EVENTS).iter().any(|request| request.target == "/api/v1/events")
    });
    stage.api.heal(EVENTS);
    stage.assert_knows_all();
    stage.api.wait_for_watches(EVENTS, 1, BOUND);
    assert_eq!(stage.verification.lag().seen, 1_100);
}

#[test]
fn a_watch_that_fell_silent_is_found_dead_and_one_that_is_quiet_costs_two_requests() {
    let stage = watched(&SILENT_SOON);
    stage.api.fall_silent(EVENTS);
    change(&stage, 1);
    stage.api.heal(EVENTS);
    stage.assert_knows_all();
    wait("all versions", || stage.verification.lag().seen == 3 + 7);
    assert_eq!(stage.verification.totals().dead.get(), 1);
    // Other writes move etcd's version, and say nothing about events.
    stage.api.forget_requests();
    stage.api.put("pods", serde_json::json!({ "metadata": { "name": "p", "uid": "p" } }));
    let is_probe = |request: &&Request| request.parameter("limit").as_deref() == Some("1");
    // An event between a silent watch and the read after it would count as missed by that watch.
    stage.api.wait_for_requests("three silences", BOUND, |requests| {
        requests.iter().filter(is_probe).count() == 3 && requests.last().is_some_and(Request::is_watch)
    });
    let requests = stage.api.requests_for(EVENTS);
    assert!(
        requests.iter().all(|request| request.is_watch() || request.target.ends_with("?limit=1")),
        "{requests:?}"
    );
    assert_eq!(stage.verification.totals().dead.get(), 1);
    assert_eq!(stage.lines().iter().filter(|line| !line.contains("have not come through")).count(), 0);
    stage.put_and_see("after");
}

/// A quiet namespace's last version is older than the compaction in the end.
#[test]
fn a_quiet_watch_behind_the_compaction_lists_again_and_moves_on() {
    let stage = watched(&SILENT_SOON);
    let through = stage.shared.lock().seen().through();
    stage.api.put("pods", serde_json::json!({ "metadata": { "name": "p", "uid": "p" } }));
    stage.api.compact();
    wait("a list", || stage.shared.lock().seen().through() > through);
    assert_eq!(stage.verification.lag().seen, 3);
}

#[test]
fn only_the_events_of_the_namespace_are_seen() {
    let api = KubeApi::start();
    let mut elsewhere = super::support::event("b", 0, 1);
    elsewhere["metadata"]["namespace"] = "other".into();
    put(&api, "a");
    api.add(elsewhere);
    let url = api.url();
    let scope = Scope { namespace: Some("shop".to_owned()), reconcile_after: Duration::from_secs(60) };
    let stage = Stage::with(api, url, &scope, &TIMING);
    stage.api.wait_for_watches(EVENTS, 1, BOUND);
    let version = stage.put_and_see("c");
    let seen: Vec<u64> = stage.shared.lock().seen().unsettled().map(|(version, _)| version).collect();
    assert_eq!(seen, [version - 2, version]);
    assert_eq!(stage.verification.lag().overdue, 0, "a minute has not passed");
}

#[test]
fn what_is_denied_is_logged_with_the_rule_that_is_missing() {
    let api = KubeApi::start();
    api.forbid(EVENTS);
    let stage = Stage::of(api);
    let line = stage.wait_logged("have not been verified for");
    assert!(line.contains("the ClusterRole needs list and watch on events"), "{line}");
    stage.api.allow(EVENTS);
    stage.wait_logged("are verified again");
    stage.put_and_see("a");
}
