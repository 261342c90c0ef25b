//! What a gateway answers, and in which way that goes wrong.

use std::io::{self, Write};
use std::time::Duration;

/// One answer, with the misbehaviour that goes with it.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    raw: Option<Vec<u8>>,
    more: Vec<u8>,
    endless: Option<Vec<u8>>,
    pub(super) delay_before: Duration,
    pub(super) held: bool,
    drip: Option<Duration>,
    pub(super) close: Close,
    accepting: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Close {
    Never,
    BeforeBody,
    BeforeAnswer,
    AfterAnswer,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            raw: None,
            more: Vec::new(),
            endless: None,
            delay_before: Duration::ZERO,
            held: false,
            drip: None,
            close: Close::Never,
            accepting: None,
        }
    }

    pub fn ok() -> Self {
        Self::status(200)
    }

    /// These bytes instead of an answer; then the connection closes. Does not count as accepted.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Answer { raw: Some(bytes.into()), close: Close::AfterAnswer, ..Self::status(0) }
    }

    /// Reads the request and closes without an answer, as when an acknowledgement gets lost.
    pub fn close_after_body() -> Self {
        Answer { close: Close::BeforeAnswer, ..Self::status(0) }
    }

    /// Closes after the headers of the request. From `respond_with`, which is asked only when the
    /// body is there, the same as `close_after_body`.
    pub fn close_before_body() -> Self {
        Answer { close: Close::BeforeBody, ..Self::status(0) }
    }

    /// Reads the request and never answers; ends with the gateway.
    pub fn hang() -> Self {
        Self::close_after_body().delay_before(super::ENDLESS)
    }

    /// The same before the body is read: it never is.
    pub fn hang_before_body() -> Self {
        Answer { close: Close::BeforeBody, ..Self::hang() }
    }

    /// `Content-Length` is written unless it, or `Transfer-Encoding`, is given here.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn delay_before(mut self, delay: Duration) -> Self {
        self.delay_before = delay;
        self
    }

    /// Waits with the answer until `TestGateway::release`, which may come as soon as the request is there.
    pub fn held(mut self) -> Self {
        self.held = true;
        self
    }

    /// Writes the answer one byte at a time, with this pause after each; of an endless one only the piece
    /// that is repeated, as it is.
    pub fn drip(mut self, pause: Duration) -> Self {
        self.drip = Some(pause);
        self
    }

    /// After the answer this, in a write of its own (a TLS record) but not a moment later: bytes that nobody
    /// asked for.
    pub fn then_more(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.more = bytes.into();
        self
    }

    /// After the answer this, again and again, until the other side hangs up; then the connection closes.
    pub fn then_endlessly(mut self, piece: impl Into<Vec<u8>>) -> Self {
        self.endless = Some(piece.into());
        self.then_close()
    }

    pub fn then_close(mut self) -> Self {
        self.close = Close::AfterAnswer;
        self
    }

    /// Says whether the gateway took the records, where the status does not say it.
    pub fn accepting(mut self, accepting: bool) -> Self {
        self.accepting = Some(accepting);
        self
    }

    pub fn accepts(&self) -> bool {
        self.accepting.unwrap_or((200..300).contains(&self.status))
    }

    pub(super) fn has_more(&self) -> bool {
        !self.more.is_empty()
    }

    fn bytes(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let given = |name: &str| self.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        // RFC 9110 8.6: no Content-Length with 204.
        if self.status != 204 && !given("content-length") && !given("transfer-encoding") {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        if self.close == Close::AfterAnswer && !given("connection") {
            head += "Connection: close\r\n";
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }

    /// Writes it; `pause` sleeps between two drips, and says whether to go on.
    pub(super) fn write(&self, to: &mut dyn Write, pause: impl Fn(Duration) -> bool) -> io::Result<()> {
        let bytes = self.bytes();
        let piece_bytes = if self.drip.is_some() && self.endless.is_none() { 1 } else { bytes.len().max(1) };
        for piece in bytes.chunks(piece_bytes) {
            to.write_all(piece)?;
            to.flush()?;
            if piece_bytes < bytes.len() && !self.drip.is_none_or(&pause) {
                return Ok(());
            }
        }
        if !self.more.is_empty() {
            to.write_all(&self.more)?;
            to.flush()?;
        }
        if let Some(piece) = &self.endless {
            // A client that stops reading makes this wait, and one that closes makes it fail: that ends it.
            while to.write_all(piece).is_ok() && self.drip.is_none_or(&pause) {}
        }
        Ok(())
    }
}
