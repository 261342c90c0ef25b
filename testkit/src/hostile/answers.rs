//! What a hostile gateway answers.

use std::io::Write;
use std::sync::OnceLock;
use std::time::Duration;

use event_gateway::clock;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::dice::Dice;
use crate::gateway::Answer;

/// No acknowledgement, with or without words.
pub fn refused(status: u16, dice: &mut Dice) -> Answer {
    let answer = Answer::status(status);
    if dice.one_in(2) { answer.body("not \u{1b}[31mnow\r\n") } else { answer }
}

pub fn after_seconds(status: u16, dice: &mut Dice) -> Answer {
    refused(status, dice).header("Retry-After", if dice.one_in(2) { "0" } else { "1" })
}

/// A date has whole seconds: this is within the next two, or has just gone by.
pub fn after_date(status: u16, dice: &mut Dice) -> Answer {
    let date = clock::wall() + Duration::from_secs(u64::from(dice.one_in(2)));
    refused(status, dice).header("Retry-After", &httpdate::fmt_http_date(date))
}

pub fn redirect(elsewhere: &str, dice: &mut Dice) -> Answer {
    let status = [301, 302, 303, 307, 308][dice.below(5)];
    Answer::status(status).header("Location", elsewhere)
}

/// The answer to a request whose body has not come: whatever it says, the records were not taken.
pub fn early(dice: &mut Dice) -> Answer {
    let status = [200, 202, 204, 401, 403, 417, 429, 503][dice.below(8)];
    let answer = Answer::status(status).accepting(false);
    if status == 429 { answer.header("Retry-After", "0") } else { answer }
}

pub fn early_and_closed(dice: &mut Dice) -> Answer {
    match dice.below(3) {
        0 => Answer::raw("HTTP/1.1 202 Accepted\r\n\r\n"),
        1 => Answer::status(200).body("taken").accepting(false).then_close(),
        _ => Answer::status(202).accepting(false).then_close(),
    }
}

/// Longer than any `timeout` of a trial.
pub fn dripping(dice: &mut Dice) -> Answer {
    let answer = Answer::ok().header("X-Slow", &"x".repeat(1_000)).drip(Duration::from_millis(10));
    answer.accepting(dice.one_in(2))
}

/// The status comes at once and acknowledges; its body takes its time.
pub fn slow_body(_: &mut Dice) -> Answer {
    Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        .accepting(true)
        .then_endlessly("x")
        .drip(Duration::from_millis(5))
}

pub fn half(dice: &mut Dice) -> Answer {
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
    Answer::raw(&whole[..1 + dice.below(whole.len())]).accepting(dice.one_in(2))
}

pub fn no_http(dice: &mut Dice) -> Answer {
    let nonsense: &[u8] = match dice.below(4) {
        0 => b"SSH-2.0-OpenSSH_9.6\r\n",
        1 => b"\x15\x03\x01\x00\x02\x02\x28",
        2 => b"HTTP/2.0 200 OK\r\n\r\n",
        _ => b"HTTP/1.1 2OO OK\r\n\r\n",
    };
    Answer::raw(nonsense).accepting(dice.one_in(2))
}

pub fn http10(with_length: bool) -> Answer {
    let length = if with_length { "Content-Length: 5\r\n" } else { "" };
    Answer::raw(format!("HTTP/1.0 200 OK\r\n{length}\r\ntaken")).accepting(true)
}

pub fn endless_headers(dice: &mut Dice) -> Answer {
    let piece = "X-More: and more, and more, and more\r\n".repeat(100);
    Answer::raw("HTTP/1.1 200 OK\r\n").then_endlessly(piece).accepting(dice.one_in(2))
}

pub fn endless_interim(dice: &mut Dice) -> Answer {
    let piece =
        if dice.one_in(2) { "HTTP/1.1 100 Continue\r\n\r\n" } else { "HTTP/1.1 103 Early Hints\r\n\r\n" };
    Answer::raw("").then_endlessly(piece.repeat(10)).accepting(dice.one_in(2))
}

/// 200, which acknowledges, or 503, which does not, and whatever follows.
fn either(dice: &mut Dice, after_status: &str) -> Answer {
    let taken = dice.one_in(2);
    let status = if taken { "200 OK" } else { "503 Busy" };
    Answer::raw(format!("HTTP/1.1 {status}\r\n{after_status}")).accepting(taken)
}

pub fn endless_body(dice: &mut Dice) -> Answer {
    let piece = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    either(dice, "Transfer-Encoding: chunked\r\n\r\n").then_endlessly(piece)
}

pub fn gigabytes(dice: &mut Dice) -> Answer {
    either(dice, "Content-Length: 8589934592\r\n\r\n").then_endlessly(vec![b'x'; 64 << 10])
}

pub fn invalid_chunking(dice: &mut Dice) -> Answer {
    let body = ["zzz\r\n", "-1\r\nx\r\n", "5\r\nto", "2\r\nlonger\r\n0\r\n\r\n", "ffffffffffffffffff\r\n"]
        [dice.below(5)];
    either(dice, &format!("Transfer-Encoding: chunked\r\n\r\n{body}"))
}

/// An acknowledgement, and another behind it that nobody asked for: whoever takes it for the answer to the
/// next request loses records, as that one is refused. The first is long enough to come apart from it.
pub fn one_too_many(dice: &mut Dice) -> Answer {
    if dice.one_in(2) {
        return Answer::status(503);
    }
    let second = format!("HTTP/1.1 200 OK\r\nX-Stale: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(2_000));
    let taken = vec![b'x'; 1_000 + dice.below(3_500)];
    if dice.one_in(2) {
        let length = taken.len().to_string();
        return Answer::ok().header("Content-Length", &length).body([&taken, second.as_bytes()].concat());
    }
    Answer::ok().body(taken).then_more(second)
}

pub fn gzip(dice: &mut Dice) -> Answer {
    let status = if dice.one_in(2) { 200 } else { 503 };
    Answer::status(status).header("Content-Encoding", "gzip").body(packed(b"all of it"))
}

/// 100 MB of nothing in 100 KB.
pub fn gzip_bomb(dice: &mut Dice) -> Answer {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    let bomb = BOMB.get_or_init(|| packed(&vec![0; 100 << 20]));
    let status = if dice.one_in(2) { 200 } else { 503 };
    Answer::status(status).header("Content-Encoding", "gzip").body(bomb.clone())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).expect("a Vec takes all");
    gzip.finish().expect("a Vec takes all")
}
