//! The HTTP client of a thread that lists and watches: its requests, with their limits.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ureq::Body;
use ureq::http::header::ACCEPT;
use ureq::http::{Request, Response};

use super::auth::Auth;
use super::connection::{Connection, ConnectionError, Cut};
use super::timing::Timing;
use crate::config::Endpoint;
use crate::log::HostLog;
use crate::net::agent::Limits;
use crate::net::stop::{StopSignal, Stopper};
use crate::topology::watch::{ApiRequest, RequestKind};

pub(crate) struct Client {
    connection: Connection,
    head: Duration,
    list_head: Duration,
}

impl Client {
    /// `buffer_bytes` is the size of its connection's buffers.
    pub(crate) fn new(
        buffer_bytes: usize,
        url: &Endpoint,
        auth: &Arc<Auth>,
        timing: &Timing,
        signal: &Arc<StopSignal>,
        log: &Arc<HostLog>,
    ) -> Self {
        let limits = Limits {
            whole: None,
            connect: timing.connect,
            head: Some(timing.head),
            body: None,
            silence: Some(timing.silence),
            buffer_bytes,
        };
        let connection = Connection::new(url, auth, limits, signal, log);
        Self { connection, head: timing.head, list_head: timing.list_head }
    }

    pub(crate) fn stopper(&self) -> Stopper {
        self.connection.stopper()
    }

    /// Sends a request.
    ///
    /// # Errors
    /// Why there was no response, for the log.
    pub(crate) fn get(&mut self, wanted: &ApiRequest) -> Result<Response<Body>, ConnectionError> {
        let request = Request::get(&wanted.target).header(ACCEPT, wanted.accept).body(());
        let request = request.map_err(|_| ConnectionError::InvalidUrl)?;
        let head = match wanted.kind {
            RequestKind::List => self.list_head,
            RequestKind::Probe | RequestKind::Watch => self.head,
        };
        self.connection.send(request, head, wanted.renew_credentials)
    }

    /// As [`Connection::hang_up`].
    pub(crate) fn hang_up(&mut self) {
        self.connection.hang_up();
    }

    /// As [`Connection::read`].
    ///
    /// # Errors
    /// Why the body broke off.
    pub(crate) fn read(&mut self, body: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Cut> {
        self.connection.read(body, buffer)
    }
}
