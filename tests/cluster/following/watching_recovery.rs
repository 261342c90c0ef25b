//! How soon does a watch go on, whatever kept it from that, and what does it report meanwhile?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use super::watch_script;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::watch::ObjectChange;
use watch_script::*;

const HALF: Duration = Duration::from_millis(500);

/// A kind that was listed at version 7, and whose watch was open.
fn watched() -> Script {
    let mut script = Script::of(ObjectKind::Pod);
    script.list("7", &["a"]);
    script.accept();
    script.now += 60 * SECOND;
    script.watch.body_ended(None, script.now, LONGEST);
    assert_eq!(script.following().as_deref(), Some("followed"));
    script
}

/// An API server that has just started forbids everything until it knows the roles.
#[test]
fn a_denial_is_asked_again_soon_and_where_it_was_denied() {
    for (code, reason) in [(403, "forbidden"), (404, "not_served")] {
        let mut script = watched();
        for _ in 0..4 {
            assert_eq!(version_of(&script.ask()), "7");
            script.refuse(code, None);
            assert_eq!(script.following().as_deref(), Some(reason));
            assert!(script.wakes());
            let waited = script.waited();
            assert!((HALF..SECOND).contains(&waited), "{waited:?}");
        }
        script.accept();
        assert_eq!(script.following().as_deref(), Some("followed"));
        // In the middle of a list as well.
        let mut script = Script::of(ObjectKind::Pod);
        script.answer(&list("7", Some("t"), &["a"]), None);
        script.refuse(code, None);
        script.waited();
        assert_eq!(script.ask().target, "/api/v1/pods?limit=500&continue=t");
        script.answer(&list("7", None, &["b"]), None);
        assert_eq!(script.changes(), ["= a b"]);
    }
}

#[test]
fn a_denial_is_believed_after_five_seconds_or_when_others_are_served() {
    for code in [403, 404] {
        let mut script = Script::of(ObjectKind::Ingress);
        let began = script.now;
        while script.changes() != ["given up"] {
            script.waited();
            script.ask();
            script.refuse(code, None);
        }
        let lasted = script.now - began;
        assert!((5 * SECOND..6 * SECOND).contains(&lasted), "{lasted:?}");

        let mut script = Script::of(ObjectKind::Ingress);
        script.ask();
        script.refuse(code, None);
        // The roles came in between; this request was on its way already.
        script.another_is_served(true);
        script.waited();
        script.ask();
        script.refuse(code, None);
        assert!(script.watch.take().changes.contains(&ObjectChange::GivenUp));
        // Longer and longer, and once.
        for seconds in [5, 10, 20, 40, 80, 160, 300, 300] {
            assert!(script.wakes());
            let wait = script.waited();
            assert!((seconds * SECOND..=seconds * SECOND * 11 / 10).contains(&wait), "{wait:?}");
            script.ask();
            script.refuse(code, None);
            assert_eq!(script.changes(), [""; 0]);
        }
        script.list("7", &["a"]);
        script.accept();
        let output = script.watch.take();
        assert_eq!(output.changes.iter().map(shown).collect::<Vec<_>>(), ["= a"]);
        assert!(output.got_through);
        // And the next denial is a new one.
        script.watch.body_ended(Some("cut"), script.now, LONGEST);
        script.ask();
        script.refuse(code, None);
        assert!(script.waited() < SECOND);
    }
}

#[test]
fn another_that_was_served_before_the_first_denial_proves_nothing() {
    let mut script = Script::of(ObjectKind::Ingress);
    script.another_is_served(false);
    script.now += SECOND;
    for _ in 0..4 {
        script.ask();
        script.refuse(403, None);
        assert!(script.waited() < SECOND);
    }
    assert_eq!(script.changes(), [""; 0]);
    // Nor one while the request was under way.
    let mut script = Script::of(ObjectKind::Ingress);
    script.refuse(403, None);
    script.waited();
    script.ask();
    script.another_is_served(false);
    script.refuse(403, None);
    assert_eq!(script.following().as_deref(), Some("forbidden"));
}

#[test]
fn at_the_first_start_it_is_enough_that_others_are_followed() {
    let denied_twice = |mut script: Script| {
        script.another_is_served(true);
        for _ in 0..2 {
            script.waited();
            script.ask();
            script.refuse(403, None);
        }
        script.following()
    };
    assert_eq!(denied_twice(Script::of(ObjectKind::Pod)).as_deref(), Some("forbidden for good"));
    // Later one of several API servers may have been restarted.
    assert_eq!(denied_twice(watched()).as_deref(), Some("forbidden"));
}

/// The same kind, denied for longer than five seconds.
fn refused_at_last() -> Script {
    let mut script = watched();
    script.another_is_served(true);
    for _ in 0..7 {
        script.ask();
        script.refuse(403, None);
        script.another_is_served(true);
        script.waited();
    }
    script
}

#[test]
fn what_was_listed_stays_when_it_is_refused_later_and_no_earlier_list_follows() {
    let mut script = refused_at_last();
    assert_eq!(script.following().as_deref(), Some("forbidden for good"));
    assert_eq!(script.ask().target, NEWEST, "listed now and then in place of a watch");
    script.refuse(403, None);
    script.waited();
    assert_eq!(script.changes(), [""; 0], "nothing is given up");
    let target = script.ask().target;
    assert_eq!(target, "/api/v1/pods?limit=500&resourceVersion=7&resourceVersionMatch=NotOlderThan");
}

#[test]
fn the_servers_own_wish_counts_up_to_a_minute_and_nobody_wakes_it() {
    for (code, reason) in [(429, "throttled"), (503, "server_error"), (500, "server_error")] {
        let mut script = watched();
        script.another_is_served(true);
        for (wish, waited) in [(3, 3), (50, 50), (3_600, 60)] {
            script.refuse(code, Some(wish));
            assert_eq!(script.following().as_deref(), Some(reason));
            assert!(!script.wakes());
            assert_eq!(script.waited().as_secs(), waited);
        }
    }
    // A load balancer's wish while the API server is away: one of all kinds goes on to try.
    let mut script = watched();
    script.refuse(503, Some(60));
    assert!(script.waits_for_turn());
}

#[test]
fn without_a_response_the_kinds_take_turns_and_begin_with_a_probe() {
    let mut script = watched();
    script.watch.no_response("no route");
    script.ask(); // the connection may have been the cause
    for _ in 0..5 {
        script.watch.no_response("no route");
        assert!(script.waits_for_turn());
        script.watch.wake();
        assert_eq!(script.ask().target, PROBE);
    }
    assert_eq!(script.following().as_deref(), Some("unreachable"));
    script.refuse(500, None);
    assert!(script.waits_for_turn(), "it is not back");
    script.watch.wake();
    script.probe("7");
    assert!(script.watch.take().got_through);
    assert_eq!(version_of(&script.ask()), "7");
    script.accept();
    assert_eq!(script.following().as_deref(), Some("followed"));
    // A new outage, a new start.
    script.watch.body_ended(Some("cut"), script.now + 60 * SECOND, LONGEST);
    assert_eq!(script.ask().target, PROBE);
}

#[test]
fn a_kind_that_fares_badly_alone_waits_longer_and_longer() {
    for nonsense in [true, false] {
        let mut script = watched();
        script.another_is_served(true);
        if nonsense {
            script.refuse(410, None);
        }
        let mut waits = Vec::new();
        for _ in 0..8 {
            if nonsense {
                script.answer(b"<html>", None);
            } else {
                script.refuse(500, None);
            }
            assert!(script.wakes());
            waits.push(script.waited().as_millis());
        }
        assert_eq!(waits, [799, 1_599, 3_199, 6_399, 12_799, 25_599, 29_999, 29_999]);
    }
}

#[test]
fn a_silent_watch_is_probed_and_only_an_older_version_is_a_restore() {
    for (found, restored) in [("7", false), ("8", false), ("6", true), ("six", false)] {
        let mut script = watched();
        script.accept();
        script.watch.take();
        script.watch.fell_silent(script.now, LONGEST);
        assert_eq!(script.following().as_deref(), Some("ended"), "silence proves nothing");
        script.probe(found);
        let restored_to = script.watch.take().restored;
        assert_eq!(restored_to.is_some(), restored, "{found}: {restored_to:?}");
        if restored {
            assert_eq!(restored_to.unwrap().known, "7");
            assert_eq!(script.ask().target, NEWEST);
            assert_eq!(version_of(&script.list(found, &["a"])), found);
        } else {
            assert_eq!(version_of(&script.ask()), "7");
        }
    }
    // Where the versions are no numbers, nothing is proven.
    let mut script = Script::of(ObjectKind::Pod);
    script.list("b", &["a"]);
    script.accept();
    script.watch.fell_silent(script.now, LONGEST);
    script.probe("a");
    assert!(script.watch.take().restored.is_none());
    assert_eq!(version_of(&script.ask()), "b");
}

#[test]
fn a_newest_list_below_what_was_seen_is_a_restore_as_well() {
    let mut script = watched();
    script.refuse(410, None);
    script.list("3", &["b"]);
    let output = script.watch.take();
    assert!(output.restored.is_some());
    assert_eq!(output.changes.iter().map(shown).collect::<Vec<_>>(), ["= b"]);
}

/// Three API servers behind one address, of which one lags.
#[test]
fn a_list_from_a_cache_that_lags_behind_is_not_taken() {
    let refused = || {
        let mut script = refused_at_last();
        script.ask();
        script.refuse(403, None);
        script.waited();
        script.watch.take();
        script
    };
    // It says that it has not seen so much, until a consistent read decides.
    let mut script = refused();
    for _ in 0..3 {
        assert!(script.ask().target.ends_with("NotOlderThan"));
        script.refuse(504, Some(1));
        assert_eq!(script.waited(), SECOND);
    }
    assert_eq!(script.ask().target, NEWEST);
    // It does not know the parameter, and answers with what it has.
    let mut script = refused();
    script.answer(&list("5", None, &["old"]), None);
    assert_eq!(script.changes(), [""; 0]);
    assert_eq!(script.ask().target, NEWEST);
    script.list("9", &["new"]);
    assert_eq!(script.changes(), ["= new"]);
}
