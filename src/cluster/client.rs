//! The HTTP client of one thread that reads the API: one kept-alive connection, replaced after every failure.

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use ureq::http::{Request, Response, Uri};
use ureq::{Agent, Body, Error};

use super::auth::Auth;
use super::timing::Timing;
use crate::config::Endpoint;
use crate::log::HostLog;
use crate::net::agent::{Limits, agent};
use crate::net::failure;
use crate::net::peer::API_SERVER;
use crate::net::stop::{StopSignal, Stopper};
use crate::topology::watch::{ApiRequest, RequestKind};

pub(crate) struct Client {
    url: Endpoint,
    auth: Arc<Auth>,
    limits: Limits,
    list_head: Duration,
    /// The agent, and the edition of the trust with which it was built.
    agent: Option<(Agent, u64)>,
    signal: Arc<StopSignal>,
    stopper: Stopper,
    log: Arc<HostLog>,
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
        Self {
            url: url.clone(),
            auth: Arc::clone(auth),
            limits,
            list_head: timing.list_head,
            agent: None,
            signal: Arc::clone(signal),
            stopper: Stopper::new(Arc::clone(signal)),
            log: Arc::clone(log),
        }
    }

    pub(crate) fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Sends a request.
    ///
    /// # Errors
    /// Why there was no response, for the log.
    pub(crate) fn get(&mut self, wanted: &ApiRequest) -> Result<Response<Body>, ClientError> {
        let (header, trust) = self.auth.now(wanted.renew_credentials, &self.log);
        let uri: Uri =
            format!("{}{}", self.url.url, wanted.target).parse().map_err(|_| ClientError::InvalidUrl)?;
        if self.agent.as_ref().is_none_or(|(_, edition)| *edition != trust.edition) {
            let new = agent(&uri, &self.limits, trust.tls, &self.signal);
            self.stopper.watch(&new);
            self.agent = Some((new, trust.edition));
        }
        let Some((agent, _)) = &self.agent else { return Err(ClientError::MissingAgent) };
        let mut request = Request::get(uri).body(()).map_err(ClientError::Request)?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(wanted.accept));
        if let Some(header) = header {
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        let head = match wanted.kind {
            RequestKind::List => self.list_head,
            RequestKind::Probe | RequestKind::Watch => self.limits.head.unwrap_or(self.list_head),
        };
        let request = agent.configure_request(request).timeout_recv_response(Some(head)).build();
        agent.run(request).map_err(|error| {
            let limit = self.limits.connect.max(head);
            let why = failure::described(&error, &API_SERVER, limit, self.url.https);
            self.hang_up();
            ClientError::Response(why)
        })
    }

    /// Drops the connection, because it failed or its response is not read to the end.
    pub(crate) fn hang_up(&mut self) {
        self.agent = None;
    }

    /// Reads more of a body. `Ok(0)` is its end.
    ///
    /// # Errors
    /// Why the body broke off.
    pub(crate) fn read(&mut self, body: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Cut> {
        body.read(buffer).map_err(|error| {
            self.hang_up();
            let wrapped = error.get_ref().and_then(|inner| inner.downcast_ref());
            match wrapped {
                Some(Error::Timeout(_)) => Cut::Silent,
                _ => Cut::Failed(format!("the connection broke off ({error})")),
            }
        })
    }
}

/// Why a body broke off.
pub(crate) enum Cut {
    /// No bytes came for a long time.
    Silent,
    /// With the reason, for the log.
    Failed(String),
}

/// Why there is no response. The reflector logs it and tries again after its backoff.
#[derive(Debug)]
pub(crate) enum ClientError {
    InvalidUrl,
    MissingAgent,
    Request(ureq::http::Error),
    /// As [`failure::described`] says it.
    Response(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl => f.write_str("kube_url is not a valid URL"),
            Self::MissingAgent => f.write_str("no agent"),
            Self::Request(error) => error.fmt(f),
            Self::Response(why) => f.write_str(why),
        }
    }
}
