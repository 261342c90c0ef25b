//! Is the request that another version of the plugin has left sent as it was, or left alone?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::Path;

use crate::same_request::{first_after, host, state};
use crate::support::gateway::TestGateway;

/// As the first versions left it: the same without the mark.
#[test]
fn a_request_that_an_older_version_left_is_sent_as_it_was() {
    let older = |kept: &Path| {
        let bytes = fs::read(kept).unwrap();
        assert_eq!(&bytes[..8], b"egw-sent");
        fs::write(kept, &bytes[16..]).unwrap();
    };
    assert_eq!(first_after(older, &[]), ["u1.1"]);
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
    let bytes = [&b"egw-sent"[..], &[3, 0, 0, 0, 2, 0, 0, 0], b"of the future"].concat();
    fs::write(&path, &bytes).unwrap();
    let letters = ledger.with_extension("dead");
    let careful = [("guarantee", "no_duplicates"), ("dead_letter_file", letters.to_str().unwrap())];
    for more in [&[][..], &careful] {
        let mut host = host(&gateway, &ledger, more);
        let line = host.wait_log("is ignored");
        assert_eq!(line.level, 2);
        assert!(line.text.contains("(version 3, identity rules 2)"), "{line:?}");
        host.quit();
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}
