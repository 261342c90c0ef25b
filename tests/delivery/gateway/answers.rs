//! What does every answer, and every lack of one, make of a batch?
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test may fail, and reads the clock"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::{posting, support};
use event_gateway::response::Disposition;
use event_gateway::response::retry_after::LONGEST_RETRY_AFTER;
use posting::{accepted, noise, open, retry};
use support::gateway::{Answer, TestGateway};
use testkit::rerun;

const MS: Duration = Duration::from_millis(1);

#[test]
fn every_class_of_status_has_its_outcome_and_its_number_of_tries() {
    let gateway = TestGateway::start();
    let mut client = open(&gateway.url(), &[]);
    let mut before = 0;
    for (status, expected, tries) in [
        (200, "Accepted", 1),
        (201, "Accepted", 1),
        (202, "Accepted", 1),
        (204, "Accepted", 1),
        (301, "Refused", 1),
        (304, "Refused", 1),
        (400, "Rejected", 1),
        (401, "Refused", 1),
        (403, "Refused", 1),
        (404, "Refused", 1),
        (405, "Refused", 1),
        (408, "Retry", 3),
        (409, "Refused", 1),
        (413, "Rejected", 1),
        (417, "Refused", 1),
        (422, "Rejected", 1),
        (425, "Retry", 3),
        (429, "Retry", 3),
        (500, "Retry", 3),
        (502, "Retry", 3),
        (503, "Retry", 3),
        (504, "Retry", 3),
        (599, "Retry", 3),
    ] {
        gateway.set_default(Answer::status(status));
        let disposition = format!("{:?}", client.post());
        assert!(disposition.starts_with(expected), "{status}: {disposition}");
        assert_eq!(gateway.requests().len() - before, tries, "{status}");
        before = gateway.requests().len();
    }
    assert_eq!(client.metrics.requests_total.get(), before as u64);
    // All but the four accepted and the three rejected ones.
    assert_eq!(client.metrics.request_retries_total.get(), before as u64 - 7);
    assert_eq!(gateway.connections(), 1, "no answer costs its connection");
}

#[test]
fn a_quick_try_repeats_the_very_same_request() {
    let gateway = TestGateway::start();
    gateway.answer(Answer::status(503));
    gateway.answer(Answer::close_after_body()); // as when an acknowledgement is lost
    let mut client = open(&gateway.url(), &[]);
    let began = Instant::now();
    assert!(accepted(&client.post()));
    assert!(began.elapsed() >= 600 * MS, "{:?}", began.elapsed());
    let requests = gateway.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        assert_eq!(request.header("idempotency-key"), Some("batch-1"));
        assert_eq!(request.body, requests[0].body);
    }
    assert_eq!(client.metrics.requests_total.get(), 3);
    assert_eq!(client.metrics.request_retries_total.get(), 2);
}

#[test]
fn a_lost_acknowledgement_is_a_retry() {
    let gateway = TestGateway::start();
    gateway.set_default(Answer::close_after_body());
    let mut client = open(&gateway.url(), &[]);
    retry(client.post());
    assert_eq!(gateway.requests().len(), 3);
}

#[test]
fn retry_after_ends_the_tries_at_once() {
    let gateway = TestGateway::start();
    let mut client = open(&gateway.url(), &[]);
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
    for (value, least_s, most_s) in
        [("7", 7, 7), ("0", 0, 0), (date.as_str(), 95, 101), ("99999999999999999999999", 600, 600)]
    {
        gateway.forget_requests();
        gateway.answer(Answer::status(429).header("Retry-After", value));
        let disposition = client.post();
        let Disposition::Retry { after: Some(after), .. } = disposition else {
            panic!("{value}: {disposition:?}")
        };
        assert!((least_s..=most_s).contains(&after.as_secs()), "{value}: {after:?}");
        assert!(after <= LONGEST_RETRY_AFTER);
        assert_eq!(gateway.requests().len(), 1, "{value}");
    }
    // A value that says nothing counts as none: the tries go on.
    gateway.forget_requests();
    gateway.set_default(Answer::status(429).header("Retry-After", "soon"));
    assert!(matches!(client.post(), Disposition::Retry { after: None, .. }));
    assert_eq!(gateway.requests().len(), 3);
}

#[test]
fn nobody_there_is_a_retry() {
    let gateway = TestGateway::start();
    let url = gateway.url();
    gateway.stop();
    let mut client = open(&url, &[]);
    let why = retry(client.post());
    assert!(why.contains("refused"), "{why}");
    assert_eq!(client.metrics.requests_total.get(), 3);
    gateway.restart();
    assert!(accepted(&client.post()));
}

#[test]
fn what_is_no_http_is_a_retry() {
    let gateway = TestGateway::start();
    let mut client = open(&gateway.url(), &[]);
    let endless_header = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'a'; 200_000]].concat();
    for raw in [
        b"".to_vec(),
        b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
        b"HTTP/1.1 200".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n".to_vec(),
        b"HTTP/1.1 abc OK\r\n\r\n".to_vec(),
        noise(10_000),
        endless_header,
    ] {
        gateway.set_default(Answer::raw(raw.clone()));
        let disposition = client.post();
        assert!(
            matches!(disposition, Disposition::Retry { .. }),
            "{disposition:?} for {:.60?}",
            String::from_utf8_lossy(&raw)
        );
    }
    assert!(retry(client.post()).contains("headers are too large"));
}

#[test]
fn the_words_of_a_rejection_are_kept_within_bounds() {
    let gateway = TestGateway::start();
    let mut client = open(&gateway.url(), &[]);
    gateway.answer(
        Answer::status(422).body("field \"x\"\nis\u{1b}[31m wrong ".to_owned() + &"é".repeat(100_000)),
    );
    let Disposition::Rejected { status: 422, answer } = client.post() else { panic!("no rejection") };
    assert!(answer.starts_with("field \"x\" is [31m wrong éé"), "{answer}");
    assert!(answer.len() <= 500 && !answer.contains(char::is_control));
    assert!(accepted(&client.post()));
    assert_eq!(gateway.connections(), 2, "the rest of the words was not read");
}

#[test]
fn twenty_batches_use_one_connection() {
    let gateway = TestGateway::start();
    gateway.set_default(Answer::ok().body(vec![b'x'; 8_000]));
    let mut client = open(&gateway.url(), &[]);
    for _ in 0..20 {
        assert!(accepted(&client.post()));
    }
    assert_eq!(gateway.requests().len(), 20);
    assert_eq!(gateway.connections(), 1);
}

#[test]
fn a_connection_closed_meanwhile_is_no_failure() {
    let gateway = TestGateway::start();
    gateway.set_default(Answer::ok().header("Connection", "keep-alive").then_close());
    let mut client = open(&gateway.url(), &[]);
    for _ in 0..3 {
        assert!(accepted(&client.post()));
        // Closed is closed: what is on its way over loopback is there.
        gateway.wait_until_all_are_closed();
    }
    assert_eq!(client.metrics.requests_total.get(), 3);
    assert_eq!(client.metrics.request_retries_total.get(), 0);
    assert_eq!(gateway.connections(), 3);
}

#[test]
fn the_body_arrives_as_it_was() {
    let gateway = TestGateway::start();
    let body = "{\"id\":\"a.1\",\"message\":\"Back-off restarting failed container\"}\n".repeat(10_000);
    for (compress, encoding) in [("gzip", Some("gzip")), ("none", None)] {
        gateway.forget_requests();
        let headers = [("compress", compress), ("headers", "X-Tenant: blue, X-Tag: one, X-Tag: two")];
        let mut client = open(&gateway.url(), &headers);
        // Large, small, empty: the buffer that is used again holds nothing of the last batch.
        for body in [body.as_bytes(), b"{}\n", b""] {
            let Disposition::Accepted { sent_bytes } = client.post_body(body) else { panic!("not accepted") };
            let request = gateway.requests().pop().unwrap();
            assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/events"));
            assert!(request.body == body, "{} bytes of {}", request.body.len(), body.len());
            assert_eq!(request.raw_body_bytes as u64, sent_bytes);
            assert_eq!(request.header("content-encoding"), encoding);
            assert_eq!(request.header("content-type"), Some("application/x-ndjson"));
            assert_eq!(request.header("idempotency-key"), Some("batch-1"));
            assert_eq!(request.header("content-length"), Some(sent_bytes.to_string().as_str()));
            let agent = format!("fluent-bit-event-gateway/{}", env!("CARGO_PKG_VERSION"));
            assert_eq!(request.header("user-agent"), Some(agent.as_str()));
            assert_eq!(request.header("x-tenant"), Some("blue"));
            let tags: Vec<_> = request.headers.iter().filter(|(name, _)| name == "x-tag").collect();
            assert_eq!(tags.len(), 2, "{tags:?}");
            assert_eq!(request.header("authorization"), None);
            assert_eq!(request.header("cookie"), None);
        }
        if compress == "gzip" {
            assert!(gateway.requests()[0].raw_body_bytes < body.len() / 10);
        }
    }
}

#[test]
fn a_redirect_is_shown_but_not_followed() {
    let (gateway, other) = (TestGateway::start(), TestGateway::start());
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "sesame-open").unwrap();
    let mut client = open(&gateway.url(), &[("bearer_token_file", token.path().to_str().unwrap())]);
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}?session=hidden-thing", other.url());
        gateway.answer(Answer::status(status).header("Location", &location).body("moved"));
        let disposition = client.post();
        let Disposition::Refused { status: seen, why, .. } = disposition else { panic!("{disposition:?}") };
        assert_eq!(seen, status);
        assert!(why.contains(&other.url()) && why.contains("endpoint"), "{why}");
        assert!(!why.contains("hidden-thing"), "{why}");
    }
    gateway.set_default(Answer::status(302)); // and one that leads nowhere
    assert!(matches!(client.post(), Disposition::Refused { status: 302, .. }));
    assert_eq!(other.connections(), 0, "nobody else hears of our credentials");
}

#[test]
fn a_refusal_lost_while_sending_is_asked_for() {
    // Such a server refuses a body by its length, does not read it, and hangs up: the answer drowns in the
    // reset. Asked first (Expect: 100-continue), it can be received.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut requests = 0;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::with_capacity(16, stream.try_clone().unwrap());
            let mut asked = false;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                asked |= line.eq_ignore_ascii_case("expect: 100-continue\r\n");
                if line == "\r\n" {
                    break;
                }
            }
            requests += 1;
            if asked {
                let _ = stream.write_all(
                    b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhuge",
                );
                return requests;
            }
        }
        requests
    });
    let mut client = open(&url, &[("compress", "none")]);
    let disposition = client.post_body(&noise(16 << 20));
    assert_eq!(disposition, Disposition::Rejected { status: 413, answer: "huge".into() });
    assert_eq!(server.join().unwrap(), 2);
}

#[test]
fn a_body_that_was_asked_for_arrives() {
    let gateway = TestGateway::start();
    gateway.answer(Answer::close_before_body());
    let mut client = open(&gateway.url(), &[("compress", "none")]);
    let body = noise(16 << 20);
    assert!(accepted(&client.post_body(&body)));
    let requests = gateway.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].header("expect"), Some("100-continue"));
    assert!(requests[1].body == body);
    // A server that knows no Expect gets the next try without.
    gateway.forget_requests();
    gateway.answer(Answer::close_before_body());
    gateway.answer(Answer::status(417));
    assert!(accepted(&client.post_body(&body)));
    assert_eq!(gateway.requests().last().unwrap().header("expect"), None);
}

#[test]
fn a_host_name_is_looked_up() {
    let gateway = TestGateway::start();
    let mut client = open(&format!("http://localhost:{}/events", gateway.port()), &[]);
    assert!(accepted(&client.post()));
    let mut lost = open("http://no-such-host.invalid/", &[("timeout", "2s")]);
    let began = Instant::now();
    retry(lost.post());
    assert!(began.elapsed() < 60_000 * MS);
}

/// Run by the test below, in a process of its own with proxies in its environment.
#[test]
#[ignore = "a part of proxies_are_used_but_not_for_loopback"]
fn with_proxies_in_the_environment() {
    let gateway = TestGateway::start();
    assert!(accepted(&open(&gateway.url(), &[]).post()), "a proxy that is not there was used for loopback");
    let why = retry(open("http://gateway.invalid/", &[]).post());
    assert!(why.contains("refused") || why.contains("proxy"), "the proxy was not used: {why}");
}

#[test]
fn proxies_are_used_but_not_for_loopback() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap(); // closed again
    let run = rerun::command(module_path!(), "with_proxies_in_the_environment")
        .env("HTTP_PROXY", format!("http://{nobody}"))
        .env("HTTPS_PROXY", format!("http://{nobody}"))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env_remove("ALL_PROXY")
        .output()
        .unwrap();
    rerun::assert_passed(&run);
}
