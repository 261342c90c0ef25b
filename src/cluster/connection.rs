//! One kept-alive connection to the API server, with the current token and trust; it is replaced after every failure.

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::header::AUTHORIZATION;
use ureq::http::{Request, Response, Uri};
use ureq::{Agent, AsSendBody, Body, Error};

use super::auth::Auth;
use crate::config::Endpoint;
use crate::log::HostLog;
use crate::net::agent::{Limits, agent};
use crate::net::failure;
use crate::net::peer::API_SERVER;
use crate::net::stop::{StopSignal, Stopper};

pub(crate) struct Connection {
    url: Endpoint,
    auth: Arc<Auth>,
    limits: Limits,
    /// The agent, and the edition of the trust with which it was built.
    agent: Option<(Agent, u64)>,
    signal: Arc<StopSignal>,
    stopper: Stopper,
    log: Arc<HostLog>,
}

impl Connection {
    pub(crate) fn new(
        url: &Endpoint,
        auth: &Arc<Auth>,
        limits: Limits,
        signal: &Arc<StopSignal>,
        log: &Arc<HostLog>,
    ) -> Self {
        Self {
            url: url.clone(),
            auth: Arc::clone(auth),
            limits,
            agent: None,
            signal: Arc::clone(signal),
            stopper: Stopper::new(Arc::clone(signal)),
            log: Arc::clone(log),
        }
    }

    pub(crate) fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Sends a request whose URI is the path and query. `head` limits the time until the response's head has arrived.
    /// `renew_credentials`: the last response was 401, so the token file is read again first.
    ///
    /// # Errors
    /// Why there was no response, for the log.
    pub(crate) fn send(
        &mut self,
        mut request: Request<impl AsSendBody>,
        head: Duration,
        renew_credentials: bool,
    ) -> Result<Response<Body>, ConnectionError> {
        let (header, trust) = self.auth.now(renew_credentials, &self.log);
        let uri: Uri =
            format!("{}{}", self.url.url, request.uri()).parse().map_err(|_| ConnectionError::InvalidUrl)?;
        if self.agent.as_ref().is_none_or(|(_, edition)| *edition != trust.edition) {
            let new = agent(&uri, &self.limits, trust.tls, &self.signal);
            self.stopper.watch(&new);
            self.agent = Some((new, trust.edition));
        }
        let Some((agent, _)) = &self.agent else { return Err(ConnectionError::MissingAgent) };
        *request.uri_mut() = uri;
        if let Some(header) = header {
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        let request = agent.configure_request(request).timeout_recv_response(Some(head)).build();
        agent.run(request).map_err(|error| {
            let limit = self.limits.connect.max(head);
            let why = failure::described(&error, &API_SERVER, limit, self.url.https);
            self.hang_up();
            ConnectionError::Response(why)
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

/// Why there is no response. The caller logs it and tries again later.
#[derive(Debug)]
pub(crate) enum ConnectionError {
    InvalidUrl,
    MissingAgent,
    /// As [`failure::described`] says it.
    Response(String),
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl => f.write_str("kube_url is not a valid URL"),
            Self::MissingAgent => f.write_str("no agent"),
            Self::Response(why) => f.write_str(why),
        }
    }
}
