//! The body of a request, and how much of it was sent.

use std::io::{self, Read};

use crate::response::Doubt;

/// A body that records how much of it was sent. The TLS handshake and the headers are sent before it.
pub(super) struct Outgoing<'a> {
    pub(super) left: &'a [u8],
    pub(super) has_begun: bool,
}

impl Outgoing<'_> {
    /// The doubt that is left if no response comes.
    pub(super) fn doubt_without_response(&self) -> Doubt {
        if self.has_begun { Doubt::Unanswered } else { Doubt::None }
    }
}

impl Read for Outgoing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.has_begun = true;
        self.left.read(buffer)
    }
}
