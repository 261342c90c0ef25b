//! Detects a silent source: follows the events at the API server for a while and compares with what Fluent Bit reads.
//!
//! The API server cannot list the newest events only. So a list with one item gives the current version, and short watches
//! one after the other count the events after it. Between the watches the page of metrics is read, and the check ends as
//! soon as Fluent Bit has read something.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use event_gateway::clock;
use event_gateway::config::{Credentials, Tls};
use event_gateway::log::HostLog;
use event_gateway::net::agent::{Limits, agent};
use event_gateway::net::credentials::Authorization;
use event_gateway::net::failure;
use event_gateway::net::peer::API_SERVER;
use event_gateway::net::proxy;
use event_gateway::net::tls::TlsFiles;
use serde_json::Value;
use ureq::Agent;
use ureq::http::header::{AUTHORIZATION, HeaderValue};
use ureq::http::{Request, Uri};

use super::finding::{Finding, finding, span};

const CONNECT: Duration = Duration::from_secs(5);
/// The API server may be slow, but it must start to respond.
const HEAD: Duration = Duration::from_secs(10);
/// The length of a watch; after it the page is read.
const WATCH_SECONDS: u64 = 2;
/// The longest time from an event to the page: the input reads, the engine flushes once a second, and the page follows
/// within two.
const SETTLED: Duration = Duration::from_secs(10);

/// How the doctor reaches the API server.
#[derive(Debug, Clone)]
pub struct Access {
    pub url: String,
    pub token_file: Option<PathBuf>,
    pub tls: Tls,
    /// The input's `kube_namespace`.
    pub namespace: Option<String>,
    pub time: Duration,
    /// The inputs that read events; if empty, those called `kubernetes_events`.
    pub inputs: Vec<String>,
    /// Whether the user did not ask for this check; its failure is not a problem then.
    pub is_automatic: bool,
}

pub fn not_checked() -> Finding {
    let text = "not checked; to check it, run kubectl proxy and add ARGS=\"--kube-url http://127.0.0.1:8001\" (or use \
                --token-file and --ca-file), or run this in Fluent Bit's pod";
    finding(false, "source", text)
}

/// Follows the events until each input has read something, or the time is over. `silent` returns the inputs that have
/// read nothing.
pub fn follow(access: &Access, mut silent: impl FnMut() -> Vec<String>) -> Finding {
    let start = clock::monotonic();
    let log = HostLog::default();
    let mut first = None;
    let mut events = 0;
    let outcome = Client::new(access, &log).and_then(|client| {
        let mut version = client.newest()?;
        // The last watch ends with the time. If the first event came late, Fluent Bit gets more time to read it.
        while start.elapsed() < access.time {
            events += client.watch(&mut version)?;
            first = first.or((events > 0).then(clock::monotonic));
            if events > 0 && silent().is_empty() {
                return Ok(Vec::new());
            }
        }
        let Some(first) = first else { return Ok(Vec::new()) };
        while first.elapsed() < SETTLED {
            std::thread::sleep(Duration::from_millis(500));
            if silent().is_empty() {
                break;
            }
        }
        Ok(silent())
    });
    let (took, server) = (span(start.elapsed().as_secs_f64()), &access.url);
    match outcome {
        Err(why) => {
            let why = log.secrets().hide_in(why);
            let off = if access.is_automatic { "; --no-source skips this check" } else { "" };
            finding(!access.is_automatic, "source", format!("could not be checked at {server}: {why}{off}"))
        }
        Ok(_) if events == 0 => {
            let text = format!(
                "the API server {server} had no event in {took}, so nothing can be said; repeat this when there are events"
            );
            finding(false, "source", text)
        }
        Ok(silent) if silent.is_empty() => finding(
            false,
            "source",
            format!("reads: the API server {server} had {events} events in {took}, and Fluent Bit read"),
        ),
        Ok(silent) => {
            let text = format!(
                "{} silent although the API server {server} had {events} events in {took}: look at the log of the \
                 input, at its kube_url and kube_token_file, at list and watch on events in the role, at \
                 kube_namespace (then repeat this with --input and --namespace), and leave db unset",
                silent.join(", ")
            );
            finding(true, "source", text)
        }
    }
}

struct Client {
    agent: Agent,
    header: Option<HeaderValue>,
    events: String,
    https: bool,
}

impl Client {
    fn new(access: &Access, log: &HostLog) -> Result<Self, String> {
        proxy::hide_password(log.secrets());
        let base = access.url.trim_end_matches('/');
        let uri: Uri = base.parse().map_err(|_| format!("{base} is not a URL"))?;
        let https = uri.scheme_str() == Some("https");
        let credentials = access.token_file.clone();
        let credentials =
            credentials.map_or(Credentials::None, |token_file| Credentials::Bearer { token_file });
        let mut authorization =
            Authorization::open(&credentials, "--token-file", log).map_err(|error| error.to_string())?;
        let tls = https
            .then(|| TlsFiles::new(&access.tls, API_SERVER).load(log.secrets()))
            .transpose()
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        let limits = Limits {
            whole: None,
            connect: CONNECT,
            head: Some(HEAD),
            body: None,
            silence: Some(Duration::from_secs(WATCH_SECONDS) + HEAD),
            buffer_bytes: 32 << 10,
        };
        let namespace = access.namespace.as_ref().map_or(String::new(), |name| format!("/namespaces/{name}"));
        Ok(Self {
            agent: agent(&uri, &limits, tls, &Arc::default()),
            header: authorization.header(log).cloned(),
            events: format!("{base}/api/v1{namespace}/events"),
            https,
        })
    }

    fn get(&self, query: &str) -> Result<BufReader<impl std::io::Read>, String> {
        let mut request =
            Request::get(format!("{}?{query}", self.events)).body(()).map_err(|why| why.to_string())?;
        if let Some(header) = &self.header {
            request.headers_mut().insert(AUTHORIZATION, header.clone());
        }
        let answer = self
            .agent
            .run(request)
            .map_err(|error| failure::described(&error, &API_SERVER, CONNECT.max(HEAD), self.https))?;
        match answer.status().as_u16() {
            200 => Ok(BufReader::new(answer.into_body().into_reader())),
            401 => Err("the API server does not accept the token (401)".to_owned()),
            403 => Err("the role does not grant list and watch on events (403)".to_owned()),
            status => Err(format!("the API server responds with {status}")),
        }
    }

    /// The current version.
    fn newest(&self) -> Result<String, String> {
        let list: Value = serde_json::from_reader(self.get("limit=1")?)
            .map_err(|why| format!("its list of events cannot be read ({why})"))?;
        let version = list["metadata"]["resourceVersion"].as_str();
        version.map(str::to_owned).ok_or_else(|| "its list of events has no version".to_owned())
    }

    /// How many events came after the version, which is then set to that of the last one.
    fn watch(&self, version: &mut String) -> Result<u64, String> {
        let query = format!(
            "watch=1&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={version}"
        );
        let mut events = 0;
        for line in self.get(&query)?.lines() {
            let line = line.map_err(|why| format!("the watch of events broke off ({why})"))?;
            let line: Value = serde_json::from_str(&line)
                .map_err(|why| format!("a line of the watch cannot be read ({why})"))?;
            let kind = line["type"].as_str().unwrap_or_default();
            if kind == "ERROR" {
                // The version is too old; the events since then are not counted.
                *version = self.newest()?;
                break;
            }
            events += u64::from(["ADDED", "MODIFIED"].contains(&kind));
            if let Some(newer) = line["object"]["metadata"]["resourceVersion"].as_str() {
                newer.clone_into(version);
            }
        }
        Ok(events)
    }
}
