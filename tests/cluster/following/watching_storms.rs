//! Does a watch go easy on an API server that is there and in trouble?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use super::watch_script;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::watch::{RequestKind, Step};
use watch_script::*;

/// How long each trouble lasts, in model time.
const TIME: Duration = Duration::from_secs(600);

/// How many requests of each sort are made while `answer` has it.
fn asked(mut script: Script, mut answer: impl FnMut(&mut Script, RequestKind)) -> [usize; 3] {
    let end = script.now + TIME;
    let mut counts = [0; 3];
    while script.now < end {
        match script.watch.next(script.now, LONGEST) {
            Step::Request(ask) => {
                counts[match ask.kind {
                    RequestKind::List => 0,
                    RequestKind::Probe => 1,
                    RequestKind::Watch => 2,
                }] += 1;
                assert!(counts.iter().sum::<usize>() < 2_000, "it spins: {counts:?}");
                answer(&mut script, ask.kind);
            }
            Step::Wait { .. } | Step::Turn => drop(script.waited()),
        }
    }
    counts
}

#[test]
fn a_list_that_is_cut_each_time_is_asked_for_less_and_less() {
    let [lists, ..] = asked(Script::of(ObjectKind::Pod), |script, _| {
        script.answer(&list("7", None, &["a", "b"])[..60], Some("cut"));
    });
    assert!((10..40).contains(&lists), "{lists}");
}

#[test]
fn a_server_that_lists_and_does_not_watch_is_not_listed_again_and_again() {
    for retry_after in [None, Some(1)] {
        let [lists, probes, watches] = asked(Script::of(ObjectKind::Pod), |script, what| match what {
            RequestKind::Watch => script.refuse(503, retry_after),
            _ => script.answer(&list("7", None, &["a"]), None),
        });
        let most = if retry_after.is_some() { 210 } else { 20 };
        assert!(lists <= most && probes <= 3 * most && watches <= 4 * most, "{lists} {probes} {watches}");
    }
}

#[test]
fn a_probe_that_is_refused_becomes_a_list() {
    let mut script = Script::of(ObjectKind::Pod);
    script.list("7", &["a"]);
    script.accept();
    script.watch.fell_silent(script.now, LONGEST);
    assert_eq!(script.ask().kind, RequestKind::Probe);
    script.refuse(400, None);
    script.waited();
    assert_eq!(script.ask().kind, RequestKind::List);
}

/// One of several API servers may just have been restarted, and the others serve other kinds.
#[test]
fn a_kind_that_was_listed_is_refused_after_five_seconds_and_not_because_others_are_served() {
    let mut script = Script::of(ObjectKind::Pod);
    script.list("7", &["a"]);
    script.accept();
    script.watch.body_ended(Some("cut"), script.now, LONGEST);
    script.following();
    let since = script.now;
    loop {
        script.another_is_served(true);
        script.waited();
        script.ask();
        script.refuse(403, None);
        let is_refused = script.following().as_deref() == Some("forbidden for good");
        assert_eq!(is_refused, script.now >= since + 5 * SECOND, "{:?}", script.now - since);
        if is_refused {
            break;
        }
    }
}

/// An API server may take long to read its roles.
#[test]
fn while_nothing_may_be_read_one_try_a_second_finds_the_end_of_it() {
    let mut script = Script::of(ObjectKind::Pod);
    script.list("7", &["a"]);
    script.accept();
    script.watch.body_ended(Some("cut"), script.now, LONGEST);
    let end = script.now + TIME;
    while script.now < end {
        let waited = script.waited();
        assert!(waited <= SECOND, "{waited:?}");
        script.ask();
        script.refuse(403, None);
    }
    assert!(script.waits_for_turn());
}

/// Another kind has found that etcd was restored.
#[test]
fn after_a_restore_each_kind_is_listed_anew_whatever_its_own_version() {
    let mut script = Script::of(ObjectKind::Service);
    script.list("450", &["a"]);
    script.accept();
    assert_eq!(script.changes(), ["= a"]);
    script.watch.body_ended(Some("cut"), script.now, LONGEST);
    script.watch.list_again();
    let ask = script.ask();
    assert_eq!((ask.kind, &*ask.target), (RequestKind::List, "/api/v1/services?limit=500"));
    script.answer(&list("440", None, &["b"]), None);
    assert_eq!(script.changes(), ["= b"], "below what was seen, and believed");
}

/// A quiet kind never proves that it is well, and an outage is no fault of its own.
#[test]
fn outages_that_follow_on_each_other_make_no_wait_longer() {
    let mut script = Script::of(ObjectKind::Pod);
    script.list("7", &["a"]);
    for outage in 0..20 {
        script.accept();
        script.now += SECOND / 2;
        script.watch.body_ended(Some("cut"), script.now, LONGEST);
        for _ in 0..3 {
            assert!(script.waited() <= SECOND, "outage {outage}");
            script.ask();
            script.watch.no_response("no route");
        }
        assert!(script.waited() <= SECOND);
        script.ask();
        script.probe("7");
    }
}
