//! A connection with unexpected bytes is not used again.
//!
//! Bytes that a remote endpoint sends after its response would be read as the response to the next request, and a false
//! acknowledgement loses a batch. ureq looks for such bytes in its own buffer and in the socket, but under TLS there is
//! a third place between them: bytes that were read from the socket and not yet decrypted. This transport checks it.

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// Wraps the connections of ureq's chain, below TLS.
#[derive(Debug)]
pub struct Leftover;

/// A connection that counts as closed once it holds unexpected bytes.
#[derive(Debug)]
pub struct Checked<T>(T);

impl<In: Transport> Connector<In> for Leftover {
    type Out = Checked<In>;

    fn connect(&self, _: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(Checked))
    }
}

impl<T: Transport> Transport for Checked<T> {
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
