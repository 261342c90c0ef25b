//! A connection that holds bytes nobody has asked for is not used again.
//!
//! What a remote endpoint sends behind its answer would be read as the answer to the next request, and an
//! acknowledgement that is none loses a batch. ureq looks for such bytes in its own buffer and in the socket,
//! but not between the two: under TLS what was read from the socket and not yet decrypted waits in a third
//! place. This stands there.

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// Wraps the connections that come along the chain, below TLS.
#[derive(Debug)]
pub struct Leftover;

/// A connection that is no longer open once something was left over on it.
#[derive(Debug)]
pub struct Watched<T>(T);

impl<In: Transport> Connector<In> for Leftover {
    type Out = Watched<In>;

    fn connect(&self, _: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(Watched))
    }
}

impl<T: Transport> Transport for Watched<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.buffers().input().is_empty() && self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}
