//! The far end of a connection, the gateway or the API server: its URL, and whom to trust.

use std::path::PathBuf;

use ureq::http::Uri;

/// A URL that requests go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub url: String,
    pub https: bool,
    /// The URL without its query, which may hold a secret: fit for a log.
    pub shown: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    pub ca_file: Option<PathBuf>,
    /// Certificate chain and private key, both or none.
    pub client: Option<(PathBuf, PathBuf)>,
    pub insecure_skip_verify: bool,
}

/// # Errors
/// What is wrong with it; `with_password` when it holds one, as that would end up in logs.
pub(super) fn url(text: &str, with_password: &'static str) -> Result<Endpoint, &'static str> {
    let uri = text.parse::<Uri>().map_err(|_| "is no URL")?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(authority)) if authority.as_str().contains('@') => Err(with_password),
        (Some("http" | "https"), _) if holds_another(uri.path()) => Err(with_password),
        (Some(scheme @ ("http" | "https")), Some(authority)) if !authority.host().is_empty() => {
            let shown = format!("{scheme}://{authority}{}", uri.path());
            Ok(Endpoint { url: text.to_owned(), https: scheme == "https", shown })
        }
        _ => Err("is no http:// or https:// URL with a host"),
    }
}

/// One URL pasted behind the scheme of another has its user and password in the path.
pub(super) fn holds_another(path: &str) -> bool {
    let mut authorities = path.split("//").skip(1).filter_map(|rest| rest.split('/').next());
    authorities.any(|authority| authority.contains('@'))
}
