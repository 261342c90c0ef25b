//! The HTTP client: its connections, and the limits of everything that comes in.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ureq::config::ConfigBuilder;
use ureq::http::Uri;
use ureq::tls::TlsConfig;
use ureq::typestate::AgentScope;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, RustlsConnector, TcpConnector};
use ureq::{Agent, Body};

use super::early::Early;
use super::leftover::Leftover;
use super::over_unix::{NoNames, OverUnix};
use super::resolver::Names;
use super::stop::Signal;
use crate::config::is_loopback;

/// Looking up a name and connecting take no longer, whatever `timeout` says: it is the one wait that a stop
/// cannot end at once, so it must not be longer than the host's grace.
const LONGEST_CONNECT: Duration = Duration::from_secs(5);
/// The status has come; so long the body of an answer to a POST may take where its beginning is all that is wanted.
const BODY_TIME: Duration = Duration::from_secs(1);
/// So much of a body is read where only its beginning is wanted. A longer one costs its connection.
pub const BODY_READ_BYTES: usize = 16 << 10;
const HEADERS_READ_BYTES: usize = 32 << 10;
/// Below the idle times of usual gateways and load balancers (60 s and more), so that they seldom close first.
const IDLE: Duration = Duration::from_secs(20);
const USER_AGENT: &str = concat!("fluent-bit-event-gateway/", env!("CARGO_PKG_VERSION"));

/// How long the parts of a request may take; `None` is as long as it likes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// All of it.
    pub whole: Option<Duration>,
    /// Looking the name up, and connecting; never more than 5 s each.
    pub connect: Duration,
    /// Until the answer's head is there.
    pub head: Option<Duration>,
    pub body: Option<Duration>,
    /// Between two bytes.
    pub silence: Option<Duration>,
    /// Of a connection. A write returns to ureq's clock after at most this much.
    pub buffer_bytes: usize,
}

impl Limits {
    /// For a request that carries a body, and an answer of which the status is what counts. Where its body counts as
    /// well, the request says so itself.
    #[must_use]
    pub fn of_a_post(timeout: Duration) -> Self {
        Self {
            whole: Some(timeout),
            connect: timeout,
            head: None,
            body: Some(timeout.min(BODY_TIME)),
            silence: None,
            buffer_bytes: 64 << 10,
        }
    }
}

/// A client for one endpoint.
#[must_use]
pub fn agent(endpoint: &Uri, limits: &Limits, tls: Option<TlsConfig>, signal: &Arc<Signal>) -> Agent {
    let mut config = limited(limits);
    if let Some(tls) = tls {
        config = config.tls_config(tls);
    }
    // A gateway beside us (a sidecar) is never behind a proxy; Go and browsers hold it the same way. All
    // other hosts follow HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
    if endpoint.host().is_some_and(is_loopback) {
        config = config.proxy(None);
    }
    // As ureq's own chain, but for two links.
    let connector =
        ().chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(Leftover)
            .chain(RustlsConnector::default())
            .chain(Early);
    Agent::with_parts(config.build(), connector, Names::new(Arc::clone(signal)))
}

/// A client for what listens at this socket. There is no proxy, no name and no TLS between.
#[must_use]
pub fn agent_over(socket: &Path, limits: &Limits, signal: &Arc<Signal>) -> Agent {
    let over = OverUnix { socket: socket.to_owned(), signal: Arc::clone(signal) };
    let connector = ().chain(over).chain(Leftover).chain(Early);
    Agent::with_parts(limited(limits).proxy(None).build(), connector, NoNames)
}

fn limited(limits: &Limits) -> ConfigBuilder<AgentScope> {
    Agent::config_builder()
        .user_agent(USER_AGENT)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(limits.whole)
        .timeout_resolve(Some(limits.connect.min(LONGEST_CONNECT)))
        .timeout_connect(Some(limits.connect.min(LONGEST_CONNECT)))
        .timeout_recv_response(limits.head)
        .timeout_recv_body(limits.body)
        .timeout_per_read(limits.silence)
        .max_response_header_size(HEADERS_READ_BYTES)
        .input_buffer_size(limits.buffer_bytes)
        .output_buffer_size(limits.buffer_bytes)
        .max_idle_connections(1)
        .max_idle_connections_per_host(1)
        .max_idle_age(IDLE)
}

/// What was read of a body.
#[derive(Debug, Default)]
pub struct Beginning {
    pub bytes: Vec<u8>,
    /// It ended there, and nothing failed on the way.
    pub is_whole: bool,
}

/// The beginning of a body. Reading up to its end, where that is near, lets the connection be used again.
///
/// The status has come already: a failure loses words, and the verdict only where that is in the words.
#[must_use]
pub fn beginning(body: Body, most_bytes: usize) -> Beginning {
    let mut bytes = Vec::new();
    let read = body.into_reader().take(most_bytes as u64 + 1).read_to_end(&mut bytes);
    let is_whole = read.is_ok() && bytes.len() <= most_bytes;
    bytes.truncate(most_bytes);
    Beginning { bytes, is_whole }
}
