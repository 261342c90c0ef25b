//! Makes ureq read a final response that arrives while it still waits for `100 Continue`.
//!
//! A server may answer a request with `Expect: 100-continue` finally, before the body is sent. ureq sees such a response
//! while it waits for `100 Continue`, leaves it in the input buffer, and then waits for more bytes, which never come on
//! a connection that stays open. If only half a response has arrived, ureq checks it again and again for a second, and
//! then sends the body anyway, even on a connection that has ended. So this transport offers the buffered bytes twice
//! before it waits for more, once to each place in ureq that waits for a response, and reports an error if the
//! connection ends after half a response.
//!
//! A response to an earlier request cannot appear this way: the buffer of a reused connection is empty (see
//! [`leftover`](super::leftover), and ureq's pool).

use std::io;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// How often the same bytes are offered: ureq has two places that wait for a response.
const OFFERS: u8 = 2;

/// Wraps the connections of ureq's chain, above TLS.
#[derive(Debug)]
pub struct Early;

/// A connection that offers its input again.
#[derive(Debug)]
pub struct Offering<T> {
    inner: T,
    /// The length of the input that was offered last, and how often. A different input has a different length, because
    /// bytes are removed only at its front and added only here.
    offered: (usize, u8),
}

impl<In: Transport> Connector<In> for Early {
    type Out = Offering<In>;

    fn connect(&self, _: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| Offering { inner, offered: (0, 0) }))
    }
}

impl<T: Transport> Transport for Offering<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.inner.transmit_output(amount, timeout)?;
        // ureq has not processed the buffered bytes yet, and it waits here for them.
        self.buffers().input_consume(0);
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let buffered = self.buffers().input().len();
        let times = if buffered == self.offered.0 { self.offered.1 } else { 0 };
        if buffered > 0 && times < OFFERS {
            self.offered = (buffered, times + 1);
            return Ok(true);
        }
        let has_input = self.inner.await_input(timeout)?;
        if buffered > 0 && !has_input {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        self.offered = (self.buffers().input().len(), 1);
        Ok(has_input)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::unversioned::transport::LazyBuffers;

    /// A connection that receives one piece at each wait and then ends.
    #[derive(Debug)]
    struct Scripted {
        buffers: LazyBuffers,
        pieces: Vec<&'static [u8]>,
    }

    impl Transport for Scripted {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.buffers
        }

        fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), Error> {
            Ok(())
        }

        fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
            let piece = if self.pieces.is_empty() { &[][..] } else { self.pieces.remove(0) };
            self.buffers.input_append_buf()[..piece.len()].copy_from_slice(piece);
            self.buffers.input_appended(piece.len());
            Ok(!piece.is_empty())
        }

        fn is_open(&mut self) -> bool {
            true
        }
    }

    fn offering(pieces: &[&'static [u8]]) -> Offering<Scripted> {
        let inner = Scripted { buffers: LazyBuffers::new(64, 64), pieces: pieces.to_vec() };
        Offering { inner, offered: (0, 0) }
    }

    /// The buffered bytes after a wait.
    fn seen(connection: &mut Offering<Scripted>) -> Option<Vec<u8>> {
        connection.maybe_await_input(NextTimeout::default()).ok()?;
        Some(connection.buffers().input().to_vec())
    }

    #[test]
    fn the_same_bytes_are_offered_twice_and_then_it_waits() {
        let mut connection = offering(&[b"ab", b"c"]);
        for wanted in ["ab", "ab", "abc", "abc"] {
            assert_eq!(seen(&mut connection).as_deref(), Some(wanted.as_bytes()));
        }
        assert_eq!(seen(&mut connection), None, "the connection ended after half a response");
    }

    #[test]
    fn remaining_bytes_are_offered_anew_and_an_empty_buffer_is_not() {
        let mut connection = offering(&[b"abc", b"d"]);
        assert_eq!(seen(&mut connection).as_deref(), Some(&b"abc"[..]));
        connection.buffers().input_consume(2);
        connection.buffers().input_consume(0);
        for _ in 0..2 {
            assert_eq!(seen(&mut connection).as_deref(), Some(&b"c"[..]));
        }
        connection.buffers().input_consume(1);
        connection.buffers().input_consume(0);
        assert_eq!(seen(&mut connection).as_deref(), Some(&b"d"[..]));
        connection.buffers().input_consume(1);
        assert_eq!(
            seen(&mut connection).as_deref(),
            Some(&b""[..]),
            "an end after a whole response is no error here"
        );
    }

    #[test]
    fn after_a_write_the_rest_is_offered_again() {
        let mut connection = offering(&[b"ab"]);
        seen(&mut connection);
        connection.buffers().input_consume(1);
        assert!(connection.buffers().can_use_input(), "ureq would look at it without end");
        connection.transmit_output(0, NextTimeout::default()).unwrap();
        assert!(!connection.buffers().can_use_input());
        assert_eq!(seen(&mut connection).as_deref(), Some(&b"b"[..]));
    }
}
