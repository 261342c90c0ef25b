//! Does anything that a gateway does, or does not do, hold us longer than it may?

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may fail, and reads the clock")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use super::{posting, support};
use event_gateway::response::Disposition;
use posting::{accepted, noise, open, retry};
use support::gateway::{Answer, TestGateway};

const MS: Duration = Duration::from_millis(1);
/// No machine is so busy, and whoever holds us here holds us for longer.
const SOON: Duration = Duration::from_secs(60);

#[test]
fn a_gateway_that_hangs_is_left_after_the_timeout() {
    let gateway = TestGateway::start();
    gateway.set_default(Answer::hang());
    let mut client = open(&gateway.url(), &[("timeout", "1s")]);
    let began = Instant::now();
    let why = retry(client.post());
    assert!(why.contains("no answer within 1s"), "{why}");
    // One try, a pause, another try; then the time for tries is over.
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert!(gateway.requests().len() <= 2);
}

#[test]
fn a_slow_gateway_is_tried_once() {
    let gateway = TestGateway::start();
    gateway.set_default(Answer::status(503).delay_before(1_900 * MS));
    let mut client = open(&gateway.url(), &[]);
    retry(client.post());
    assert_eq!(gateway.requests().len(), 1);
}

#[test]
fn an_answer_that_drips_is_left_after_the_timeout() {
    let gateway = TestGateway::start();
    gateway.set_default(Answer::ok().header("X-Slow", &"x".repeat(10_000)).drip(20 * MS));
    let mut client = open(&gateway.url(), &[("timeout", "500ms")]);
    let began = Instant::now();
    retry(client.post());
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn a_gateway_that_reads_nothing_is_left_after_the_timeout() {
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", deaf.local_addr().unwrap());
    let mut client = open(&url, &[("timeout", "1s"), ("compress", "none")]);
    let began = Instant::now();
    retry(client.post_body(&noise(32 << 20))); // more than the sockets' buffers
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn a_gateway_that_reads_slowly_is_left_after_the_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                while stream.read(&mut [0; 1_000]).is_ok() {
                    thread::sleep(100 * MS)
                }
            });
        }
    });
    let mut client = open(&url, &[("timeout", "1s"), ("compress", "none")]);
    let began = Instant::now();
    retry(client.post_body(&noise(32 << 20)));
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn an_acknowledgement_stands_whatever_follows_it() {
    let gateway = TestGateway::start();
    let mut client = open(&gateway.url(), &[("timeout", "1h")]);
    for answer in [
        // Cut, endless by length, endless by chunks, and more than was announced.
        Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort"),
        Answer::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n"),
        Answer::ok().body(vec![b'x'; 50 << 20]),
        Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nmore than one"),
        Answer::raw("HTTP/1.0 200 OK\r\n\r\nuntil the end"),
    ] {
        gateway.answer(answer);
        let began = Instant::now();
        assert!(accepted(&client.post()));
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    }
    assert_eq!(gateway.requests().len(), 5);
}

#[test]
fn a_body_that_never_ends_does_not_hold_us() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (stream, status) in
            listener.incoming().zip(["200 OK", "400 Bad Request", "200 OK", "400 Bad Request"])
        {
            let mut stream = stream.unwrap();
            let mut head = [0; 4_096];
            let _ = stream.read(&mut head);
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 1000000000\r\n\r\nxxx");
            // A drop every 50 ms, without end.
            thread::spawn(move || {
                while stream.write_all(b"x").is_ok() {
                    thread::sleep(50 * MS)
                }
            });
        }
    });
    let mut client = open(&url, &[("timeout", "1h")]);
    for _ in 0..2 {
        let began = Instant::now();
        assert!(accepted(&client.post()));
        assert!(
            matches!(client.post(), Disposition::Rejected { status: 400, answer } if answer.starts_with("xxx"))
        );
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    }
}

#[test]
fn a_stop_ends_a_request_that_hangs() {
    let gateway = TestGateway::start();
    gateway.set_default(Answer::hang());
    let mut client = open(&gateway.url(), &[("timeout", "1h")]);
    let stopper = client.gateway.stopper();
    thread::scope(|scope| {
        let posting = scope.spawn(|| retry(client.post()));
        gateway.wait_for_requests(1);
        let began = Instant::now();
        stopper.clone().stop();
        assert!(posting.join().unwrap().contains("stopping"));
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    });
    // And nothing goes out any more.
    assert!(retry(client.post()).contains("stopping"));
    assert_eq!(gateway.requests().len(), 1);
    assert_eq!(client.metrics.requests_total.get(), 1);
}

#[test]
fn a_stop_ends_the_pause_between_tries() {
    // A stop that comes too late for the pause comes in the next one.
    assert!((0..20).any(|_| is_the_pause_ended_by_a_stop()), "not once in twenty times");
}

fn is_the_pause_ended_by_a_stop() -> bool {
    let gateway = TestGateway::start();
    let mut client = open(&gateway.url(), &[]);
    let stopper = client.gateway.stopper();
    gateway.respond_with(move |_| {
        let stopper = stopper.clone();
        thread::spawn(move || {
            thread::sleep(50 * MS);
            stopper.stop();
        });
        Answer::status(503)
    });
    // The words of the first try: there was no other.
    let why = retry(client.post());
    why.contains("503") && gateway.requests().len() == 1
}
