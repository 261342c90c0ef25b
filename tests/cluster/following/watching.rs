//! Does list and watch follow a kind as client-go's reflector does, whatever the API server answers?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use super::watch_script;
use event_gateway::topology::kind::ObjectKind;
use watch_script::*;

#[test]
fn a_list_comes_in_pages_and_is_handed_over_whole() {
    let mut script = Script::of(ObjectKind::Pod);
    assert_eq!(script.ask().target, FROM_CACHE);
    script.answer(&list("7", Some("t=1"), &["a", "b"]), None);
    assert_eq!(script.changes(), [""; 0]);
    assert_eq!(script.ask().target, "/api/v1/pods?limit=500&continue=t%3D1");
    // A page that breaks off is asked for again, and its half is not kept.
    script.answer(&list("7", Some("t2"), &["c", "d"])[..120], Some("cut"));
    script.waited();
    assert_eq!(script.ask().target, "/api/v1/pods?limit=500&continue=t%3D1");
    script.answer(&list("7", Some("t2"), &["c"]), None);
    script.answer(&list("7", None, &["d"]), None);
    assert_eq!(script.changes(), ["= a b c d"]);
    let ask = script.ask();
    assert_eq!(
        ask.target,
        "/api/v1/pods?watch=1&allowWatchBookmarks=true&timeoutSeconds=290&resourceVersion=7"
    );
    assert_eq!(ask.accept, "application/json");
}

#[test]
fn a_kind_of_which_the_metadata_is_enough_says_so() {
    let mut script = Script::of(ObjectKind::ReplicaSet);
    assert!(
        script.ask().accept.starts_with("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
    );
    assert!(script.list("7", &["a"]).accept.starts_with("application/json;as=PartialObjectMetadata;g="));
}

#[test]
fn a_watch_tells_changes_and_goes_on_from_the_last_version() {
    let mut script = Script::of(ObjectKind::Pod);
    assert_eq!(version_of(&script.list("7", &["a"])), "7");
    script.accept();
    let lines =
        [line("ADDED", &pod("b", "8")), line("MODIFIED", &pod("a", "9")), line("DELETED", &pod("b", "10"))];
    assert!(script.watch.body(&lines.concat()));
    assert_eq!(script.changes(), ["= a", "+ b@8", "+ a@9", "- b"]);
    assert!(script.watch.body(&bookmark("40")));
    // The beginning of a line whose rest never comes.
    assert!(script.watch.body(&line("MODIFIED", &pod("a", "41"))[..30]));
    script.now += 300 * SECOND;
    script.watch.body_ended(None, script.now, LONGEST);
    assert_eq!(version_of(&script.ask()), "40");
    script.accept();
    script.now += 2 * SECOND;
    assert_eq!(script.following().as_deref(), Some("followed"), "the normal end of a watch is no loss");
    script.watch.body_ended(Some("cut"), script.now, LONGEST);
    script.probe("40"); // at once
    assert_eq!(version_of(&script.ask()), "40");
    assert_eq!(script.following().as_deref(), Some("unreachable"));
}

#[test]
fn an_old_version_leads_to_the_newest_list() {
    for as_status in [true, false] {
        let mut script = Script::of(ObjectKind::Pod);
        script.list("7", &["a"]);
        if as_status {
            script.refuse(410, None);
        } else {
            script.accept();
            let event = line("ERROR", &status(410, "Expired"));
            assert!(!script.watch.body(&[event, line("ADDED", &pod("x", "9"))].concat()));
            script.watch.body_ended(None, script.now, LONGEST);
        }
        assert_eq!(script.ask().target, NEWEST, "at once");
        script.list("90", &["b"]);
        assert_eq!(script.changes(), ["= a", "= b"], "nothing of what followed the error");
        // And if that goes on, not without waits.
        let mut waited = Duration::ZERO;
        for _ in 0..6 {
            script.refuse(410, None);
            waited += script.waited();
            script.list("91", &["b"]);
        }
        assert!(waited > 20 * SECOND, "{waited:?}");
        // A good watch makes up for it.
        script.accept();
        script.now += 60 * SECOND;
        script.watch.body_ended(None, script.now, LONGEST);
        script.refuse(410, None);
        assert_eq!(script.ask().target, NEWEST, "at once");
    }
}

#[test]
fn a_token_that_ran_out_leads_to_a_list_in_one_piece() {
    let mut script = Script::of(ObjectKind::Pod);
    script.answer(&list("7", Some("t"), &["a", "b"]), None);
    script.refuse(410, None);
    assert_eq!(script.ask().target, "/api/v1/pods");
    script.list("9", &["a"]);
    assert_eq!(script.changes(), ["= a"]);
    // A page that is refused for another reason begins the list anew; one that leads to itself, too.
    let mut script = Script::of(ObjectKind::Pod);
    script.answer(&list("7", Some("t"), &["a"]), None);
    script.refuse(400, None);
    script.waited();
    assert_eq!(script.ask().target, NEWEST);
    script.answer(&list("7", Some("t"), &["a"]), None);
    script.answer(&list("7", Some("t"), &["b"]), None);
    script.waited();
    assert_eq!(script.ask().target, "/api/v1/pods");
    script.list("8", &["c"]);
    assert_eq!(script.changes(), ["= c"]);
}

#[test]
fn unauthorized_is_tried_at_once_with_the_token_read_again() {
    let mut script = Script::of(ObjectKind::Pod);
    assert!(!script.ask().renew_credentials);
    script.refuse(401, None);
    assert!(script.ask().renew_credentials, "at once");
    for _ in 0..3 {
        script.refuse(401, None);
        assert!(script.waits_for_turn());
        script.watch.wake();
        assert!(script.ask().renew_credentials);
    }
    assert_eq!(script.following().as_deref(), Some("unauthorized"));
    script.list("7", &["a"]);
    assert!(!script.ask().renew_credentials);
    script.refuse(401, None);
    assert!(script.ask().renew_credentials, "a watch as well");
    assert_eq!(script.changes(), ["= a"]);
}

#[test]
fn a_watch_that_ends_at_once_does_not_spin() {
    let mut script = Script::of(ObjectKind::Pod);
    script.list("7", &["a"]);
    let mut waited = Duration::ZERO;
    for n in 0..20 {
        script.answer(&bookmark(&format!("{}", 8 + n)), None);
        waited += script.waited();
    }
    assert!(waited > 300 * SECOND, "{waited:?}");
    assert_eq!(version_of(&script.ask()), "27");
}

#[test]
fn a_watch_that_is_refused_again_and_again_is_listed_anew() {
    for as_status in [true, false] {
        let mut script = Script::of(ObjectKind::Pod);
        script.list("700", &["a"]);
        for _ in 0..3 {
            assert_eq!(version_of(&script.ask()), "700");
            if as_status {
                script.refuse(400, None);
            } else {
                script.answer(&line("ERROR", &status(500, "InternalError")), None);
            }
            assert!(script.waited() > Duration::ZERO);
        }
        assert_eq!(script.ask().target, NEWEST);
    }
    // A line that is no event costs the watch, not the state.
    let mut script = Script::of(ObjectKind::Pod);
    script.list("7", &["a"]);
    script.accept();
    assert!(!script.watch.body(b"{\"type\":\"ADDED\",\"object\":{\n"));
    script.watch.body_ended(None, script.now, LONGEST);
    script.waited();
    assert_eq!(version_of(&script.ask()), "7");
}

#[test]
fn a_new_start_lists_the_newest() {
    let mut script = Script::of(ObjectKind::Pod);
    script.answer(&list("7", Some("t"), &["a"]), None);
    script.watch.start_over(script.now, LONGEST);
    assert!(script.waited() > Duration::ZERO);
    assert_eq!(script.ask().target, NEWEST);
    script.list("8", &["b"]);
    assert_eq!(script.changes(), ["= b"]);
}
