//! Is HTTP over a Unix socket the same as over TCP: headers, answers, doubts, stops?

use std::path::PathBuf;

use super::relay::Relay;
use super::support::gateway::{Answer, TestGateway};
use super::support::host::Code;
use super::support::value;
use super::{chunk, deliver_at_last, ids, started};

struct Place {
    folder: tempfile::TempDir,
    gateway: TestGateway,
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().expect("a folder"), gateway: TestGateway::start() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("gateway.sock")
    }

    fn relay(&self) -> Relay {
        Relay::start(&self.path(), self.gateway.port())
    }

    fn endpoint(&self) -> String {
        format!("http+unix://{}:/in/events?key=S3CR3T", self.path().display())
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("UTF-8").to_owned()
    }
}

#[test]
fn requests_are_those_of_http_over_one_connection() {
    let place = Place::new();
    let _relay = place.relay();
    let mut host = started(&place.endpoint(), &[("batch_events", "20"), ("headers", "X-Key: 12345")]);
    for start in [0, 50, 100] {
        assert_eq!(host.deliver("a", "t", &chunk(start..start + 50)), Code::Ok);
    }
    let requests = place.gateway.requests();
    assert_eq!(place.gateway.accepted_ids(), ids(0..150));
    assert_eq!((requests.len(), place.gateway.connections()), (9, 1), "the connection is kept alive");
    for request in &requests {
        assert_eq!((&*request.method, &*request.path), ("POST", "/in/events?key=S3CR3T"));
        assert_eq!(request.header("host"), Some("localhost"));
        assert_eq!(request.header("content-encoding"), Some("gzip"));
        assert_eq!(request.header("x-key"), Some("12345"));
        assert!(request.header("idempotency-key").is_some_and(|key| key.len() == 32));
    }
    let metrics = host.metrics_when(|metrics| value(metrics, "delivered_records_total") >= 150.0);
    assert_eq!(value(&metrics, "requests_total"), 9.0);
    let shown = place.endpoint().replace("?key=S3CR3T", "");
    assert!(host.wait_log("delivers to").text.contains(&shown));
    assert!(!host.logs().iter().any(|line| line.text.contains("S3CR3T")), "{:?}", host.logs());
    host.quit();
}

#[test]
fn answers_mean_what_they_mean() {
    let place = Place::new();
    let _relay = place.relay();
    place.gateway.respond_with(|request| {
        if request.ids().iter().any(|id| id == "u3.1") { Answer::status(422) } else { Answer::ok() }
    });
    let letters = place.file("letters");
    let mut host = started(&place.endpoint(), &[("dead_letter_file", &letters)]);
    assert_eq!(host.deliver("a", "t", &chunk(0..8)), Code::Ok);
    let mut came = place.gateway.accepted_ids();
    came.sort();
    assert_eq!(came, [ids(0..3), ids(4..8)].concat());
    assert_eq!(super::folder::letter_ids(letters.as_ref()), ["u3.1"]);
    place.gateway.set_default(Answer::status(503).header("Retry-After", "0"));
    assert_eq!(host.deliver("a", "t", &chunk(8..9)), Code::Retry);
    assert!(host.wait_log("answered 503").text.contains("records wait"));
    host.quit();
}

#[test]
fn a_socket_that_is_away_is_waited_for_and_a_closed_connection_is_renewed() {
    let place = Place::new();
    let mut host = started(&place.endpoint(), &[]);
    assert_eq!(host.deliver("a", "t", &chunk(0..5)), Code::Retry);
    host.wait_log("records wait");
    let relay = place.relay();
    deliver_at_last(&mut host, &chunk(0..5));
    drop(relay);
    let _relay = place.relay();
    assert_eq!(
        host.deliver("a", "t", &chunk(5..9)),
        Code::Ok,
        "an idle connection that was closed is no failure"
    );
    assert_eq!(place.gateway.accepted_ids(), ids(0..9));
    host.quit();
}

#[test]
fn an_answer_that_gets_lost_brings_the_same_request_again() {
    let place = Place::new();
    let _relay = place.relay();
    place.gateway.answer(Answer::close_after_body());
    let mut host = started(&place.endpoint(), &[]);
    deliver_at_last(&mut host, &chunk(0..5));
    let requests = place.gateway.requests();
    let key = |at: usize| requests[at].header("idempotency-key").expect("a key");
    assert_eq!((requests.len(), key(0), &requests[0].body), (2, key(1), &requests[1].body));
    host.quit();
}

#[test]
fn with_no_duplicates_an_answer_that_gets_lost_is_a_doubt() {
    let place = Place::new();
    let _relay = place.relay();
    place.gateway.answer(Answer::close_after_body());
    let (state, letters) = (place.file("ledger"), place.file("letters"));
    let alone = [("guarantee", "no_duplicates"), ("state_file", &*state), ("dead_letter_file", &*letters)];
    let mut host = started(&place.endpoint(), &alone);
    assert_eq!(host.deliver("a", "t", &chunk(0..5)), Code::Ok);
    assert_eq!(place.gateway.request_count(), 1);
    assert_eq!(super::folder::letter_ids(letters.as_ref()), ids(0..5));
    // A large body is asked for first, over a socket, too.
    let large = ("compress", "none");
    let mut other =
        started(&place.endpoint(), &[large, alone[0], ("state_file", &place.file("other")), alone[2]]);
    assert_eq!(other.deliver("a", "t", &chunk(5..105)), Code::Ok);
    let asked = place.gateway.requests();
    assert_eq!(asked[1].header("expect"), Some("100-continue"));
    assert_eq!(asked[1].ids(), ids(5..105));
    host.quit();
    other.quit();
}

#[test]
fn a_gateway_that_hangs_is_left_and_a_stop_does_not_wait_for_it() {
    let place = Place::new();
    let _relay = place.relay();
    place.gateway.set_default(Answer::hang());
    let mut host = started(&place.endpoint(), &[("timeout", "300ms")]);
    assert_eq!(host.deliver("a", "t", &chunk(0..5)), Code::Retry);
    assert!(host.wait_log("no answer within 300ms").text.contains("records wait"));
    host.quit();

    let before = place.gateway.request_count();
    let mut host = started(&place.endpoint(), &[("timeout", "1h")]);
    host.flush("a", "t", &chunk(0..5));
    place.gateway.wait_for_requests(before + 1);
    // One that waited for the answer would still wait when the test gives up.
    host.exit("a");
    host.quit();
}
