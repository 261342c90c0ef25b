//! Host names to addresses, without making a stop wait for it.
//!
//! `getaddrinfo` cannot be interrupted and may take half a minute when no name server answers. ureq's own
//! resolver starts a thread for every look-up, of addresses too, panics when there is none to be had, and
//! waits for it deaf to a stop. This one starts a thread for names only, few at a time.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::stop::Signal;
use crate::clock;

/// Look-ups that hang outlive their request; this many may, so that they do not pile up.
const MOST_LOOKUPS: usize = 4;
/// ureq's list of addresses holds no more.
const MOST_ADDRESSES: usize = 16;
/// How often a waiting look-up asks whether there is a stop.
const SLICE: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Names {
    signal: Arc<Signal>,
    /// One more reference for every look-up that runs.
    running: Arc<()>,
}

impl Names {
    pub(super) fn new(signal: Arc<Signal>) -> Self {
        Self { signal, running: Arc::default() }
    }

    fn look_up(
        &self,
        name: String,
        limit: Duration,
        timeout: &NextTimeout,
    ) -> Result<Vec<SocketAddr>, Error> {
        if Arc::strong_count(&self.running) > MOST_LOOKUPS {
            return Err(io::Error::other("name look-ups hang; waiting for one to end").into());
        }
        let (sender, receiver) = sync_channel(1);
        let running = Arc::clone(&self.running);
        // Nobody joins it: it may hang in the C library. It touches nothing but its own channel, and our
        // image is never unloaded (-z nodelete), so it may end when it likes.
        thread::Builder::new().name("gateway-lookup".into()).spawn(move || {
            let found = name.to_socket_addrs().map(Iterator::collect);
            drop(running);
            let _ = sender.send(found); // the request may be over
        })?;
        let began = clock::monotonic();
        loop {
            let left = limit.saturating_sub(clock::monotonic().saturating_duration_since(began));
            match receiver.recv_timeout(left.min(SLICE)) {
                Ok(found) => return Ok(found?),
                Err(RecvTimeoutError::Disconnected) => return Err(Error::HostNotFound),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => {
                    return Err(Error::Timeout(timeout.reason));
                }
                Err(RecvTimeoutError::Timeout) if self.signal.is_set() => {
                    return Err(io::Error::other("the plugin is stopping").into());
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let name = match (uri.scheme(), uri.authority()) {
            (Some(scheme), Some(authority)) => DefaultResolver::host_and_port(scheme, authority),
            _ => None,
        };
        let name = name.ok_or(Error::HostNotFound)?;
        let found = match name.parse() {
            Ok(address) => vec![address],
            Err(_) => self.look_up(name, *timeout.after, &timeout)?,
        };
        let mut addresses = self.empty();
        for address in found.into_iter().take(MOST_ADDRESSES) {
            addresses.push(address);
        }
        if addresses.is_empty() { Err(Error::HostNotFound) } else { Ok(addresses) }
    }
}
