//! HTTP over a Unix stream socket: a connector for ureq's chain.
//!
//! It replaces ureq's own connector for TCP and does the same: it writes or reads once at a time, each with the
//! remaining time as its timeout, and registers a handle by which a stop can close the connection.

use std::io::{self, Read};
use std::net::Shutdown;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use socket2::Socket;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, ShutdownHandle, Transport,
};
use ureq::{Error, Timeout};

use super::stop::StopSignal;
use super::unix_socket::{Stream, is_to_be_repeated};
use crate::clock;

/// Used for a request without a limit; longer than any request.
const NO_LIMIT: Duration = Duration::from_secs(86_400);

/// Connects to this socket and ignores the URL's host.
#[derive(Debug)]
pub struct OverUnix {
    /// The path of the socket.
    pub socket: PathBuf,
    /// Ends the wait for a place in the socket's queue when the plugin stops.
    pub signal: Arc<StopSignal>,
}

/// A resolver that looks nothing up, because a socket has no host name.
#[derive(Debug)]
pub struct NoNames;

/// A connection to a Unix socket, as ureq uses it.
#[derive(Debug)]
pub struct UnixTransport {
    /// Shared with the handle that a stop uses.
    connection: Arc<Connection>,
    buffers: LazyBuffers,
}

#[derive(Debug)]
struct Connection(Socket);

impl ShutdownHandle for Connection {
    fn shutdown(&self) {
        // An error means that it is closed already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Resolver for NoNames {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}

impl<In: Transport> Connector<In> for OverUnix {
    type Out = UnixTransport;

    fn connect(&self, details: &ConnectionDetails, _: Option<In>) -> Result<Option<Self::Out>, Error> {
        let deadline = clock::monotonic() + limit(&details.timeout);
        let stream = Stream::connect(&self.socket, deadline, |pause| self.signal.pause(pause));
        let stream = stream.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Error::Timeout(Timeout::Connect),
            _ => error.into(),
        })?;
        let connection = Arc::new(Connection(stream.socket()));
        let handle: Weak<dyn ShutdownHandle> = Arc::downgrade(&(Arc::clone(&connection) as Arc<_>));
        (details.register_shutdown)(handle)?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(UnixTransport { connection, buffers }))
    }
}

impl UnixTransport {
    fn socket(&self) -> &Socket {
        &self.connection.0
    }

    /// The time left until a deadline, as a socket timeout: at least 1 ms, because 0 would mean no timeout.
    fn left(deadline: Instant, timeout: &NextTimeout) -> Result<Duration, Error> {
        let left = deadline.saturating_duration_since(clock::monotonic());
        if left.is_zero() {
            return Err(Error::Timeout(timeout.reason));
        }
        Ok(left.max(Duration::from_millis(1)))
    }
}

impl Transport for UnixTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        let deadline = clock::monotonic() + limit(&timeout);
        let mut at = 0;
        while at < amount {
            self.socket().set_write_timeout(Some(Self::left(deadline, &timeout)?))?;
            let rest = self.buffers.output().get(at..amount).unwrap_or_default();
            match self.connection.0.send_with_flags(rest, libc::MSG_NOSIGNAL) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(sent) => at += sent,
                Err(error) if is_to_be_repeated(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        let deadline = clock::monotonic() + limit(&timeout);
        loop {
            self.socket().set_read_timeout(Some(Self::left(deadline, &timeout)?))?;
            let mut socket = &self.connection.0;
            match socket.read(self.buffers.input_append_buf()) {
                Ok(amount) => {
                    self.buffers.input_appended(amount);
                    return Ok(amount > 0);
                }
                Err(error) if is_to_be_repeated(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A connection with unexpected bytes counts as closed, too.
    fn is_open(&mut self) -> bool {
        let mut byte = [std::mem::MaybeUninit::uninit()];
        let seen = self.socket().recv_with_flags(&mut byte, libc::MSG_DONTWAIT | libc::MSG_PEEK);
        seen.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

fn limit(timeout: &NextTimeout) -> Duration {
    if timeout.after.is_not_happening() { NO_LIMIT } else { *timeout.after }
}
