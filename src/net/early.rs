//! An answer that came before it was waited for is read.
//!
//! A request with `Expect: 100-continue` may be answered for good before its body goes out. ureq looks at such an
//! answer while it waits for `100 Continue`, leaves it lying in the input buffer, and then waits for more bytes to
//! come, which never do on a connection that stays open. Half an answer it looks at over and over where it waits for
//! `100 Continue`, for a second, and then sends the body all the same: on a connection that was used before, and on
//! one that has ended. So this offers whatever lies there twice before it waits for more, to the one that leaves it
//! and to the one that takes it, and takes an end behind half an answer for what it is.
//!
//! No answer to an earlier request comes up that way: nothing lies in the buffer of a connection that is used again
//! (see [`leftover`](super::leftover), and ureq's pool).

use std::io;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// As often the same bytes are offered: ureq has two places that wait for an answer.
const OFFERS: u8 = 2;

/// Wraps the connections that come along the chain, above TLS.
#[derive(Debug)]
pub struct Early;

/// A connection of which the input is offered again.
#[derive(Debug)]
pub struct Offering<T> {
    inner: T,
    /// The length of what was offered last, and how often. Bytes are taken from its front and read to its end, and
    /// the latter only here: another input has another length.
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
        // Nothing was made of what lies there now: ureq comes here for it.
        self.buffers().input_consume(0);
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let lying = self.buffers().input().len();
        let times = if lying == self.offered.0 { self.offered.1 } else { 0 };
        if lying > 0 && times < OFFERS {
            self.offered = (lying, times + 1);
            return Ok(true);
        }
        let has_come = self.inner.await_input(timeout)?;
        if lying > 0 && !has_come {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        self.offered = (self.buffers().input().len(), 1);
        Ok(has_come)
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

    /// What comes with each wait; nothing behind them is an end.
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

    /// What lies there after a wait.
    fn seen(connection: &mut Offering<Scripted>) -> Option<Vec<u8>> {
        connection.maybe_await_input(NextTimeout::default()).ok()?;
        Some(connection.buffers().input().to_vec())
    }

    #[test]
    fn the_same_bytes_come_up_twice_and_then_it_waits() {
        let mut connection = offering(&[b"ab", b"c"]);
        for wanted in ["ab", "ab", "abc", "abc"] {
            assert_eq!(seen(&mut connection).as_deref(), Some(wanted.as_bytes()));
        }
        assert_eq!(seen(&mut connection), None, "an end behind half an answer");
    }

    #[test]
    fn what_is_left_of_it_counts_anew_and_nothing_left_is_no_news() {
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
            "an end behind a whole answer is none of ours"
        );
    }

    #[test]
    fn after_a_write_it_comes_up_again_whatever_was_taken_before() {
        let mut connection = offering(&[b"ab"]);
        seen(&mut connection);
        connection.buffers().input_consume(1);
        assert!(connection.buffers().can_use_input(), "ureq would look at it without end");
        connection.transmit_output(0, NextTimeout::default()).unwrap();
        assert!(!connection.buffers().can_use_input());
        assert_eq!(seen(&mut connection).as_deref(), Some(&b"b"[..]));
    }
}
