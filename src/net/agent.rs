//! The HTTP client: its connections, and its limits on time and on received bytes.

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
use super::stop::StopSignal;
use crate::config::is_loopback;

/// The longest time for a name look-up and for connecting, whatever `timeout` says. A stop cannot interrupt them, so
/// they must be shorter than the host's grace period.
const LONGEST_CONNECT: Duration = Duration::from_secs(5);
/// The time for the body of a response to a POST if only its beginning is needed: the status is already known.
const BODY_TIME: Duration = Duration::from_secs(1);
/// How much of a body is read if only its beginning is needed. After a longer body the connection is closed.
pub const BODY_READ_BYTES: usize = 16 << 10;
const HEADERS_READ_BYTES: usize = 32 << 10;
/// Shorter than the idle timeouts of common gateways and load balancers (60 s and more), so that they rarely close a
/// connection first.
const IDLE: Duration = Duration::from_secs(20);
const USER_AGENT: &str = concat!("fluent-bit-event-gateway/", env!("CARGO_PKG_VERSION"));

/// How long the parts of a request may take; `None` means no limit.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The whole request.
    pub whole: Option<Duration>,
    /// The name look-up, and connecting; never more than 5 s each.
    pub connect: Duration,
    /// Until the response's head has arrived.
    pub head: Option<Duration>,
    /// From the response's head to the end of its body.
    pub body: Option<Duration>,
    /// Between two bytes.
    pub silence: Option<Duration>,
    /// The size of a connection's buffers. ureq checks its timeouts after at most this many written bytes.
    pub buffer_bytes: usize,
}

impl Limits {
    /// For a request with a body, if only the status of the response matters. A request that needs the response's body
    /// sets its own limits.
    #[must_use]
    pub fn for_post(timeout: Duration) -> Self {
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
pub fn agent(endpoint: &Uri, limits: &Limits, tls: Option<TlsConfig>, signal: &Arc<StopSignal>) -> Agent {
    let mut config = limited(limits);
    if let Some(tls) = tls {
        config = config.tls_config(tls);
    }
    // A gateway on the same machine (a sidecar) is never behind a proxy; Go and browsers do the same. For all other
    // hosts HTTPS_PROXY, HTTP_PROXY and NO_PROXY apply.
    if endpoint.host().is_some_and(is_loopback) {
        config = config.proxy(None);
    }
    // ureq's own chain, with `Leftover` and `Early` added.
    let connector =
        ().chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(Leftover)
            .chain(RustlsConnector::default())
            .chain(Early);
    Agent::with_parts(config.build(), connector, Names::new(Arc::clone(signal)))
}

/// A client for the server at this Unix socket, without a proxy, name look-up or TLS.
#[must_use]
pub fn agent_over(socket: &Path, limits: &Limits, signal: &Arc<StopSignal>) -> Agent {
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

/// The part of a body that was read.
#[derive(Debug, Default)]
pub struct Beginning {
    /// At most as many as the caller asked for; fewer if the body failed.
    pub bytes: Vec<u8>,
    /// Whether the body ended there and nothing failed.
    pub is_whole: bool,
}

/// The beginning of a body. A body that is read to its end lets the connection be used again.
///
/// A failure is no error, because the status is already known: only text is lost, and the outcome only if the format
/// reports it in the body.
#[must_use]
pub fn beginning(body: Body, most_bytes: usize) -> Beginning {
    let mut bytes = Vec::new();
    let read = body.into_reader().take(most_bytes as u64 + 1).read_to_end(&mut bytes);
    let is_whole = read.is_ok() && bytes.len() <= most_bytes;
    bytes.truncate(most_bytes);
    Beginning { bytes, is_whole }
}
