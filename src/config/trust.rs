//! Settings that let others read a secret or pose as a remote endpoint. Each causes a WARN at the start.

use ureq::http::Uri;

use super::credentials::Credentials;
use super::remote::{Endpoint, Tls, is_loopback};
use super::settings::Settings;
use super::topology::TopologySettings;
use crate::secrets::keys;

/// The warnings, one sentence each. They never contain a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weaknesses {
    /// A secret is sent over plain http to a host other than the loopback.
    pub in_the_clear: Option<String>,
    /// The endpoint's certificate is not verified.
    pub unverified: Option<String>,
}

impl Settings {
    /// The weaknesses of the connection to the gateway.
    #[must_use]
    pub fn weaknesses(&self) -> Weaknesses {
        let mut secrets = Vec::new();
        secrets.extend(match &self.credentials {
            Credentials::None => None,
            Credentials::Bearer { .. } => Some("bearer_token_file"),
            Credentials::Basic { .. } => Some("basic_password_file"),
            Credentials::ApiKey { .. } => Some("api_key_file"),
        });
        if self.headers.iter().any(|(name, _)| keys::is_credential(name.as_str())) {
            secrets.push("headers");
        }
        if holds_key(&self.endpoint.url) {
            secrets.push("endpoint");
        }
        Weaknesses {
            in_the_clear: in_the_clear(&self.endpoint, "endpoint", &secrets),
            unverified: unverified(&self.endpoint, &self.tls, "insecure_skip_verify", "ca_file"),
        }
    }
}

impl TopologySettings {
    /// The weaknesses of the connection to the API server.
    #[must_use]
    pub fn weaknesses(&self) -> Weaknesses {
        let secrets: Vec<&str> = self.token_file.iter().map(|_| "kube_token_file").collect();
        Weaknesses {
            in_the_clear: in_the_clear(&self.url, "kube_url", &secrets),
            unverified: unverified(&self.url, &self.tls, "kube_insecure_skip_verify", "kube_ca_file"),
        }
    }
}

fn in_the_clear(endpoint: &Endpoint, key: &str, secrets: &[&str]) -> Option<String> {
    let uri: Uri = endpoint.url.parse().ok()?;
    let is_plain = uri.scheme_str() == Some("http") && !uri.host().is_some_and(is_loopback);
    (is_plain && !secrets.is_empty()).then(|| {
        format!(
            "{key} {} is plain http: the network on the way can read the secret of {}; use https://",
            endpoint.shown,
            secrets.join(" and ")
        )
    })
}

fn unverified(endpoint: &Endpoint, tls: &Tls, key: &str, instead: &str) -> Option<String> {
    (endpoint.https && tls.insecure_skip_verify).then(|| {
        format!(
            "{key} is on: any server on the way can pose as {}, and gets its credentials; switch it off and set {instead}",
            endpoint.shown
        )
    })
}

/// Whether a URL contains a key in its path or its query.
fn holds_key(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let in_query = uri.query().unwrap_or_default().split('&').any(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or_default();
        keys::is_credential(name) || keys::keys_in(value).next().is_some()
    });
    in_query || keys::keys_in(uri.path()).next().is_some()
}
