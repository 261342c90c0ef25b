//! Does every record come into a Unix socket as a line, once, whatever the reader does?

use std::fs;

use serde_json::Value;

use super::reader::{Manner, Reader};
use super::support::host::{Code, MiniHost};
use super::support::value;
use super::{chunk, deliver_at_last, ids, ids_of, started, wait_until};

/// More than the buffers of a socket hold, in one batch.
const LARGE: &[(&str, &str)] = &[("batch_events", "5000"), ("batch_bytes", "16M")];

/// A socket's path, and what it is as an endpoint.
fn place() -> (tempfile::TempDir, std::path::PathBuf, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gateway.sock");
    let endpoint = format!("unix://{}", path.display());
    (folder, path, endpoint)
}

#[test]
fn each_record_is_a_line_and_each_batch_is_counted() {
    let (_folder, path, endpoint) = place();
    let reader = Reader::start(&path, &[Manner::Reads]);
    let mut host = started(&endpoint, &[("batch_events", "20")]);
    for start in [0, 50, 100] {
        assert_eq!(host.deliver("a", "t", &chunk(start..start + 50)), Code::Ok);
    }
    assert_eq!(host.deliver("a", "t", &chunk(0..150)), Code::Ok, "all of them repetitions");
    let came = reader.wait_for_lines(150);
    assert_eq!(came.len(), 1, "one connection is enough");
    assert_eq!(ids_of(&came[0]), ids(0..150));
    let metrics = host.metrics_when(|metrics| value(metrics, "delivered_records_total") >= 150.0);
    assert_eq!(value(&metrics, "requests_total"), 9.0, "three batches a chunk");
    assert_eq!(value(&metrics, "sent_bytes_total"), came[0].len() as f64);
    host.quit();
}

#[test]
fn a_reader_that_is_away_is_waited_for_and_one_that_restarts_loses_nothing() {
    let (_folder, path, endpoint) = place();
    let mut host = started(&endpoint, &[]);
    assert_eq!(host.deliver("a", "t", &chunk(0..5)), Code::Retry);
    let line = host.wait_log("records wait");
    assert!(line.text.contains(&endpoint) && line.text.contains("no connection to the reader"), "{line:?}");
    let is_connect = |name: &str| name.contains("request_retries_total") && name.contains("connect");
    let metrics = host.metrics_when(|metrics| value(metrics, "request_retries_total") >= 1.0);
    let of_connect = metrics.iter().find(|(name, _)| is_connect(name)).map(|(_, value)| *value);
    assert!(
        of_connect.is_some_and(|tries| (1.0..=3.0).contains(&tries)),
        "three quick tries at most: {metrics:?}"
    );

    let reader = Reader::start(&path, &[Manner::Reads]);
    deliver_at_last(&mut host, &chunk(0..5));
    assert_eq!(ids_of(&reader.wait_for_lines(5).concat()), ids(0..5));
    drop(reader);
    let reader = Reader::start(&path, &[Manner::Reads]);
    assert_eq!(host.deliver("a", "t", &chunk(0..9)), Code::Ok, "a connection that was closed is no failure");
    assert_eq!(ids_of(&reader.wait_for_lines(4).concat()), ids(5..9));
    assert!(!host.logs().iter().any(|line| line.text.contains("unread")), "{:?}", host.logs());
    host.quit();
}

#[test]
fn a_batch_that_was_cut_comes_again_whole_over_a_new_connection() {
    let (_folder, path, endpoint) = place();
    let reader = Reader::start(&path, &[Manner::Leaves(150_001), Manner::Reads]);
    let mut host = started(&endpoint, LARGE);
    assert!(deliver_at_last(&mut host, &chunk(0..2_000)) > 0, "it was cut");
    assert_eq!(host.deliver("a", "t", &chunk(2_000..2_003)), Code::Ok);
    let came = reader.wait_for(2_003);
    let again =
        reader.wait_for_lines(2_003 + came[0].iter().filter(|byte| **byte == b'\n').count())[1].clone();
    assert_eq!((came[0].len(), came.len()), (150_001, 2));
    assert_eq!(ids_of(&again), ids(0..2_003));
    assert!(again.starts_with(&came[0]), "it came as it was");
    host.quit();
}

#[test]
fn with_no_duplicates_a_batch_that_was_cut_is_dead_lettered() {
    let (folder, path, endpoint) = place();
    let file = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (state, letters) = (file("ledger"), file("letters"));
    let reader = Reader::start(&path, &[Manner::Leaves(150_001), Manner::Reads]);
    let alone = [("guarantee", "no_duplicates"), ("state_file", &*state), ("dead_letter_file", &*letters)];
    let mut host = started(&endpoint, &[LARGE, &alone].concat());
    assert_eq!(host.deliver("a", "t", &chunk(0..2_000)), Code::Ok, "dead-lettered");
    deliver_at_last(&mut host, &chunk(0..2_001));
    wait_until("a line on another connection", || {
        reader.came().get(1).is_some_and(|came| came.ends_with(b"\n"))
    });
    assert_eq!(ids_of(&reader.came()[1]), ids(2_000..2_001));
    let dead_letter = fs::read_to_string(&letters).expect("letters");
    let dead_letter: Vec<Value> =
        dead_letter.lines().map(|line| serde_json::from_str(line).expect("a letter")).collect();
    assert!(dead_letter.iter().all(|letter| letter["reason"] == "ambiguous"));
    let dead_letter: Vec<_> =
        dead_letter.iter().map(|letter| letter["id"].as_str().expect("an id")).collect();
    assert_eq!(dead_letter, ids(0..2_000));
    host.quit();
}

/// What nobody has read of is no doubt: it can be sent again under either guarantee.
#[test]
fn with_no_duplicates_a_reader_that_is_away_dead_letters_nothing() {
    let (folder, path, endpoint) = place();
    let file = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (state, letters) = (file("ledger"), file("letters"));
    let mut host = started(
        &endpoint,
        &[("guarantee", "no_duplicates"), ("state_file", &*state), ("dead_letter_file", &*letters)],
    );
    assert_eq!(host.deliver("a", "t", &chunk(0..5)), Code::Retry);
    let reader = Reader::start(&path, &[Manner::Reads]);
    deliver_at_last(&mut host, &chunk(0..5));
    assert_eq!(ids_of(&reader.wait_for_lines(5).concat()), ids(0..5));
    assert_eq!(fs::read_to_string(&letters).expect("the file"), "");
    host.quit();
}

#[test]
fn a_reader_that_does_not_read_is_left_after_the_timeout() {
    let (_folder, path, endpoint) = place();
    let _reader = Reader::start(&path, &[Manner::Deaf]);
    let mut host = started(&endpoint, &[LARGE, &[("timeout", "300ms")]].concat());
    assert_eq!(host.deliver("a", "t", &chunk(0..2_000)), Code::Retry);
    let line = host.wait_log("within 300ms");
    assert!(line.text.contains("the reader took"), "{line:?}");
    let metrics = host.metrics_when(|metrics| value(metrics, "request_retries_total") >= 1.0);
    assert_eq!(value(&metrics, "requests_total"), 1.0, "what may have been read is not tried again at once");
    host.quit();
}

/// What comes next on the same connection would begin within a line.
#[test]
fn a_reader_that_was_too_slow_gets_the_next_over_a_new_connection() {
    let (_folder, path, endpoint) = place();
    let reader = Reader::start(&path, &[Manner::Sleeps]);
    let mut host = started(&endpoint, &[LARGE, &[("timeout", "300ms")]].concat());
    assert_eq!(host.deliver("a", "t", &chunk(0..2_000)), Code::Retry);
    reader.wake();
    deliver_at_last(&mut host, &chunk(0..2_000));
    let last_id = ids(1_999..2_000).remove(0);
    let is_whole = |came: &Vec<u8>| came.ends_with(b"\n") && ids_of(came).last() == Some(&last_id);
    wait_until("all over another connection", || reader.came().get(1).is_some_and(is_whole));
    let came = reader.came();
    assert_eq!(ids_of(&came[1]), ids(0..2_000));
    assert!(came[0].len() < came[1].len() && came[1].starts_with(&came[0]));
    host.quit();
}

#[test]
fn a_stop_does_not_wait_for_a_reader() {
    let (_folder, path, endpoint) = place();
    let reader = Reader::start(&path, &[Manner::Deaf]);
    let mut host: MiniHost = started(&endpoint, &[LARGE, &[("timeout", "1h")]].concat());
    host.flush("a", "t", &chunk(0..2_000));
    wait_until("a connection", || !reader.came().is_empty());
    // One that waited for the reader would still wait when the test gives up.
    host.exit("a");
    host.quit();
}

#[test]
fn what_a_reader_left_unread_is_counted() {
    let (_folder, path, endpoint) = place();
    let reader = Reader::start(&path, &[Manner::Deaf]);
    let mut host = started(&endpoint, &[]);
    assert_eq!(host.deliver("a", "t", &chunk(0..5)), Code::Ok, "written is accepted");
    drop(reader);
    let reader = Reader::start(&path, &[Manner::Reads]);
    assert_eq!(host.deliver("a", "t", &chunk(5..6)), Code::Ok);
    assert_eq!(host.wait_log("hung up with records unread").level, 1);
    assert_eq!(ids_of(&reader.wait_for_lines(1).concat()), ids(5..6));
    host.quit();
}
