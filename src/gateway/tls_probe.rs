//! Whether ureq can use a TLS configuration, found out before a request needs it.
//!
//! ureq makes the rustls configuration at the first connection, and panics there when the client's key is
//! none or does not belong to its certificate (`with_client_auth_cert(…).expect(…)` in `tls/rustls.rs`). So it
//! is made here once, on a connection that leads nowhere, where a panic is caught.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ureq::config::Config;
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, RustlsConnector, Transport,
};
use ureq::{Agent, Error};

use super::resolver::Names;
use super::stop::Signal;

/// Whether a TLS handshake can begin with this configuration.
pub(super) fn usable(tls: &TlsConfig) -> bool {
    let config = Config::builder().tls_config(tls.clone()).proxy(None).build();
    let connector = ().chain(Nowhere).chain(RustlsConnector::default());
    let agent = Agent::with_parts(config, connector, Names::new(Arc::<Signal>::default()));
    let attempt = catch_unwind(AssertUnwindSafe(|| agent.get("https://127.0.0.1/").call()));
    // The handshake itself cannot succeed; getting as far as its first byte is what was asked.
    matches!(attempt, Ok(Err(Error::Io(error))) if error.kind() == io::ErrorKind::NotConnected)
}

#[derive(Debug)]
struct Nowhere;

impl Connector for Nowhere {
    type Out = NowhereTransport;

    fn connect(&self, _: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Self::Out>, Error> {
        Ok(Some(NowhereTransport(LazyBuffers::new(4_096, 4_096))))
    }
}

struct NowhereTransport(LazyBuffers);

impl std::fmt::Debug for NowhereTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NowhereTransport")
    }
}

impl Transport for NowhereTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.0
    }

    fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), Error> {
        Err(io::Error::from(io::ErrorKind::NotConnected).into())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        Err(io::Error::from(io::ErrorKind::NotConnected).into())
    }

    fn is_open(&mut self) -> bool {
        false
    }
}
