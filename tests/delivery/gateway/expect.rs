//! What does each answer to `Expect: 100-continue`, and each that comes before the body is out, make of a batch?
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may fail, and start threads")]

use std::fs;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{posting, support};
use event_gateway::response::{Disposition, Doubt};
use posting::{accepted, noise, open};
use support::gateway::{Answer, Certificates, TestGateway};
use support::http::{self, Head};

const MS: Duration = Duration::from_millis(1);
/// More than is sent without asking, and no more than sockets take at once.
const LARGE_BYTES: usize = 20_000;
/// More than sockets take at once: sending it can be cut.
const HUGE_BYTES: usize = 16 << 20;

const NO_DUPLICATES: &[(&str, &str)] = &[
    ("guarantee", "no_duplicates"),
    ("state_file", "/nowhere/ledger"),
    ("dead_letter_file", "/nowhere/letters"),
    ("compress", "none"),
];
const NO_EVENT_LOSS: &[(&str, &str)] = &[("compress", "none")];

fn asks(headers: &[(String, String)]) -> bool {
    http::header(headers, "expect") == Some("100-continue")
}

/// Which of the requests asked.
fn asked(gateway: &TestGateway) -> Vec<bool> {
    gateway.requests().iter().map(|request| asks(&request.headers)).collect()
}

/// What a batch comes to.
enum Comes {
    /// To nothing with the answer: it goes out again at once, without asking, and is taken.
    Through,
    Rejected(u16),
    Refused(u16),
    /// With the gateway's own wish, in seconds.
    Wish(u64),
    /// After all the quick tries, each of which asks.
    Retry,
}

/// Every answer that is final, given to a question, on a connection that is kept open or not.
fn answers() -> Vec<(&'static str, Answer, Comes)> {
    use Comes::{Refused, Rejected, Retry, Through, Wish};
    let chunked = |status| {
        let body = "4\r\nhuge\r\n0\r\n\r\n";
        Answer::status(status).header("Transfer-Encoding", "chunked").body(body).accepting(false)
    };
    let early = |status| Answer::status(status).accepting(false);
    let huge = || Answer::status(413).body("huge");
    vec![
        ("202, open", early(202), Through),
        ("202, closed", early(202).then_close(), Through),
        ("202 with nothing else, closed", Answer::raw("HTTP/1.1 202 Accepted\r\n\r\n"), Through),
        ("200 in chunks, open", chunked(200), Through),
        ("204, open", early(204), Through),
        ("204, in drops", early(204).drip(MS), Through),
        ("417, open", early(417), Through),
        ("417, closed", early(417).then_close(), Through),
        ("413, open", huge(), Rejected(413)),
        ("413, closed", huge().then_close(), Rejected(413)),
        ("413 in chunks, open", chunked(413), Rejected(413)),
        ("413, in drops", huge().drip(MS), Rejected(413)),
        ("413 behind an interim answer, closed", Answer::raw(INTERIM_413), Rejected(413)),
        ("422, open", Answer::status(422).body("huge"), Rejected(422)),
        ("401, open", Answer::status(401), Refused(401)),
        ("403, open", Answer::status(403), Refused(403)),
        ("303, open", Answer::status(303), Refused(303)),
        ("429, open", Answer::status(429).header("Retry-After", "60"), Wish(60)),
        ("503, open", Answer::status(503), Retry),
        // The other gateways leave no doubt: they had nothing that they could take.
        ("502, open", Answer::status(502), Retry),
        ("500, closed", Answer::status(500).then_close(), Retry),
        ("half an answer, closed", Answer::raw("HTTP/1.1 413 To"), Retry),
    ]
}

const INTERIM_413: &str = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n\
                           HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nhuge";

/// Gives every answer to a question, each from a gateway of its own. Where nothing may be lost, the client asks after
/// a cut only.
fn give_all(guarantee: &[(&str, &str)], certificates: Option<&Certificates>) {
    let body = noise(if guarantee == NO_EVENT_LOSS { HUGE_BYTES } else { LARGE_BYTES });
    let ca = certificates.map(|certificates| certificates.file("ca.pem"));
    let trusted = ca.iter().map(|ca| ("ca_file", ca.to_str().unwrap()));
    let settings: Vec<_> = guarantee.iter().copied().chain(trusted).collect();
    thread::scope(|scope| {
        for (name, answer, comes) in answers() {
            let (settings, body) = (&settings, &body);
            let gateway = certificates
                .map_or_else(TestGateway::start, |certificates| TestGateway::tls(certificates.server()));
            let one = move || give(name, answer, &comes, &gateway, settings, body);
            thread::Builder::new().name(name.into()).spawn_scoped(scope, one).unwrap();
        }
    });
}

fn give(
    name: &str,
    answer: Answer,
    comes: &Comes,
    gateway: &TestGateway,
    settings: &[(&str, &str)],
    body: &[u8],
) {
    let cut_first = !settings.starts_with(NO_DUPLICATES);
    let cuts = AtomicBool::new(cut_first);
    gateway.cut_with(move |head, _| {
        let cut = cuts.swap(false, SeqCst).then(Answer::close_before_body);
        cut.or_else(|| asks(&head.headers).then(|| answer.clone()))
    });
    let mut client = open(&gateway.url(), settings);
    let disposition = client.post_body(body);

    let mut wanted = vec![false; usize::from(cut_first)];
    let open_doubt = if cut_first { Doubt::Unanswered } else { Doubt::None };
    match (comes, &disposition) {
        (Comes::Through, Disposition::Accepted { sent_bytes }) if *sent_bytes == body.len() as u64 => {
            wanted.extend([true, false]);
        }
        (Comes::Rejected(is), Disposition::Rejected { status, answer })
            if is == status && answer == "huge" =>
        {
            wanted.push(true);
        }
        (Comes::Refused(is), Disposition::Refused { status, doubt, .. }) if is == status => {
            wanted.push(true);
            assert_eq!(*doubt, open_doubt, "{name}");
        }
        (Comes::Wish(after_s), Disposition::Retry { after: Some(after), doubt, .. }) => {
            wanted.push(true);
            assert_eq!((after.as_secs(), *doubt), (*after_s, open_doubt), "{name}");
        }
        (Comes::Retry, Disposition::Retry { after: None, doubt, .. }) => {
            wanted.resize(3, true);
            assert_eq!(*doubt, open_doubt, "{name}");
        }
        _ => panic!("{name}: {disposition:?}"),
    }
    assert_eq!(asked(gateway), wanted, "{name}");
    assert_eq!(client.metrics.requests_total.get(), wanted.len() as u64, "{name}");
    // A connection on which a body was announced and never came is of no use for another request.
    assert_eq!(gateway.connections(), wanted.len(), "{name}");
    let requests = gateway.requests();
    let taken: Vec<_> = requests.iter().filter(|request| request.accepted()).collect();
    assert_eq!(taken.len(), usize::from(accepted(&disposition)), "{name}");
    assert!(taken.iter().all(|request| request.body == body), "{name}");
    drop(client);
    no_body_was_taken_for_a_request(gateway, name);
}

fn no_body_was_taken_for_a_request(gateway: &TestGateway, name: &str) {
    let complaints = gateway.complaints();
    assert!(!complaints.iter().any(|complaint| complaint.contains("line")), "{name}: {complaints:?}");
}

#[test]
fn every_large_batch_of_no_duplicates_asks_first() {
    give_all(NO_DUPLICATES, None);
}

#[test]
fn every_large_batch_of_no_duplicates_asks_first_under_tls() {
    give_all(NO_DUPLICATES, Some(&Certificates::new()));
}

#[test]
fn the_try_after_a_cut_asks_first() {
    give_all(NO_EVENT_LOSS, None);
}

#[test]
fn the_try_after_a_cut_asks_first_under_tls() {
    give_all(NO_EVENT_LOSS, Some(&Certificates::new()));
}

/// What is left of the last answer on a connection does not make the next one counted or missed.
#[test]
fn a_connection_that_was_used_before_asks_first() {
    let gateway = TestGateway::start();
    let body = noise(LARGE_BYTES);
    for before in [Answer::ok(), Answer::ok().body("taken"), Answer::status(503).header("Retry-After", "0")] {
        for pause in [None, Some(MS)] {
            let mut client = open(&gateway.url(), NO_DUPLICATES);
            gateway.cut_with(|_, _| None);
            gateway.answer(before.clone());
            client.post();
            let connections = gateway.connections();
            let huge = Answer::status(413).body("huge");
            let huge = if let Some(pause) = pause { huge.drip(pause) } else { huge };
            gateway.cut_with(move |head, _| asks(&head.headers).then(|| huge.clone()));
            let disposition = client.post_body(&body);
            assert_eq!(disposition, Disposition::Rejected { status: 413, answer: "huge".into() });
            assert_eq!(gateway.connections(), connections, "it was not used again");
            drop(client);
            no_body_was_taken_for_a_request(&gateway, "a drip");
        }
    }
}

#[test]
fn a_gateway_that_cannot_be_asked_is_not_asked_again() {
    let gateway = TestGateway::start();
    for in_vain in [202, 417] {
        gateway.forget_requests();
        gateway
            .cut_with(move |head, _| asks(&head.headers).then(|| Answer::status(in_vain).accepting(false)));
        gateway.set_default(Answer::status(503));
        let disposition = open(&gateway.url(), NO_DUPLICATES).post_body(&noise(LARGE_BYTES));
        assert!(matches!(disposition, Disposition::Retry { doubt: Doubt::None, .. }), "{disposition:?}");
        assert_eq!(asked(&gateway), [true, false, false, false]);
    }
}

/// What the client does not know it does not say: a 2xx to the headers, and then no word to the body.
#[test]
fn only_the_try_that_sends_leaves_a_doubt() {
    let gateway = TestGateway::start();
    gateway.cut_with(|head, _| asks(&head.headers).then(|| Answer::status(202).accepting(false)));
    gateway.set_default(Answer::close_after_body());
    let disposition = open(&gateway.url(), NO_DUPLICATES).post_body(&noise(LARGE_BYTES));
    assert!(matches!(disposition, Disposition::Retry { doubt: Doubt::Unanswered, .. }), "{disposition:?}");
    assert_eq!(gateway.requests().len(), 2, "and it is not sent twice");
}

#[test]
fn a_refused_token_is_read_again() {
    let token = tempfile::NamedTempFile::new().unwrap();
    fs::write(token.path(), "first").unwrap();
    let gateway = TestGateway::start();
    let file = token.path().to_owned();
    gateway.cut_with(move |head, _| {
        let is_known = head.header("authorization") == Some("Bearer other");
        // The file has the same length, and is maybe written within the same tick of the file system's clock.
        fs::write(&file, "other").unwrap();
        (!is_known).then(|| Answer::status(401))
    });
    let settings = [NO_DUPLICATES, &[("bearer_token_file", token.path().to_str().unwrap())]].concat();
    assert!(accepted(&open(&gateway.url(), &settings).post_body(&noise(LARGE_BYTES))));
    assert_eq!(asked(&gateway), [true, true]);
}

#[test]
fn a_server_that_says_continue_is_read_to_the_end() {
    let gateway = TestGateway::start();
    let body = noise(LARGE_BYTES);
    let mut client = open(&gateway.url(), NO_DUPLICATES);
    assert!(accepted(&client.post_body(&body)));
    gateway.answer(Answer::status(413).body("huge"));
    assert_eq!(client.post_body(&body), Disposition::Rejected { status: 413, answer: "huge".into() });
    // The body went out: what a gateway in trouble has done with it is open again.
    gateway.answer(Answer::status(502));
    let disposition = client.post_body(&body);
    assert!(matches!(disposition, Disposition::Retry { doubt: Doubt::Unanswered, .. }), "{disposition:?}");
    assert!(gateway.requests().iter().all(|request| asks(&request.headers) && request.body == body));
    assert_eq!(gateway.connections(), 1);
}

/// A server that is written for one connection, and ends with it.
fn serving(serve: impl FnOnce(BufReader<TcpStream>, Head) + Send + 'static) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let thread = thread::spawn(move || {
        let mut wire = BufReader::new(listener.accept().unwrap().0);
        let head = http::read_head(&mut wire).unwrap().unwrap();
        serve(wire, head);
    });
    (url, thread)
}

/// Reads the body and says nothing before.
fn body_of(wire: &mut BufReader<TcpStream>, mut head: Head) -> Vec<u8> {
    head.headers.retain(|(name, _)| name != "expect");
    http::read_body(wire, &head).unwrap()
}

#[test]
fn a_gateway_that_says_nothing_gets_the_body_all_the_same() {
    let body = noise(LARGE_BYTES);
    let wanted = body.clone();
    let (url, server) = serving(move |mut wire, head| {
        assert!(asks(&head.headers));
        assert!(body_of(&mut wire, head) == wanted);
        wire.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    assert!(accepted(&open(&url, NO_DUPLICATES).post_body(&body)));
    server.join().unwrap();
}

/// Nobody but the gateway knows how much of a body it had read when it said 2xx; it has asked for all of it, and it
/// was given all of it.
#[test]
fn an_acknowledgement_that_came_while_the_body_went_out_counts_once_it_is_out() {
    for guarantee in [NO_DUPLICATES, NO_EVENT_LOSS] {
        let body = noise(HUGE_BYTES);
        let wanted = body.clone();
        let (url, server) = serving(move |mut wire, head| {
            let go_on = if asks(&head.headers) { "HTTP/1.1 100 Continue\r\n\r\n" } else { "" };
            let early = format!("{go_on}HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
            wire.get_mut().write_all(early.as_bytes()).unwrap();
            assert!(body_of(&mut wire, head) == wanted);
        });
        assert!(accepted(&open(&url, guarantee).post_body(&body)));
        server.join().unwrap();
    }
}

/// And if it never is out, it does not: some of it went, so nobody knows.
#[test]
fn an_acknowledgement_of_half_a_body_does_not_count() {
    let body = noise(HUGE_BYTES);
    let gateway = TestGateway::start();
    let early = || Answer::status(202).accepting(false);
    let never_reads = early().then_endlessly("").drip(10 * MS);
    for (name, answer) in [("closed", early().then_close()), ("never read", never_reads)] {
        gateway.forget_requests();
        // The answer to each request is that it is of no use now.
        gateway.cut_with(move |head, _| {
            let busy = || Answer::status(503).header("Retry-After", "60");
            Some(if asks(&head.headers) { busy() } else { answer.clone() })
        });
        let mut client = open(&gateway.url(), &[NO_EVENT_LOSS, &[("timeout", "1s")]].concat());
        let disposition = client.post_body(&body);
        assert!(
            matches!(disposition, Disposition::Retry { doubt: Doubt::Unanswered, .. }),
            "{name}: {disposition:?}"
        );
        assert_eq!(gateway.requests().len(), 2, "{name}");
    }
}
