//! Resolves host names to addresses without delaying a stop.
//!
//! `getaddrinfo` cannot be interrupted and may take half a minute if no name server answers. ureq's own resolver starts
//! a thread for every look-up, even for an address, panics if it cannot start one, and ignores a stop while it waits.
//! This one starts a thread for names only, at most `MOST_LOOKUPS` at a time.

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

use super::stop::StopSignal;
use crate::clock;

/// A look-up that hangs outlives its request; this limit keeps such threads from piling up.
const MOST_LOOKUPS: usize = 4;
/// ureq's list of addresses holds no more.
const MOST_ADDRESSES: usize = 16;
/// How often a waiting look-up checks for a stop.
const SLICE: Duration = Duration::from_millis(50);

/// Looks names up without blocking a stop.
#[derive(Debug)]
pub struct Names {
    signal: Arc<StopSignal>,
    /// Its reference count is the number of running look-ups plus one.
    running: Arc<()>,
}

impl Names {
    /// Ends a look-up at this signal.
    #[must_use]
    pub fn new(signal: Arc<StopSignal>) -> Self {
        Self { signal, running: Arc::default() }
    }

    /// Runs `find` on a thread of its own and waits for it, until `timeout` or a stop at the latest.
    fn wait_for(
        &self,
        find: impl FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static,
        timeout: &NextTimeout,
    ) -> Result<Vec<SocketAddr>, Error> {
        if Arc::strong_count(&self.running) > MOST_LOOKUPS {
            return Err(io::Error::other("too many name look-ups hang; look at the name server").into());
        }
        let (sender, receiver) = sync_channel(1);
        let running = Arc::clone(&self.running);
        // No thread joins it, because it may hang in the C library. It touches only its own channel, and the image is
        // never unloaded (-z nodelete), so it may end at any time.
        thread::Builder::new().name("name-lookup".into()).spawn(move || {
            let found = find();
            drop(running);
            let _ = sender.send(found); // fails if the request is over
        })?;
        let began = clock::monotonic();
        loop {
            let spent = clock::monotonic().saturating_duration_since(began);
            let left = timeout.after.saturating_sub(spent);
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
            Err(_) => self.wait_for(move || Ok(name.to_socket_addrs()?.collect()), &timeout)?,
        };
        let mut addresses = self.empty();
        for address in found.into_iter().take(MOST_ADDRESSES) {
            addresses.push(address);
        }
        if addresses.is_empty() { Err(Error::HostNotFound) } else { Ok(addresses) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use ureq::Timeout;

    use super::*;

    fn within(limit: Duration) -> NextTimeout {
        NextTimeout { after: limit.into(), reason: Timeout::Resolve, ..NextTimeout::default() }
    }

    #[test]
    fn a_name_server_that_hangs_blocks_neither_a_request_nor_a_stop_nor_many_threads() {
        let signal = Arc::<StopSignal>::default();
        let names = Names::new(Arc::clone(&signal));
        // These look-ups end when the test ends.
        let (end, ended) = channel::<()>();
        let ended = Arc::new(std::sync::Mutex::new(ended));
        let hang = || {
            let ended = Arc::clone(&ended);
            move || {
                let _ = ended.lock().map(|ended| ended.recv());
                Ok(Vec::new())
            }
        };
        for _ in 1..MOST_LOOKUPS {
            let outcome = names.wait_for(hang(), &within(SLICE / 5));
            assert!(matches!(outcome, Err(Error::Timeout(Timeout::Resolve))), "{outcome:?}");
        }
        let began = clock::monotonic();
        signal.set();
        let outcome = names.wait_for(hang(), &within(SLICE * 200));
        assert!(matches!(&outcome, Err(Error::Io(error)) if error.to_string().contains("stopping")));
        assert!(clock::monotonic() - began < SLICE * 10);
        let outcome = names.wait_for(|| Ok(Vec::new()), &within(SLICE));
        assert!(
            matches!(&outcome, Err(Error::Io(error)) if error.to_string().contains("hang")),
            "{outcome:?}"
        );
        drop(end);
    }
}
