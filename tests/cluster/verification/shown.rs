//! Does the watch show the same, wherever its bytes are cut, and does it show what the API server wrote?

use super::script::*;
use super::support::chunk::{data_file, recording_events};
use super::support::dice::Dice;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::identity::Identity;
use event_gateway::record::text::Repair;
use event_gateway::verification::change::{Change, event};
use serde_json::Value;

/// All bodies of one run: two pages of a list, a probe, and a watch.
fn bodies() -> Vec<Vec<u8>> {
    let lines = [
        line("ADDED", "c", "20"),
        line("MODIFIED", "ü\"\\", "21"),
        line("DELETED", "a", "22"),
        line("DELETED", "b", "22"),
        line("ADDED", "d", "x"),
        error(410, "Expired"),
    ];
    vec![
        list("17", Some("t1"), &[("a", "3"), ("b", "12")]),
        list("17", None, &[("c", "17"), ("", "5"), ("d", "z")]),
        lines.concat(),
        list_with_its_head_behind("30", &[("c", "20"), ("d", "29")]),
    ]
}

/// What is shown if each body comes in these pieces.
fn shown(bodies: &[Vec<u8>], mut pieces: impl FnMut(&[u8]) -> Vec<Vec<u8>>) -> (Vec<Change>, [u64; 2]) {
    let (mut script, mut changes, mut dropped) = (Script::new(), Vec::new(), [0; 2]);
    for body in bodies {
        script.waited();
        script.accept();
        for piece in pieces(body) {
            script.watch.body(&piece);
        }
        script.rest(b"", None);
        let output = script.output();
        changes.extend(output.changes);
        dropped = [dropped[0] + output.skipped, dropped[1] + output.unordered];
    }
    (changes, dropped)
}

#[test]
fn any_cut_shows_the_same() {
    let bodies = bodies();
    let whole = shown(&bodies, |body| vec![body.to_vec()]);
    assert_eq!((whole.0.len(), whole.1), (17, [1, 2]), "{whole:?}");
    let longest = bodies.iter().map(Vec::len).max().unwrap();
    for cut in 0..longest {
        let two = |body: &[u8]| {
            let (first, rest) = body.split_at(cut.min(body.len()));
            vec![first.to_vec(), rest.to_vec()]
        };
        assert_eq!(shown(&bodies, two), whole, "cut at {cut}");
        let equal = |body: &[u8]| body.chunks(cut + 1).map(<[u8]>::to_vec).collect();
        assert_eq!(shown(&bodies, equal), whole, "in pieces of {}", cut + 1);
    }
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let any = |mut body: &[u8]| {
            let mut pieces = Vec::new();
            while !body.is_empty() {
                let (piece, rest) = body.split_at(dice.below(300).min(body.len()));
                pieces.push(piece.to_vec());
                body = rest;
            }
            pieces
        };
        assert_eq!(shown(&bodies, any), whole, "seed {seed}");
    }
}

/// The lines that a real API server wrote: whole events, as one sends that knows no partial ones.
#[test]
fn a_recorded_watch_shows_each_version() {
    let recorded = std::fs::read(data_file("watch-core-v1.ndjson")).unwrap();
    let mut script = Script::watching("1");
    recorded.chunks(1_000).for_each(|piece| assert!(script.watch.body(piece)));
    let output = script.output();
    let text = String::from_utf8(recorded).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut wanted = Vec::new();
    for line in lines {
        let metadata = &line["object"]["metadata"];
        let version = metadata["resourceVersion"].as_str().unwrap().parse().unwrap();
        if line["type"] != "BOOKMARK" {
            wanted.push(Change::Seen { event: event(metadata["uid"].as_str().unwrap()), version });
        }
        wanted.push(Change::Through(version));
    }
    assert_eq!(wanted.len(), 491 * 2 + 490 * 2 + 1);
    assert_eq!((output.changes, output.skipped, output.unordered), (wanted, 0, 0));
}

/// What the pipeline settles has to be found by what the verification has shown.
#[test]
fn an_event_is_the_same_for_the_ledger() {
    for value in recording_events().iter().take(50) {
        let uid = value["metadata"]["uid"].as_str().unwrap();
        let body = rmp_serde::to_vec(value).unwrap();
        let read = KubeEvent::read(&body, &Repair::default()).unwrap().unwrap();
        assert_eq!(event_gateway::record::identity::series(&read), Identity(event(uid)), "{uid}");
    }
}

/// Whatever comes, nothing panics, and once the API server is well again, it watches.
#[test]
fn whatever_the_api_server_answers_it_goes_on() {
    let bodies = bodies();
    for seed in 0..3_000 {
        let mut dice = Dice(seed);
        let mut script = Script::new();
        for _ in 0..30 {
            script.waited();
            script.ask();
            let status = [200, 200, 200, 200, 401, 403, 410, 429, 500, 302][dice.below(10)];
            if dice.one_in(8) {
                script.no_response();
            } else if script.watch.response(status, None, script.now, dice.roll()) {
                let mut body = bodies[dice.below(bodies.len())].clone();
                if dice.one_in(3) {
                    let at = dice.below(body.len());
                    body[at] = dice.roll().to_le_bytes()[0];
                }
                body.truncate(if dice.one_in(3) { dice.below(body.len()) } else { body.len() });
                body.chunks(1 + dice.below(400)).all(|piece| script.watch.body(piece));
                script.now += SECOND / 4;
                match dice.below(3) {
                    0 => script.silent(),
                    1 => script.rest(b"", Some("cut")),
                    _ => script.rest(b"", None),
                }
            }
        }
        // When it is well again, everything is listed or watched in the end.
        script.rest(b"", Some("cut"));
        let watches = (0..20).any(|_| {
            script.waited();
            let target = script.ask().target;
            script.answer(&list("900", None, &[("a", "899")]), None);
            target.contains("watch=1")
        });
        assert!(watches, "seed {seed}");
    }
}
