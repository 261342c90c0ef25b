//! A body on its way, and whether some of it has gone.

use std::io::{self, Read};

use crate::response::Doubt;

/// A body that knows how much of it was sent. The head goes out before, and with it the TLS handshake.
pub(super) struct Outgoing<'a> {
    pub(super) left: &'a [u8],
    pub(super) has_begun: bool,
}

impl Outgoing<'_> {
    /// Without an answer that tells.
    pub(super) fn doubt_unanswered(&self) -> Doubt {
        if self.has_begun { Doubt::Unanswered } else { Doubt::None }
    }
}

impl Read for Outgoing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.has_begun = true;
        self.left.read(buffer)
    }
}
