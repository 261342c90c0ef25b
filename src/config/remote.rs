//! A remote endpoint, the gateway or the API server: its URL, and which certificates to trust.

use std::net::IpAddr;
use std::path::PathBuf;

use ureq::http::Uri;

use super::reader::Reader;
use super::units;
use crate::secrets::keys;

/// The URL that requests are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// As the setting has it, with its query. With `http+unix://`, requests go to the URL in `Scheme` instead.
    pub url: String,
    /// Whether the connection uses TLS; `false` with a Unix socket or files.
    pub https: bool,
    /// The URL for a log: without its query and without anything in its path that may be a key.
    pub shown: String,
}

/// The files and switches of TLS, for the gateway or for the API server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// The authorities to trust instead of the system's; `None`: the system's.
    pub ca_file: Option<PathBuf>,
    /// Certificate chain and private key, both or neither.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Any certificate of the remote endpoint is accepted.
    pub insecure_skip_verify: bool,
}

/// Whether a URL's host is this machine or pod, so that requests to it never leave it.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.trim_end_matches('.').eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// # Errors
/// The problem; `with_password` if the URL contains a password, because it would end up in logs.
pub(super) fn url(text: &str, with_password: &'static str) -> Result<Endpoint, &'static str> {
    let uri = text.parse::<Uri>().map_err(|_| "is not a URL")?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(authority)) if authority.as_str().contains('@') => Err(with_password),
        (Some("http" | "https"), _) if holds_another(uri.path()) => Err(with_password),
        (Some(scheme @ ("http" | "https")), Some(authority)) if !authority.host().is_empty() => {
            let shown = format!("{scheme}://{authority}{}", keys::shown(uri.path()));
            Ok(Endpoint { url: text.to_owned(), https: scheme == "https", shown })
        }
        _ => Err("is not an http:// or https:// URL with a host"),
    }
}

/// Whether the path contains a user and password, because one URL was pasted after the scheme of another.
pub(super) fn holds_another(path: &str) -> bool {
    let mut authorities = path.split("//").skip(1).filter_map(|rest| rest.split('/').next());
    authorities.any(|authority| authority.contains('@'))
}

/// `None` if there was an error.
pub(super) fn tls(from: &mut Reader<'_>) -> Option<Tls> {
    let before = from.errors.len();
    let ca_file = from.file("ca_file");
    let certificate = from.file("client_cert_file");
    let key = from.file("client_key_file");
    let insecure_skip_verify = from.parsed("insecure_skip_verify", units::switch);
    if from.errors.len() > before {
        return None;
    }
    let client = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => {
            from.refuse("client_key_file", "is not set", "a file, since client_cert_file is set");
            return None;
        }
        (None, Some(_)) => {
            from.refuse("client_cert_file", "is not set", "a file, since client_key_file is set");
            return None;
        }
    };
    Some(Tls { ca_file, client, insecure_skip_verify: insecure_skip_verify? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_host_in_all_its_spellings() {
        for (host, loopback) in [
            ("localhost", true),
            ("LocalHost", true),
            ("localhost.", true),
            ("127.0.0.1", true),
            ("127.8.0.1", true),
            ("[::1]", true),
            ("[::ffff:127.0.0.1]", true),
            ("10.0.0.1", false),
            ("[::]", false),
            ("localhost.example", false),
            ("127.0.0.1.example", false),
        ] {
            assert_eq!(is_loopback(host), loopback, "{host}");
        }
    }
}
