//! A reflector's way to the API server: one connection, kept alive, made anew after every failure.

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
use crate::topology::kind::Kind;
use crate::topology::watch::{Ask, What};

/// Nearly all that changes in a cluster are pods and slices, and a larger buffer saves them system calls. The
/// others would hold it for nothing.
pub(super) const fn buffer_bytes(kind: Kind) -> usize {
    match kind {
        Kind::Pod | Kind::EndpointSlice => 32 << 10,
        _ => 8 << 10,
    }
}

pub(super) struct Client {
    url: Endpoint,
    auth: Arc<Auth>,
    limits: Limits,
    list_head: Duration,
    /// And of which edition of the trust it is.
    agent: Option<(Agent, u64)>,
    signal: Arc<StopSignal>,
    stopper: Stopper,
    log: Arc<HostLog>,
}

impl Client {
    pub(super) fn new(
        kind: Kind,
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
            buffer_bytes: buffer_bytes(kind),
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

    pub(super) fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// # Errors
    /// Why there was no answer, for a person.
    pub(super) fn get(&mut self, ask: &Ask) -> Result<Response<Body>, String> {
        let (header, trust) = self.auth.now(ask.renew_credentials, &self.log);
        let uri: Uri =
            format!("{}{}", self.url.url, ask.target).parse().map_err(|_| "kube_url leads nowhere")?;
        if self.agent.as_ref().is_none_or(|(_, edition)| *edition != trust.edition) {
            let new = agent(&uri, &self.limits, trust.tls, &self.signal);
            self.stopper.watch(&new);
            self.agent = Some((new, trust.edition));
        }
        let Some((agent, _)) = &self.agent else { return Err("no agent".to_owned()) };
        let mut request = Request::get(uri).body(()).map_err(|error| error.to_string())?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(ask.accept));
        if let Some(header) = header {
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        let head = match ask.what {
            What::List => self.list_head,
            What::Probe | What::Watch => self.limits.head.unwrap_or(self.list_head),
        };
        let request = agent.configure_request(request).timeout_recv_response(Some(head)).build();
        agent.run(request).map_err(|error| {
            let limit = self.limits.connect.max(head);
            let why = failure::described(&error, &API_SERVER, limit, self.url.https);
            self.hang_up();
            why
        })
    }

    /// Lets go of the connection: it failed, or its answer is not read to the end.
    pub(super) fn hang_up(&mut self) {
        self.agent = None;
    }

    /// More of a body. `Ok(0)`: it has ended.
    ///
    /// # Errors
    /// Why no more of it comes.
    pub(super) fn read(&mut self, body: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Cut> {
        body.read(buffer).map_err(|error| {
            self.hang_up();
            let wrapped = error.get_ref().and_then(|inner| inner.downcast_ref());
            match wrapped {
                Some(Error::Timeout(_)) => Cut::Silent,
                _ => Cut::Broken(format!("the connection broke off ({error})")),
            }
        })
    }
}

/// Why a body does not go on.
pub(super) enum Cut {
    /// Nothing came for long.
    Silent,
    /// For a person.
    Broken(String),
}
