//! The settings of the topology, which is read from the Kubernetes API, and of the correlation of records with it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::Uri;

use super::reader::Reader;
use super::remote::{Endpoint, Tls, url};
use super::units;
use crate::disk::with_suffix;
use crate::pattern::Patterns;

/// The URL, authorities and token with which a pod reaches the API server (Kubernetes, "Accessing the API from a
/// Pod").
const POD_URL: &str = "https://kubernetes.default.svc";
const POD_CA_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
const POD_TOKEN_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
/// Other names of the same Service. These only: `kubernetes.default.svc.example.com` may be another host.
const POD_HOSTS: [&str; 3] =
    ["kubernetes.default.svc", "kubernetes.default", "kubernetes.default.svc.cluster.local"];
/// The address and the port of that Service, set in every pod.
const POD_VARIABLE: &str = "KUBERNETES_SERVICE_HOST";
const POD_PORT_VARIABLE: &str = "KUBERNETES_SERVICE_PORT";

const HOUR: Duration = Duration::from_secs(3_600);

/// How records are correlated with the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrelationSettings {
    /// `None`: records are not correlated.
    pub topology: Option<TopologySettings>,
    /// Where the API server is, whether or not records are correlated; `None` outside of a cluster without `kube_url`.
    pub api: Option<TopologySettings>,
    /// How long the first records wait until the cluster is listed.
    pub wait: Duration,
    /// The most Services that one record names.
    pub max_services: usize,
    /// Labels to include.
    pub labels: Patterns,
    /// Annotations to include.
    pub annotations: Patterns,
}

/// How the topology is read. Instances with equal settings share one topology.
#[derive(Debug, Clone, PartialEq)]
pub struct TopologySettings {
    /// The API server, without a slash at the end and without a query.
    pub url: Endpoint,
    /// For https:// only. Without a client certificate, because the plugin authenticates with a token.
    pub tls: Tls,
    /// `None`: requests carry no token. The pod's own token is used only for the pod's own API server.
    pub token_file: Option<PathBuf>,
    /// How long a deleted object is remembered.
    pub tombstone_ttl: Duration,
    /// The annotations to keep; none if empty.
    pub annotations: Patterns,
    /// The file that keeps deleted objects and last known places over a restart.
    pub snapshot_file: Option<PathBuf>,
}

#[derive(Clone, Copy)]
enum Correlate {
    Auto,
    On,
    Off,
}

/// `None` if there was an error; it reads all keys in any case.
pub(super) fn read(from: &mut Reader<'_>, state_file: Option<&Path>) -> Option<CorrelationSettings> {
    let correlate = from.parsed("correlate", |text| {
        units::choice(text, &[("auto", Correlate::Auto), ("on", Correlate::On), ("off", Correlate::Off)])
    });
    let is_elsewhere = from.text("kube_url").is_some();
    let url = kube_url(from);
    // The pod's own token is only for the pod's own API server, and must not be sent without TLS.
    let https = url.as_ref().is_some_and(|url| url.https);
    let ca_file = file(from, "kube_ca_file", POD_CA_FILE, https);
    let is_own = url.as_ref().is_some_and(|url| is_own(url, from));
    let token_file = file(from, "kube_token_file", POD_TOKEN_FILE, https && is_own);
    let insecure_skip_verify = from.parsed("kube_insecure_skip_verify", units::switch);
    let tombstone_ttl =
        from.parsed("tombstone_ttl", |text| units::time(text, Duration::from_secs(1), HOUR * 24 * 7));
    let wait = from.parsed("topology_wait", |text| units::time(text, Duration::ZERO, HOUR));
    let max_services = from.parsed("max_services", |text| units::count(text, 1, 1_000));
    let labels = from.patterns("labels");
    let annotations = from.patterns("annotations");
    let is_on = match correlate? {
        Correlate::On => true,
        Correlate::Off => false,
        Correlate::Auto => is_elsewhere || (from.source.environment)(POD_VARIABLE).is_some(),
    };
    if is_on && https && !is_own && from.text("kube_token_file").is_none() {
        // The pod's own token must not be sent elsewhere: anyone who has it can read this cluster.
        let expected = "a file with a token for kube_url, which is not the pod's own API server";
        from.refuse("kube_token_file", "is not set", expected);
    }
    let topology = TopologySettings {
        url: url?,
        tls: Tls { ca_file, client: None, insecure_skip_verify: insecure_skip_verify? },
        token_file,
        tombstone_ttl: tombstone_ttl?,
        annotations: annotations.clone(),
        snapshot_file: state_file.map(|file| with_suffix(file, ".topology")),
    };
    let is_known = is_on || is_elsewhere || (from.source.environment)(POD_VARIABLE).is_some();
    Some(CorrelationSettings {
        api: is_known.then(|| topology.clone()),
        topology: is_on.then_some(topology),
        wait: wait?,
        max_services: max_services?,
        labels,
        annotations,
    })
}

/// Whether this is the API server of the pod's own cluster, which the pod's token is for.
fn is_own(url: &Endpoint, from: &Reader<'_>) -> bool {
    let Ok(uri) = url.url.parse::<Uri>() else { return false };
    let variable = |name: &str| (from.source.environment)(name);
    let port = variable(POD_PORT_VARIABLE).and_then(|port| port.parse().ok()).unwrap_or(443);
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches([']', '.']);
    let is_address = || {
        let address = |text: &str| text.parse::<IpAddr>().ok();
        address(host).is_some_and(|host| variable(POD_VARIABLE).as_deref().and_then(address) == Some(host))
    };
    let is_named = POD_HOSTS.iter().any(|name| host.eq_ignore_ascii_case(name));
    (is_named || is_address()) && matches!(uri.port_u16().unwrap_or(443), own if own == port || own == 443)
}

fn kube_url(from: &mut Reader<'_>) -> Option<Endpoint> {
    const EXPECTED: &str = "a URL such as https://kubernetes.default.svc, without a query";
    let before = from.errors.len();
    let text = from.text("kube_url");
    if from.errors.len() > before {
        return None;
    }
    let text = text.as_deref().unwrap_or(POD_URL).trim_end_matches('/').to_owned();
    let parsed = if text.contains(['?', '#']) {
        Err("contains a query or a fragment")
    } else {
        url(&text, "contains a user or password; use kube_token_file")
    };
    parsed.map_err(|problem| from.refuse("kube_url", problem, EXPECTED)).ok()
}

/// The file that a key names, which must be readable; if the key is unset, the pod's own file if it is readable.
fn file(from: &mut Reader<'_>, key: &'static str, of_the_pod: &str, wanted: bool) -> Option<PathBuf> {
    if from.text(key).is_some() {
        return from.file(key);
    }
    let path = Path::new(of_the_pod);
    (wanted && (from.source.readable)(path).is_ok()).then(|| path.to_owned())
}
