//! Sends one batch over HTTP: a request, a few quick tries, and a disposition.
//!
//! Its rules:
//! 1. Only a 2xx status acknowledges a batch, and only if the whole body was sent: a 2xx to the headers alone
//!    (`Expect: 100-continue`) does not. The response's body (one that hangs or never ends) changes nothing, unless it
//!    names the records (`partial_success`).
//! 2. Redirects are not followed: the credentials are for the endpoint only.
//! 3. All that is received is bounded (see `agent`).
//! 4. The quick tries stay well below the host's grace (5 s, `flb_config.c`), so that a batch still gets its response
//!    when the host stops. The host and the [`Backoff`](crate::gateway::Backoff) do the longer waits.
//! 5. With `guarantee no_duplicates` it tries again only if the gateway has certainly not taken the batch, and asks
//!    before it sends a large body.
//! 6. Files of secrets and certificates are checked before every request.

use std::sync::Arc;
use std::time::Duration;

use ureq::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE, EXPECT, LOCATION, RETRY_AFTER,
};
use ureq::http::{HeaderName, HeaderValue, Request, Response, Uri};
use ureq::{Agent, Body, SendBody};

use super::tries::Tries;
use super::{Post, Transport};
use crate::clock;
use crate::config::{ConfigError, Guarantee, Scheme, Settings};
use crate::gateway::outgoing::Outgoing;
use crate::log::HostLog;
use crate::metrics::{FailureClass, Metrics};
use crate::net::agent::{BODY_READ_BYTES, Limits, agent, agent_over, beginning};
use crate::net::credentials::Authorization;
use crate::net::failure;
use crate::net::peer::GATEWAY;
use crate::net::proxy;
use crate::net::stop::{StopSignal, Stopper};
use crate::net::tls::{TlsFiles, warn_of};
use crate::response::{self, Disposition, Doubt, classify_status};
use crate::secrets::{Secrets, keys};

/// A smaller body fits into the socket's buffer, so the gateway cannot cut it off while it is sent.
const EXPECT_FROM_BYTES: usize = 16 << 10;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The gateway of one output instance: a kept-alive connection and what it takes to renew it.
pub struct Gateway {
    agent: Agent,
    endpoint: Uri,
    timeout: Duration,
    guarantee: Guarantee,
    headers: Vec<(HeaderName, HeaderValue)>,
    authorization: Authorization,
    tls_files: Option<TlsFiles>,
    secrets: Secrets,
    signal: Arc<StopSignal>,
    stopper: Stopper,
    metrics: Arc<Metrics>,
    log: Arc<HostLog>,
}

impl Gateway {
    /// Reads the files that the settings name. Makes no connection.
    ///
    /// # Errors
    /// All errors of the files, not just the first.
    pub fn open(
        settings: &Settings,
        metrics: Arc<Metrics>,
        log: Arc<HostLog>,
    ) -> Result<Self, Vec<ConfigError>> {
        let mut errors = Vec::new();
        let (url, socket) = match &settings.scheme {
            Scheme::HttpOverUnix { socket, url } => (url, Some(socket)),
            _ => (&settings.endpoint.url, None),
        };
        let endpoint = url.parse::<Uri>().map_err(|_| {
            errors.push(ConfigError {
                key: "endpoint",
                problem: "is no URL".into(),
                expected: "a URL such as https://gateway.example/events".into(),
            });
        });
        let authorization = Authorization::open(&settings.credentials, GATEWAY.token_key, &log)
            .map_err(|error| errors.push(error));
        let mut tls_files = settings.endpoint.https.then(|| TlsFiles::new(&settings.tls, GATEWAY));
        let tls = tls_files.as_mut().map(|files| files.load(log.secrets())).transpose();
        let tls = tls.map_err(|more| errors.extend(more));
        let (Ok(endpoint), Ok(authorization), Ok(tls)) = (endpoint, authorization, tls) else {
            return Err(errors);
        };

        proxy::hide_password(log.secrets());
        let secrets = Secrets::beside(log.secrets());
        secrets.add_query(endpoint.query().unwrap_or_default());
        keys::keys_in(endpoint.path()).for_each(|key| secrets.add(key));
        let mut headers = settings.headers.clone();
        for (_, value) in &mut headers {
            value.set_sensitive(true);
            // The value may hold more than ASCII.
            let text = String::from_utf8_lossy(value.as_bytes());
            secrets.add(&text);
            // A response may quote only the second word of `Authorization: ApiKey 1234`.
            secrets.add(text.rsplit(' ').next().unwrap_or_default());
        }
        warn_of(settings.weaknesses(), &log);
        let signal = Arc::new(StopSignal::default());
        let stopper = Stopper::new(Arc::clone(&signal));
        let limits = Limits::for_post(settings.timeout);
        let agent = match socket {
            Some(socket) => agent_over(socket, &limits, &signal),
            None => agent(&endpoint, &limits, tls, &signal),
        };
        stopper.watch(&agent);
        Ok(Self {
            agent,
            endpoint,
            timeout: settings.timeout,
            guarantee: settings.guarantee,
            headers,
            authorization,
            tls_files,
            secrets,
            signal,
            stopper,
            metrics,
            log,
        })
    }

    /// Sends one request. The second value is what the response showed about `Expect`.
    fn one_try(&mut self, post: &Post<'_>, expect: bool) -> (Disposition, Expect) {
        if self.stopper.is_stopped() {
            return (Disposition::not_sent("the plugin is stopping".into()), Expect::No);
        }
        let mut body = Outgoing { left: post.body.bytes, has_begun: false };
        let request = match self.request(post, expect) {
            Ok(request) => request.map(|()| SendBody::from_reader(&mut body)),
            Err(error) => {
                return (Disposition::not_sent(format!("the request cannot be built ({error})")), Expect::No);
            }
        };
        self.metrics.requests_total.add(1);
        let began = clock::monotonic();
        let request = if post.format.response_limit().is_some() {
            self.agent.configure_request(request).timeout_recv_body(Some(self.timeout)).build()
        } else {
            request
        };
        let result = self.agent.run(request);
        let class = match &result {
            Ok(response) => FailureClass::of_status(response.status().as_u16()),
            Err(_) if self.stopper.is_stopped() => FailureClass::Other,
            Err(error) => failure::class(error, self.tls_files.is_some()),
        };
        self.metrics.request_duration_seconds.observe(clock::monotonic().saturating_duration_since(began));
        let (disposition, learned) = match result {
            Ok(response) => self.classified(response, post, &body),
            Err(error) => {
                let why = if self.stopper.is_stopped() {
                    "the plugin is stopping".into()
                } else {
                    self.hidden(failure::described(&error, &GATEWAY, self.timeout, self.tls_files.is_some()))
                };
                let doubt = if failure::is_refused_certificate(&error) {
                    Doubt::None
                } else {
                    body.doubt_without_response()
                };
                let learned = if failure::cut_while_sending(&error) { Expect::Yes } else { Expect::No };
                (Disposition::Retry { after: None, why, doubt }, learned)
            }
        };
        if matches!(disposition, Disposition::Retry { .. } | Disposition::Refused { .. }) {
            self.metrics.request_retries_total.add(class);
        }
        (disposition, learned)
    }

    fn request(&mut self, post: &Post<'_>, expect: bool) -> Result<Request<()>, ureq::http::Error> {
        let mut request = Request::post(self.endpoint.clone()).body(())?;
        let headers = request.headers_mut();
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        headers.insert(CONTENT_LENGTH, HeaderValue::from(post.body.bytes.len()));
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(post.content_type)?);
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_str(post.idempotency_key)?);
        if post.body.is_gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if expect {
            headers.insert(EXPECT, HeaderValue::from_static("100-continue"));
        }
        let name = self.authorization.name();
        if let Some(value) = self.authorization.header(&self.log) {
            headers.insert(name, value.clone());
        }
        Ok(request)
    }

    /// A response to the headers alone, which `Expect` allows, acknowledges nothing and leaves no doubt.
    ///
    /// RFC 9110 allows a response while the body is still being sent. ureq reads no response before the body is sent.
    /// An early 2xx then counts, because only the gateway knows how much it had read. If sending the body fails, there is
    /// no response although some of the body was sent, so the batch is in doubt.
    fn classified(
        &self,
        response: Response<Body>,
        post: &Post<'_>,
        sent: &Outgoing<'_>,
    ) -> (Disposition, Expect) {
        let (head, body) = response.into_parts();
        let received = beginning(body, post.format.response_limit().unwrap_or(BODY_READ_BYTES));
        let shown = received.bytes.get(..BODY_READ_BYTES).unwrap_or(&received.bytes);
        let words = self.hidden(String::from_utf8_lossy(shown).into_owned());
        let status = head.status.as_u16();
        let text = |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let location = text(LOCATION).map(|location| self.hidden(location.to_owned()));
        let response = response::Response {
            status,
            retry_after: text(RETRY_AFTER),
            date: text(DATE),
            location: location.as_deref(),
            words: words.as_bytes(),
            body: &received.bytes,
            is_whole: received.is_whole,
            records: post.records,
            sent_bytes: post.body.bytes.len() as u64,
            hide: &|text| self.hidden(text),
        };
        if head.status.is_success() && !sent.left.is_empty() {
            let why = format!("the gateway answered {status} before it had the batch");
            let doubt = sent.doubt_without_response();
            return (Disposition::Retry { after: None, why, doubt }, Expect::Useless);
        }
        let disposition =
            post.format.classify(&response).unwrap_or_else(|| classify_status(&response, clock::wall()));
        let disposition = if sent.has_begun { disposition } else { disposition.certain() };
        (disposition, if status == 417 { Expect::Useless } else { Expect::No })
    }

    /// A text from outside, without secrets.
    fn hidden(&self, text: String) -> String {
        self.secrets.hide_in(text)
    }

    /// Loads replaced certificates. If the new files are unusable, the old certificates stay in use: they may still be
    /// valid, and an unfinished replacement (a new certificate before its key) looks the same.
    fn renew_tls(&mut self) {
        let Some(files) = self.tls_files.as_mut().filter(|files| files.changed()) else { return };
        match files.load(self.log.secrets()) {
            Ok(tls) => {
                self.agent = agent(&self.endpoint, &Limits::for_post(self.timeout), Some(tls), &self.signal);
                self.stopper.watch(&self.agent);
                self.log.info("tls renewed", "the TLS files have changed and were read again");
            }
            Err(errors) => {
                for error in errors {
                    self.log.warn("tls files", format!("{error}; what was read before stays in use"));
                }
            }
        }
    }
}

impl Transport for Gateway {
    /// Sends a batch. The quick tries take about two seconds, and the last of them up to a `timeout` more.
    fn post(&mut self, post: &Post<'_>) -> Disposition {
        self.renew_tls();
        let body_bytes = post.body.bytes.len();
        let mut tries = Tries::begin();
        let mut credentials_renewed = false;
        // A gateway that rejects a large body may close before it has read all: the response is then lost.
        let is_cautious = self.guarantee == Guarantee::NoDuplicates && body_bytes >= EXPECT_FROM_BYTES;
        let mut next = if is_cautious { Expect::Yes } else { Expect::No };
        let mut doubt = Doubt::None;
        loop {
            let expect = next == Expect::Yes && body_bytes >= EXPECT_FROM_BYTES;
            let (disposition, learned) = self.one_try(post, expect);
            let is_useless = expect && learned == Expect::Useless;
            let disposition = disposition.after(doubt);
            doubt = disposition.doubt();
            let quick_try = match &disposition {
                // The token may have been renewed after it was read, because a file's times may not change for some
                // milliseconds. Services with an API key respond with 403.
                Disposition::Refused { status: 401 | 403, .. } if !credentials_renewed => {
                    credentials_renewed = true;
                    self.authorization.reread(&self.log)
                }
                _ if doubt > Doubt::None && self.guarantee == Guarantee::NoDuplicates => false,
                // RFC 9110, 10.1.1: repeat the request without `Expect`.
                _ if is_useless => true,
                Disposition::Retry { after: None, .. } => tries.another(&self.stopper),
                _ => false,
            };
            if !quick_try {
                return disposition;
            }
            next = next.max(learned);
        }
    }

    fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    fn key_in_the_body(&self) -> Option<&str> {
        self.authorization.in_the_body()
    }
}

/// Whether the next try sends `Expect: 100-continue` before a large body. Later variants override earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Expect {
    No,
    /// The connection was cut while the body was sent. With `Expect` the gateway can respond before that.
    Yes,
    /// The gateway's responses to `Expect` do not say what becomes of the batch.
    Useless,
}
