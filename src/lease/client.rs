//! The requests for the one Lease: GET, POST, PUT and a watch.
//!
//! | status | read | write |
//! |---|---|---|
//! | 200, 201 | the Lease | stored as the response has it |
//! | 401, 403 | denied: the error names the right that is missing | the same |
//! | 404 | there is none | PUT: a conflict; POST: refused, as there is no such namespace |
//! | 409 | refused | a conflict |
//! | 429, 5xx, none | unknown | unknown whether it was stored |
//! | other | refused | refused |

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;
use ureq::http::header::{ACCEPT, CONTENT_TYPE};
use ureq::http::{Method, Request, Response};
use ureq::{AsSendBody, Body};

use super::api_error::{ApiError, Verb, shown};
use super::document::{Document, DocumentError, new_lease};
use super::lease_name::LeaseName;
use crate::clock;
use crate::cluster::{Auth, Connection};
use crate::config::Endpoint;
use crate::log::HostLog;
use crate::net::agent::{Limits, beginning};
use crate::net::stop::{StopSignal, Stopper};
use crate::replicas::lease::LeaseContent;
use crate::time::Stamp;

const JSON: &str = "application/json";
const BUFFER_BYTES: usize = 8 << 10;
/// Annotations may have 256 KiB in all, and managed fields name all of them.
const LEASE_BYTES: usize = 2 << 20;
/// A watch that lasts as long as those of the reflectors at least.
const WATCH_SECONDS: u32 = 290;

/// How a write ended that has an answer.
#[derive(Debug)]
pub(super) enum Reply {
    Stored(Box<Document>),
    /// Another write came first.
    Conflict,
}

pub(super) struct Client {
    lease: LeaseName,
    connection: Connection,
    /// For one request, but for the body of a watch.
    limit: Duration,
    /// The last response was 401.
    is_unauthorized: bool,
}

impl Client {
    /// For reads and writes, each within this time.
    pub(super) fn new(
        lease: &LeaseName,
        url: &Endpoint,
        auth: &Arc<Auth>,
        limit: Duration,
        log: &Arc<HostLog>,
    ) -> Self {
        let limits = Limits { whole: Some(limit), ..Self::limits(limit) };
        Self::with(lease, Connection::new(url, auth, limits, &Arc::default(), log), limit)
    }

    /// For a watch, which ends when it was silent for so long, and for reads.
    pub(super) fn for_watch(
        lease: &LeaseName,
        url: &Endpoint,
        auth: &Arc<Auth>,
        (limit, silence): (Duration, Duration),
        log: &Arc<HostLog>,
    ) -> Self {
        let limits = Limits { silence: Some(silence), ..Self::limits(limit) };
        let signal = Arc::<StopSignal>::default();
        Self::with(lease, Connection::new(url, auth, limits, &signal, log), limit)
    }

    fn with(lease: &LeaseName, connection: Connection, limit: Duration) -> Self {
        Self { lease: lease.clone(), connection, limit, is_unauthorized: false }
    }

    fn limits(limit: Duration) -> Limits {
        Limits {
            whole: None,
            connect: limit,
            head: Some(limit),
            body: None,
            silence: None,
            buffer_bytes: BUFFER_BYTES,
        }
    }

    pub(super) fn stopper(&self) -> Stopper {
        self.connection.stopper()
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Reads the Lease from etcd; `None`: there is none.
    ///
    /// # Errors
    /// As [`ApiError`] says.
    pub(super) fn get(&mut self) -> Result<Option<Document>, ApiError> {
        let target = format!("{}/{}", self.lease.collection(), self.lease.name());
        let response = self.send(Verb::Get, &target, ())?;
        match response.status().as_u16() {
            404 => {
                self.drain(response);
                Ok(None)
            }
            200 => self.document(response).map(Some),
            _ => Err(self.refusal(Verb::Get, response)),
        }
    }

    /// Makes the Lease.
    ///
    /// # Errors
    /// As [`ApiError`] says.
    pub(super) fn create(&mut self, content: &LeaseContent) -> Result<Reply, ApiError> {
        let object = new_lease(self.lease.namespace(), self.lease.name(), content, now());
        let target = self.lease.collection();
        self.write(Verb::Create, &target, &object)
    }

    /// Replaces this version of the Lease.
    ///
    /// # Errors
    /// As [`ApiError`] says.
    pub(super) fn replace(&mut self, document: &Document, content: &LeaseContent) -> Result<Reply, ApiError> {
        let target = format!("{}/{}", self.lease.collection(), self.lease.name());
        self.write(Verb::Update, &target, &document.replaced_by(content, now()))
    }

    /// Follows the Lease from this version on; `None`: from now on, beginning with the Lease as it is if there is one.
    ///
    /// # Errors
    /// As [`ApiError`] says.
    pub(super) fn watch(&mut self, version: Option<u64>) -> Result<Response<Body>, ApiError> {
        let (collection, name) = (self.lease.collection(), &self.lease.name());
        let from = version.map_or_else(String::new, |version| format!("&resourceVersion={version}"));
        let target = format!(
            "{collection}?watch=1&timeoutSeconds={WATCH_SECONDS}&fieldSelector=metadata.name%3D{name}{from}"
        );
        let response = self.send(Verb::Watch, &target, ())?;
        if response.status() == 200 { Ok(response) } else { Err(self.refusal(Verb::Watch, response)) }
    }

    fn write(&mut self, verb: Verb, target: &str, object: &Value) -> Result<Reply, ApiError> {
        let body = object.to_string();
        let response = self.send(verb, target, body.as_bytes())?;
        match response.status().as_u16() {
            200 | 201 => self.document(response).map(|document| Reply::Stored(Box::new(document))),
            409 => {
                self.drain(response);
                Ok(Reply::Conflict)
            }
            404 if verb == Verb::Update => {
                self.drain(response);
                Ok(Reply::Conflict)
            }
            _ => Err(self.refusal(verb, response)),
        }
    }

    fn send(&mut self, verb: Verb, target: &str, body: impl AsSendBody) -> Result<Response<Body>, ApiError> {
        let method = match verb {
            Verb::Get | Verb::Watch => Method::GET,
            Verb::Create => Method::POST,
            Verb::Update => Method::PUT,
        };
        let is_write = matches!(verb, Verb::Create | Verb::Update);
        let request = Request::builder().method(method).uri(target).header(ACCEPT, JSON);
        let request = if is_write { request.header(CONTENT_TYPE, JSON) } else { request };
        let request = request.body(body).map_err(|error| ApiError::Unknown(error.to_string()))?;
        let sent = self.connection.send(request, self.limit, self.is_unauthorized);
        let response = sent.map_err(|error| ApiError::Unknown(error.to_string()))?;
        self.is_unauthorized = response.status() == 401;
        Ok(response)
    }

    fn document(&mut self, response: Response<Body>) -> Result<Document, ApiError> {
        let body = beginning(response.into_body(), LEASE_BYTES);
        if !body.is_whole {
            self.connection.hang_up();
            return Err(ApiError::Unknown("the answer broke off".to_owned()));
        }
        let object =
            serde_json::from_slice(&body.bytes).map_err(|_| ApiError::Unusable(DocumentError::NoLease))?;
        Document::read(object).map_err(ApiError::Unusable)
    }

    fn refusal(&mut self, verb: Verb, response: Response<Body>) -> ApiError {
        let status = response.status().as_u16();
        let message = self.drain(response);
        match status {
            401 | 403 => ApiError::Denied { status, verb, lease: self.lease.clone() },
            429 | 500..=599 => ApiError::Unknown(format!("the API server answers {status}: {message}")),
            _ => ApiError::Refused { status, message },
        }
    }

    /// Reads a body to its end, so that the connection can be used again; returns what its `Status` says.
    fn drain(&mut self, response: Response<Body>) -> String {
        let body = beginning(response.into_body(), LEASE_BYTES);
        if !body.is_whole {
            self.connection.hang_up();
        }
        let status: Value = serde_json::from_slice(&body.bytes).unwrap_or_default();
        shown(status.get("message").and_then(Value::as_str).unwrap_or("no reason"))
    }
}

fn now() -> Stamp {
    let since = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = u32::try_from(since.as_secs()).unwrap_or(u32::MAX);
    Stamp::from_unix(seconds, since.subsec_nanos()).unwrap_or(Stamp::EPOCH)
}
