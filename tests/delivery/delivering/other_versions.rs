//! Is the request that another version of the plugin has left never misread, and is there a line that says what follows?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::Path;

use super::same_request::{first_after, host, state};
use super::support::gateway::TestGateway;

/// It has no check, so that anybody may have written it.
#[test]
fn a_request_that_an_older_version_left_is_not_sent_and_a_line_says_so() {
    // As the first version wrote it, and the same behind the mark of the second.
    let first = include_bytes!("../../data/state/request-1");
    let second = [&b"egw-sent"[..], &[2, 0, 0, 0, 2, 0, 0, 0], first].concat();
    for bytes in [&first[..], &second] {
        assert_eq!(first_after(|kept| fs::write(kept, bytes).unwrap(), &[]), ["x.1", "u1.1"]);
        let (gateway, (_folder, ledger)) = (TestGateway::start(), state());
        fs::write(ledger.with_extension("in-flight"), bytes).unwrap();
        let letters = ledger.with_extension("dead");
        let careful = [("guarantee", "no_duplicates"), ("dead_letter_file", letters.to_str().unwrap())];
        let cases = [(&[][..], "its records come again in other requests"), (&careful, "in doubt")];
        for (more, then) in cases {
            let mut host = host(&gateway, &ledger, more);
            let line = host.wait_log("of an older version of this plugin, which added no check");
            assert!(line.level == 2 && line.text.contains(then), "{line:?}");
            host.quit();
        }
        assert_eq!(gateway.requests().len(), 0);
    }
}

#[test]
fn a_request_of_a_newer_version_is_ignored_with_a_line() {
    for at in [8, 12] {
        let newer = |kept: &Path| {
            let mut bytes = fs::read(kept).unwrap();
            bytes[at] += 1;
            fs::write(kept, bytes).unwrap();
        };
        assert_eq!(first_after(newer, &[]), ["x.1", "u1.1"]);
    }
    // And it is still there for that version, until another request needs its place.
    let (gateway, (_folder, ledger)) = (TestGateway::start(), state());
    let path = ledger.with_extension("in-flight");
    let bytes = [&b"egw-sent"[..], &[4, 0, 0, 0, 2, 0, 0, 0], b"of the future"].concat();
    fs::write(&path, &bytes).unwrap();
    let letters = ledger.with_extension("dead");
    let careful = [("guarantee", "no_duplicates"), ("dead_letter_file", letters.to_str().unwrap())];
    for more in [&[][..], &careful] {
        let mut host = host(&gateway, &ledger, more);
        let line = host.wait_log("is ignored");
        assert_eq!(line.level, 2);
        assert!(line.text.contains("(version 4, identity rules 2)"), "{line:?}");
        host.quit();
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}
