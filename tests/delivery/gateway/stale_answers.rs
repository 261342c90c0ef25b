//! Is an answer that nobody asked for at any time taken for the answer to the next request?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use super::{posting, support};
use event_gateway::response::Disposition;
use posting::{Client, accepted, noise, open};
use support::gateway::{Answer, Certificates, TestGateway};

/// An acknowledgement of this length, another behind it, and then a gateway that takes nothing.
fn stale(gateway: &TestGateway, client: &mut Client, taken_bytes: usize) {
    let second = format!("HTTP/1.1 200 OK\r\nX-Stale: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(2_000));
    gateway.set_default(Answer::status(404));
    gateway.answer(Answer::ok().body(vec![b'x'; taken_bytes]).then_more(second));
    assert!(accepted(&client.post()));
    let disposition = client.post();
    assert!(
        !accepted(&disposition),
        "{taken_bytes} bytes: the second batch was never taken: {disposition:?}"
    );
}

/// The lengths put every border of the buffers on the way into the first answer, the second, and between them.
#[test]
fn a_stale_answer_counts_neither_in_the_clear_nor_under_tls() {
    let certificates = Certificates::new();
    let ca = certificates.file("ca.pem");
    let in_the_clear = TestGateway::start();
    let under_tls = TestGateway::tls(certificates.server());
    for (gateway, settings) in [(in_the_clear, vec![]), (under_tls, vec![("ca_file", ca.to_str().unwrap())])]
    {
        let mut client = open(&gateway.url(), &settings);
        for taken_bytes in (0..16_000).step_by(61) {
            stale(&gateway, &mut client, taken_bytes);
        }
    }
}

/// A body that was announced and not sent leaves nothing behind either: neither the answer that spared it, nor what
/// comes with that.
#[test]
fn a_stale_answer_behind_one_to_the_headers_alone_does_not_count() {
    let gateway = TestGateway::start();
    let second = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    gateway.cut_with(move |head, _| {
        head.header("expect").map(|_| Answer::status(403).body("no").then_more(second))
    });
    gateway.set_default(Answer::status(404));
    let settings = [
        ("guarantee", "no_duplicates"),
        ("state_file", "/nowhere/ledger"),
        ("dead_letter_file", "/nowhere/letters"),
        ("compress", "none"),
    ];
    let mut client = open(&gateway.url(), &settings);
    for _ in 0..3 {
        let disposition = client.post_body(&noise(20_000));
        assert!(matches!(disposition, Disposition::Refused { status: 403, .. }), "{disposition:?}");
        let disposition = client.post();
        assert!(matches!(disposition, Disposition::Refused { status: 404, .. }), "{disposition:?}");
    }
}
