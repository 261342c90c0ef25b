//! Does a watch go on over what no API server should send, cut wherever it may be? Mutants are tried in `mutations`.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use super::{cases, watch_script};
use cases::cases;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::watch::{LossReason, Output, WatchStatus};
use proptest::prelude::*;
use serde_json::{Value, json};
use watch_script::*;

#[test]
fn absurd_objects_are_left_out_and_counted() {
    let deep = |levels: usize| {
        serde_json::from_str::<Value>(&format!("{}{}", "[".repeat(levels), "]".repeat(levels))).unwrap()
    };
    let mut odd = pod("deep", "3");
    odd["status"] = json!({"x": deep(62)});
    let items = [
        json!(null),
        json!(7),
        json!({}),
        json!({"metadata": null}),
        json!({"metadata": {"uid": "u", "name": ""}}),
        json!({"metadata": {"uid": 7, "name": "x"}}),
        odd.clone(),
        pod("good", "5"),
    ];
    let mut script = Script::of(ObjectKind::Pod);
    let body = json!({"items": items, "metadata": {"resourceVersion": "7"}});
    script.answer(&serde_json::to_vec(&body).unwrap(), None);
    let mut lines: Vec<u8> = items.iter().flat_map(|item| line("ADDED", item)).collect();
    lines.extend(line("UNHEARD OF", &pod("x", "8")));
    lines.extend(line("MODIFIED", &json!({"metadata": {"resourceVersion": "9"}})));
    odd["status"] = json!({"x": deep(63)});
    lines.extend(line("ADDED", &odd));
    script.accept();
    assert!(script.watch.body(&lines));
    script.now += 60 * SECOND;
    script.watch.body_ended(None, script.now, LONGEST);
    let Output { changes, skipped, .. } = script.watch.take();
    let changes: Vec<_> = changes.iter().map(shown).collect();
    assert_eq!(changes, ["= deep good", "+ deep@3", "+ good@5"]);
    assert_eq!(skipped, 6 + 6 + 3);
    assert_eq!(version_of(&script.ask()), "9", "what is of no use was sent all the same");
}

#[test]
fn lists_without_a_version_or_an_end_are_not_taken() {
    for (body, why) in [
        (json!({"items": []}).to_string(), "no resourceVersion"),
        (
            json!({"items": [pod("a", "1")], "metadata": {"resourceVersion": ""}}).to_string(),
            "no resourceVersion",
        ),
        ("{\"items\":[{]}".to_owned(), "byte 11"),
        ("<html>".to_owned(), "byte 0"),
        (String::new(), "byte 0"),
    ] {
        let mut script = Script::of(ObjectKind::Pod);
        for _ in 0..3 {
            script.answer(body.as_bytes(), None);
            assert!(script.waited() > Duration::ZERO);
            assert_eq!(script.ask().target, FROM_CACHE);
        }
        let Output { changes, following, .. } = script.watch.take();
        assert_eq!(changes, []);
        let Some(WatchStatus::Lost { reason: LossReason::Unreadable, why: said, .. }) = following else {
            panic!("{following:?}")
        };
        assert!(said.contains(why), "{said}");
    }
}

/// A list and a watch, their bytes in pieces; what came of it, as text.
fn played(list_body: &[u8], watch_body: &[u8], mut cut: impl FnMut(usize) -> usize) -> String {
    let mut script = Script::of(ObjectKind::Pod);
    let mut feed = |script: &mut Script, mut body: &[u8]| {
        script.accept();
        while !body.is_empty() {
            let (piece, rest) = body.split_at(cut(body.len()).clamp(1, body.len()));
            if !script.watch.body(piece) {
                break;
            }
            body = rest;
        }
        script.watch.body_ended(None, script.now, LONGEST);
    };
    feed(&mut script, list_body);
    let waited = script.waited();
    feed(&mut script, watch_body);
    let waited = (waited, script.waited());
    let Output { changes, following, skipped, restarts, .. } = script.watch.take();
    let changes: Vec<_> = changes.iter().map(shown).collect();
    format!("{changes:?} {following:?} {skipped} {restarts} {waited:?} {:?}", script.ask())
}

fn transcript() -> (Vec<u8>, Vec<u8>) {
    let lines = [
        line("ADDED", &pod("c", "8")),
        b"\r\n\n".to_vec(),
        line("MODIFIED", &pod("ä\"}", "9")),
        bookmark("12"),
        line("DELETED", &pod("c", "13")),
        line("MODIFIED", &json!({"metadata": {"resourceVersion": "14"}})),
        line("ERROR", &status(500, "InternalError")),
    ];
    (list("7", None, &["a", "b"]), lines.concat())
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn no_cut_changes_anything(
        sizes in proptest::collection::vec(1usize..90, 1..20),
        changes in proptest::collection::vec((any::<bool>(), any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let (mut list, mut watch) = transcript();
        for (of_list, at, byte) in changes {
            let body = if of_list { &mut list } else { &mut watch };
            let at = at.index(body.len());
            body[at] = byte;
        }
        let whole = played(&list, &watch, |len| len);
        let mut sizes = sizes.iter().cycle();
        prop_assert_eq!(&played(&list, &watch, |_| *sizes.next().unwrap()), &whole);
        prop_assert_eq!(&played(&list, &watch, |_| 1), &whole);
    }
}
