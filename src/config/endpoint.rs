//! `endpoint`: where batches are sent. The scheme of its URL selects the transport.
//!
//! ```text
//! http://host:port/path, https://…       requests
//! http+unix:///path/of.sock:/path        requests over a Unix socket
//! unix:///path/of.sock                   lines into a Unix socket
//! file:///folder                         lines into files
//! ```
//! A path is taken literally, without escapes.

use std::path::PathBuf;
use std::time::Duration;

use ureq::http::Uri;

use super::reader::Reader;
use super::remote::{Endpoint, holds_another, url};
use super::units;
use super::units::DAY;
use crate::secrets::keys;

/// The transport and its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP requests, with or without TLS.
    Http,
    /// HTTP requests for this URL over a Unix socket.
    HttpOverUnix {
        /// The path of the socket.
        socket: PathBuf,
        /// The URL of the requests.
        url: String,
    },
    /// Lines into a Unix socket.
    Unix {
        /// The path of the socket.
        socket: PathBuf,
    },
    /// Lines into the files of a folder.
    File(FileSettings),
}

/// The settings of `file://`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSettings {
    /// The folder of the files.
    pub folder: PathBuf,
    /// A file is completed before it exceeds this size.
    pub max_bytes: u64,
    /// A file is completed at this age.
    pub max_age: Duration,
}

const WITH_PASSWORD: &str = "contains a user or password; use basic_user and basic_password_file";
/// A longer path does not fit into a `sockaddr_un` with its terminating zero.
const MOST_SOCKET_BYTES: usize = 107;
/// The keys that only requests use.
const REQUEST_KEYS: [&str; 9] = [
    "headers",
    "api_key_file",
    "bearer_token_file",
    "basic_user",
    "basic_password_file",
    "ca_file",
    "client_cert_file",
    "client_key_file",
    "insecure_skip_verify",
];

impl Scheme {
    /// Whether the transport sends requests, with headers and responses.
    #[must_use]
    pub fn makes_requests(&self) -> bool {
        matches!(self, Self::Http | Self::HttpOverUnix { .. })
    }

    /// Whether a key has an effect with this transport.
    #[must_use]
    pub fn uses(&self, key: &str) -> bool {
        match key {
            "compress" => !matches!(self, Self::Unix { .. }),
            "timeout" => !matches!(self, Self::File(_)),
            "file_max_bytes" | "file_max_age" => matches!(self, Self::File(_)),
            _ => self.makes_requests() || !REQUEST_KEYS.contains(&key),
        }
    }
}

/// The problem of an endpoint, and what was expected.
type Problem = (&'static str, &'static str);

const EXPECTED_URL: &str =
    "a URL such as https://gateway.example/events, or one of http+unix://, unix:// or file:// with a path";
const EXPECTED_HTTP_UNIX: &str =
    "http+unix:///run/gateway.sock:/events: the socket's absolute path, a colon, the path of the requests";
const EXPECTED_UNIX: &str = "unix:///run/gateway.sock: the socket's absolute path after two slashes";
const EXPECTED_FILE: &str = "file:///var/spool/events: a folder's absolute path after two slashes";

pub(super) fn read(from: &mut Reader<'_>) -> Option<(Endpoint, Scheme)> {
    let max_bytes = from.parsed("file_max_bytes", |text| units::size(text, 1_000, 1_000_000_000_000));
    let max_age =
        from.parsed("file_max_age", |text| units::time(text, Duration::from_millis(100), DAY * 365));
    let Some(text) = from.text("endpoint") else {
        if from.errors.iter().all(|error| error.key != "endpoint") {
            from.refuse("endpoint", "is not set", EXPECTED_URL);
        }
        return None;
    };
    let read = match scheme_and_rest(&text) {
        Some(("http+unix", rest)) => over_unix(&text, rest).map_err(|problem| (problem, EXPECTED_HTTP_UNIX)),
        Some(("unix", rest)) => socket(rest)
            .map(|socket| (plain(&text), Scheme::Unix { socket }))
            .map_err(|problem| (problem, EXPECTED_UNIX)),
        Some(("file", rest)) => path(rest).map_err(|problem| (problem, EXPECTED_FILE)).map(|folder| {
            let (max_bytes, max_age) = (max_bytes.unwrap_or_default(), max_age.unwrap_or_default());
            (plain(&text), Scheme::File(FileSettings { folder, max_bytes, max_age }))
        }),
        _ => url(&text, WITH_PASSWORD)
            .map(|endpoint| (endpoint, Scheme::Http))
            .map_err(|problem| (problem, EXPECTED_URL)),
    };
    let (endpoint, scheme) =
        read.map_err(|(problem, expected): Problem| from.refuse("endpoint", problem, expected)).ok()?;
    for key in REQUEST_KEYS.into_iter().filter(|key| !scheme.uses(key)) {
        // A user who sets a secret or a certificate relies on it.
        if from.text(key).is_some_and(|text| Some(&*text) != from.default_of(key)) {
            let problem = format!("is set, but endpoint {} does not use it", endpoint.shown);
            from.refuse(key, problem, "an http:// or https:// endpoint, or the key unset");
        }
    }
    max_bytes.and(max_age).map(|_| (endpoint, scheme))
}

/// The scheme in lower case and the rest, if the scheme is one with a path.
fn scheme_and_rest(text: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let known = ["http+unix", "unix", "file"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known))?;
    Some((known, rest))
}

/// Parses an absolute path.
fn path(text: &str) -> Result<PathBuf, &'static str> {
    if holds_another(text) {
        return Err(WITH_PASSWORD);
    }
    match text {
        "" => Err("has no path"),
        _ if !text.starts_with('/') => Err("has a relative path, or a host"),
        _ if text.contains(['?', '#']) => Err("has a query or a fragment, which a path cannot have"),
        _ => Ok(PathBuf::from(text)),
    }
}

fn socket(text: &str) -> Result<PathBuf, &'static str> {
    match path(text)? {
        _ if text.ends_with('/') => Err("names a folder"),
        _ if text.len() > MOST_SOCKET_BYTES => {
            Err("has a path of more than 107 bytes, which is too long for a socket")
        }
        socket => Ok(socket),
    }
}

fn over_unix(text: &str, rest: &str) -> Result<(Endpoint, Scheme), &'static str> {
    let Some((socket_path, uri)) = rest.split_once(":/") else {
        // A wrong socket path is reported first, because it is the more important error.
        return path(rest).and(Err("has no path for the requests"));
    };
    let socket = socket(socket_path)?;
    if holds_another(uri) {
        return Err(WITH_PASSWORD);
    }
    let url = format!("http://localhost/{uri}");
    let parsed = url.parse::<Uri>().map_err(|_| "has an invalid path for the requests")?;
    let shown = format!("http+unix://{socket_path}:{}", keys::shown(parsed.path()));
    let endpoint = Endpoint { url: text.to_owned(), https: false, shown };
    Ok((endpoint, Scheme::HttpOverUnix { socket, url }))
}

fn plain(text: &str) -> Endpoint {
    Endpoint { url: text.to_owned(), https: false, shown: text.to_owned() }
}
