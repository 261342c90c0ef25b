//! Does the watch of events ask as it must, whatever the API server answers?

use super::script::*;
use event_gateway::topology::watch::Restored;
use event_gateway::verification::watch::Watch;

const AT_ONCE: std::time::Duration = std::time::Duration::ZERO;

#[test]
fn everything_is_listed_in_pages_and_then_watched_from_there() {
    let mut script = Script::new();
    let ask = script.ask();
    assert_eq!(ask.target, NEWEST);
    assert!(ask.accept.starts_with("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"));
    script.answer(&list("7", Some("t=1"), &[("a", "3"), ("b", "5")]), None);
    assert_eq!(script.shown(), "[7 a@3 b@5");
    assert_eq!(script.ask().target, "/api/v1/events?limit=500&continue=t%3D1");
    script.answer(&list("7", None, &[("c", "7")]), None);
    assert_eq!(script.shown(), "c@7 ]7");
    let ask = script.ask();
    assert!(ask.target.starts_with("/api/v1/events?watch=1&"), "{}", ask.target);
    assert_eq!(version_of(&ask), "7");
    assert!(ask.accept.starts_with("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"));
    script.accept();
    assert_eq!(script.status(), "followed");
    script
        .watch
        .body(&[line("ADDED", "d", "9"), line("MODIFIED", "a", "10"), line("DELETED", "b", "12")].concat());
    assert_eq!(script.shown(), "d@9 ..9 a@10 ..10 -b ..12");
    script.rest(&line("BOOKMARK", "", "15"), None);
    assert_eq!((script.shown(), version_of(&script.ask())), ("..15".to_owned(), "15"));
    let mut of_one = Script { watch: Watch::new(Some("shop")), ..Script::new() };
    assert_eq!(of_one.ask().target, "/api/v1/namespaces/shop/events?limit=500");
}

#[test]
fn a_page_that_expires_leads_to_the_whole_list_in_one_response() {
    let mut script = Script::new();
    script.answer(&list("7", Some("t1"), &[("a", "3")]), None);
    script.ask();
    script.refuse(410, None);
    assert_eq!(script.ask().target, WHOLE);
    script.answer(&list("9", None, &[("a", "3"), ("b", "9")]), None);
    assert_eq!(script.shown(), "[7 a@3 [9 a@3 b@9 ]9");
    assert_eq!(version_of(&script.ask()), "9");
}

#[test]
fn a_page_that_breaks_off_is_asked_for_again_and_a_first_one_begins_anew() {
    let mut script = Script::new();
    let first = list("7", Some("t1"), &[("a", "3"), ("b", "4")]);
    script.answer(&first[..first.len() - 3], Some("cut"));
    assert_eq!(script.shown(), "[7 a@3 b@4", "what was shown is shown");
    script.waited();
    script.answer(&list("8", Some("t2"), &[("a", "3")]), None);
    assert_eq!(script.ask().target, "/api/v1/events?limit=500&continue=t2");
    let second = list("8", None, &[("c", "5")]);
    script.answer(&second[..90], Some("cut"));
    script.waited();
    assert_eq!(script.ask().target, "/api/v1/events?limit=500&continue=t2");
    script.answer(&second, None);
    assert_eq!(script.shown(), "[8 a@3 c@5 ]8");
    script.accept();
    // A page that leads to itself would never end.
    let mut script = Script::new();
    script.answer(&list("7", Some("t1"), &[]), None);
    script.answer(&list("7", Some("t1"), &[]), None);
    script.waited();
    assert_eq!(script.ask().target, WHOLE);
}

#[test]
fn the_end_of_the_history_comes_as_a_line_and_leads_to_a_list() {
    let mut script = Script::watching("7");
    script.rest(&[line("ADDED", "a", "8"), error(410, "Expired"), line("ADDED", "b", "9")].concat(), None);
    assert_eq!(script.shown(), "a@8 ..8");
    assert_eq!(script.ask().target, NEWEST);
    script.answer(&list("20", None, &[("a", "19")]), None);
    assert_eq!(script.shown(), "[20 a@19 ]20");
    // Lists and 410 that keep alternating slow down.
    script.answer(&error(410, "Expired"), None);
    assert!(script.waited() > SECOND / 2);
    assert_eq!(script.ask().target, NEWEST);
}

/// An expiry deletes up to a thousand events with one version.
#[test]
fn a_watch_that_breaks_off_in_a_bunch_of_expiries_resumes_before_it() {
    let mut script = Script::watching("7");
    let bunch = [line("DELETED", "a", "9"), line("DELETED", "b", "9")].concat();
    script.watch.body(&bunch[..bunch.len() - 20]);
    script.now += SECOND;
    script.rest(b"", Some("cut"));
    assert_eq!(script.shown(), "-a ..9");
    script.answer(&list("9", None, &[]), None);
    assert_eq!(version_of(&script.ask()), "8");
    script.answer(&[bunch, line("ADDED", "c", "10")].concat(), Some("cut"));
    assert_eq!(script.shown(), "=9 -a ..9 -b ..9 c@10 ..10");
    script.answer(&list("10", None, &[]), None);
    assert_eq!(version_of(&script.ask()), "10");
}

#[test]
fn silence_leads_to_a_read_and_a_new_watch_that_shows_whether_the_old_one_was_dead() {
    for (read, next, dead) in [("8", "9", 0), ("9", "9", 1), ("200", "9", 1), ("200", "201", 0)] {
        let mut script = Script::watching("7");
        script.silent();
        let ask = script.ask();
        assert_eq!(ask.target, PROBE, "without a resourceVersion: out of etcd");
        script.answer(&list(read, Some("more"), &[("a", "1")]), None);
        assert_eq!(
            script.shown(),
            format!("={read}"),
            "of its items and of what was not shown it says nothing"
        );
        assert_eq!(version_of(&script.ask()), "7", "and the watch is where it was");
        script.accept();
        script.watch.body(&[line("ADDED", "b", next), line("ADDED", "c", "300")].concat());
        let output = script.output();
        assert_eq!((output.dead, output.changes.len()), (dead, 4), "{read} {next}");
    }
    // It is repeated until there is an answer.
    let mut script = Script::watching("7");
    script.silent();
    script.no_response();
    assert_eq!((script.waited(), script.ask().target.as_str()), (AT_ONCE, PROBE));
    for _ in 0..100 {
        script.no_response();
        let waited = script.waited();
        assert!(waited > SECOND / 2 && waited <= SECOND, "{waited:?}");
        assert_eq!(script.ask().target, PROBE);
    }
}

#[test]
fn a_read_or_a_list_below_what_was_seen_is_a_restored_etcd() {
    let mut script = Script::watching("7");
    script.watch.body(&line("ADDED", "a", "9"));
    script.rest(b"", Some("cut"));
    script.output();
    script.answer(&list("8", None, &[]), None);
    let restored = Restored { known: "9".to_owned(), found: "8".to_owned() };
    assert_eq!(script.output().restored, Some(restored));
    assert_eq!(script.ask().target, NEWEST);
    script.answer(&list("8", None, &[("a", "3")]), None);
    assert_eq!(script.shown(), "[8 a@3 ]8");
    assert_eq!(version_of(&script.ask()), "8");

    let mut script = Script::watching("7");
    script.rest(&error(410, "Gone"), None);
    script.output();
    script.answer(&list("5", None, &[]), None);
    assert!(script.output().restored.is_some());
    assert_eq!(version_of(&script.ask()), "5");
}

#[test]
fn what_is_no_number_is_not_shown_and_lifts_nothing() {
    let mut script = Script::watching("7");
    script
        .watch
        .body(&[line("ADDED", "a", "x1"), line("ADDED", "b", "9"), line("DELETED", "b", "x2")].concat());
    let output = script.output();
    assert_eq!((output.unordered, output.changes.len()), (1, 3), "{output:?}");
    script.rest(b"", None);
    assert_eq!(version_of(&script.ask()), "x2", "the API server knows its versions");
    // A list that has no version to compare: what comes after it is shown, and not that it is all.
    let mut script = Script::new();
    script.answer(&list("y", None, &[("a", "3")]), None);
    assert_eq!(script.shown(), "");
    assert_eq!(version_of(&script.ask()), "y");
    script.accept();
    script.watch.body(&line("ADDED", "b", "9"));
    assert_eq!(script.shown(), "b@9");
}

#[test]
fn each_status_has_its_wait() {
    let goal = |script: &mut Script| {
        let target = script.ask().target;
        if target.contains("watch=1") { "watch".to_owned() } else { target }
    };
    for (status, retry_after, reason, next) in [
        (403, None, "forbidden", "watch"),
        (404, None, "not_served", "watch"),
        (410, None, "server_error", NEWEST),
        (429, Some(3), "throttled", "watch"),
        (429, None, "throttled", "watch"),
        (503, None, "server_error", PROBE),
        (302, None, "server_error", "watch"),
    ] {
        let mut script = Script::new();
        script.answer(&list("7", None, &[]), None);
        script.ask();
        script.output();
        script.refuse(status, retry_after);
        assert_eq!(script.status(), reason, "{status}");
        let waited = script.waited();
        let least = if status == 410 { AT_ONCE } else { SECOND / 2 };
        assert!(waited >= retry_after.map_or(least, std::time::Duration::from_secs), "{status}: {waited:?}");
        assert_eq!(goal(&mut script), next, "{status}");
    }
    let mut script = Script::new();
    script.ask();
    script.refuse(401, None);
    assert_eq!((script.waited(), script.ask().renew_credentials), (AT_ONCE, true));
    script.refuse(401, None);
    assert!(script.waited() > SECOND / 2);
    // What a watch cannot begin at is listed anew.
    let mut script = Script::watching("7");
    for _ in 0..3 {
        script.rest(&error(500, "InternalError"), None);
        script.waited();
        if goal(&mut script) == "watch" {
            script.accept();
        }
    }
    assert_eq!(goal(&mut script), NEWEST);
}

#[test]
fn a_watch_that_always_ends_at_once_does_not_spin() {
    let mut script = Script::watching("7");
    script.rest(b"", None);
    assert_eq!((script.status(), script.waited()), ("ended".to_owned(), AT_ONCE));
    let mut last = AT_ONCE;
    for _ in 0..5 {
        script.answer(b"", None);
        let waited = script.waited();
        assert!(waited > last, "{waited:?}");
        last = waited;
    }
    assert_eq!(script.status(), "server_error");
}

#[test]
fn nonsense_is_skipped_or_ends_the_watch() {
    let mut script = Script::watching("7");
    let no_uid = line("ADDED", "", "8");
    script
        .watch
        .body(&[no_uid, line("TABLE", "a", "9"), b"{\"type\":\"ADDED\",\"object\":{}}\n".to_vec()].concat());
    let output = script.output();
    assert_eq!((output.skipped, output.changes.len()), (3, 2), "{output:?}");
    for broken in [
        &b"what\n"[..],
        b"{\"type\":\"ADDED\"}\n",
        b"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"uid\":\"a\",\"resourceVersion\":\"10\"}}\n",
        b"{\"type\":\"ADDED\",\"object\":{}{}}\n",
    ] {
        let mut script = Script::watching("7");
        let text = String::from_utf8_lossy(broken);
        assert!(!script.watch.body(&[broken, &line("ADDED", "b", "11")].concat()), "{text}");
        script.rest(b"", None);
        assert_eq!(script.shown(), "", "{text}");
        script.waited();
        assert_eq!(version_of(&script.ask()), "7", "{text}");
    }
}
