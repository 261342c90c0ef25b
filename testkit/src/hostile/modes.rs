//! The table of all ways to fail, each by its name.

use super::answers;
use super::dice::Dice;
use super::papers::Papers;
use crate::gateway::{Answer, Welcome};

/// One way to fail.
pub struct Mode {
    pub name: &'static str,
    pub place: Place,
    /// It spoils so many requests, connections or look-ups in a row at the most; enough to matter, and few
    /// enough for a trial of seconds, as the plugin waits longer after every failure.
    pub most: usize,
    /// The plugin finds out by waiting for its `timeout`.
    pub waits: bool,
    /// Nobody but the gateway can tell whether it took the records.
    pub doubtful: bool,
}

/// Where a mode strikes.
pub enum Place {
    /// In the answer to a request that was read.
    Answer(fn(&mut Dice) -> Answer),
    /// The same, given the URL of a server that nobody is to ask.
    Redirect(fn(&str, &mut Dice) -> Answer),
    /// Once the headers of a request are read.
    Head(fn() -> Answer),
    /// The same, in answer to one that asks first. A large one that does not is cut off, so that the next one asks.
    Asked(fn(&mut Dice) -> Answer),
    /// When a connection is made; for those with another certificate the gateway speaks TLS.
    Connection {
        welcome: fn(&Papers) -> Welcome,
        tls: bool,
    },
    /// When the gateway's name is looked up: a line for the mini host's `names.c`.
    Name(fn(&mut Dice) -> String),
    /// The gateway wants another token than the one in the file.
    Token,
    /// For good: some records, or all above a size, are never taken.
    Chosen,
    Oversize,
}

const fn mode(name: &'static str, most: usize, place: Place) -> Mode {
    Mode { name, place, most, waits: false, doubtful: false }
}

impl Mode {
    const fn waiting(self) -> Mode {
        Mode { waits: true, ..self }
    }

    const fn in_doubt(self) -> Mode {
        Mode { doubtful: true, ..self }
    }

    /// Whether it can only be played by a gateway that speaks TLS.
    pub fn needs_tls(&self) -> bool {
        matches!(self.place, Place::Connection { tls: true, .. })
    }
}

pub static MODES: &[Mode] = &[
    mode("500", 4, Place::Answer(|dice| answers::refused(500, dice).accepting(dice.one_in(2)))).in_doubt(),
    mode("502", 4, Place::Answer(|dice| answers::refused(502, dice).accepting(dice.one_in(2)))).in_doubt(),
    mode("503", 4, Place::Answer(|dice| answers::refused(503, dice))),
    mode("503, Retry-After in seconds", 2, Place::Answer(|dice| answers::after_seconds(503, dice))),
    mode("503, Retry-After as a date", 2, Place::Answer(|dice| answers::after_date(503, dice))),
    mode("429", 2, Place::Answer(|dice| answers::after_seconds(429, dice))),
    mode("408", 4, Place::Answer(|dice| answers::refused(408, dice).accepting(dice.one_in(2)))).in_doubt(),
    mode("413 above a size", 0, Place::Oversize),
    mode("400 for chosen ids", 0, Place::Chosen),
    mode("401 until the token changes", 2, Place::Token),
    mode("404", 2, Place::Answer(|dice| answers::refused(404, dice))),
    // 303 follows a request that was carried out.
    mode("redirect to another host", 2, Place::Redirect(answers::redirect)).in_doubt(),
    mode("lost acknowledgement", 3, Place::Answer(|_| Answer::close_after_body().accepting(true))).in_doubt(),
    mode("hang before the body", 3, Place::Head(Answer::hang_before_body)).waiting().in_doubt(),
    mode("hang after the body", 3, Place::Answer(|dice| Answer::hang().accepting(dice.one_in(2))))
        .waiting()
        .in_doubt(),
    mode("one byte at a time", 3, Place::Answer(answers::dripping)).waiting().in_doubt(),
    mode("slow body of the answer", 2, Place::Answer(answers::slow_body)).waiting(),
    mode("half-open", 3, Place::Connection { welcome: |_| Welcome::Deaf, tls: false }).waiting().in_doubt(),
    mode("closed when connected", 4, Place::Connection { welcome: |_| Welcome::Shut, tls: false }).in_doubt(),
    mode("closed before the body", 4, Place::Head(Answer::close_before_body)).in_doubt(),
    mode("2xx before the body, closed", 4, Place::Asked(answers::early_and_closed)).in_doubt(),
    mode("final before the body, kept open", 4, Place::Asked(answers::early)).in_doubt(),
    mode("half an answer", 3, Place::Answer(answers::half)).in_doubt(),
    mode("no HTTP", 3, Place::Answer(answers::no_http)).in_doubt(),
    mode("HTTP/1.0 with a length", 4, Place::Answer(|_| answers::http10(true))),
    mode("HTTP/1.0 until the end", 4, Place::Answer(|_| answers::http10(false))),
    mode("endless headers", 3, Place::Answer(answers::endless_headers)).in_doubt(),
    mode("endless interim answers", 3, Place::Answer(answers::endless_interim)).waiting().in_doubt(),
    mode("endless body of the answer", 3, Place::Answer(answers::endless_body)),
    mode("gigabytes announced", 3, Place::Answer(answers::gigabytes)),
    mode("invalid chunking", 4, Place::Answer(answers::invalid_chunking)),
    mode("more than was announced", 6, Place::Answer(answers::one_too_many)),
    mode("gzip answer", 4, Place::Answer(answers::gzip)),
    mode("gzip bomb", 3, Place::Answer(answers::gzip_bomb)),
    mode("certificate expired", 3, Place::Connection { welcome: Papers::expired, tls: true }),
    mode("certificate for another name", 3, Place::Connection { welcome: Papers::another_name, tls: true }),
    mode("certificate of another CA", 3, Place::Connection { welcome: Papers::another_ca, tls: true }),
    mode("certificate renewed", 3, Place::Connection { welcome: Papers::renewed, tls: true }),
    mode("no such name", 3, Place::Name(|_| "none".into())),
    mode("name server in trouble", 3, Place::Name(|_| "later".into())),
    mode("name server slow", 3, Place::Name(|dice| format!("slow {}", 100 + dice.below(900)))).waiting(),
    mode("name leads nowhere", 3, Place::Name(|_| super::addresses::NOBODY.into())),
    mode("name leads nowhere first", 3, Place::Name(|_| format!("{} 127.0.0.1", super::addresses::NOBODY))),
    mode("name leads into a black hole", 2, Place::Name(|_| super::addresses::BLACK_HOLE.into())).waiting(),
    mode("name leads to a stranger", 3, Place::Name(|_| super::addresses::STRANGER.into())),
];

/// The mode of this name; panics when there is none.
pub fn by_name(name: &str) -> &'static Mode {
    MODES.iter().find(|mode| mode.name == name).unwrap_or_else(|| panic!("no mode is called {name:?}"))
}
