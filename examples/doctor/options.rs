//! The command line of `doctor`: the URL of Fluent Bit, and how to reach the API server.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use event_gateway::config::Tls;

use super::source::Access;

const USAGE: &str = "\
doctor [URL] [--kube-url URL] [--token-file FILE] [--ca-file FILE] [--insecure] [--namespace NAME] [--input NAME]
       [--seconds N] [--no-source]
  URL           Fluent Bit's HTTP server; default http://127.0.0.1:2020
  --kube-url    URL of the API server, to compare its events with what Fluent Bit reads; the default in a pod is the
                pod's own API server, if URL is a loopback address, because Fluent Bit runs in the same pod then
  --token-file  file with a token for the API server; default for the pod's own API server: the pod's token
  --ca-file     PEM file with its authorities; default for the pod's own API server: the pod's authorities
  --insecure    do not verify its certificate
  --namespace   follow the events of this namespace only, as kube_namespace of the input does
  --input       alias of the input that reads events; may be repeated; default: all kubernetes_events
  --seconds     how long to wait for events, 1 to 600; default 30. Fluent Bit gets 10 s more for a late event, and
                waiting chunks are checked for 9 s more
  --no-source   do not follow the events
";

/// The URL of Fluent Bit's default port after a port-forward.
const DEFAULT_URL: &str = "http://127.0.0.1:2020";
const DEFAULT_TIME: Duration = Duration::from_secs(30);

const POD_URL: &str = "https://kubernetes.default.svc";
const POD_FILES: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

#[derive(Debug)]
pub struct Options {
    pub url: String,
    /// `None`: the source is not checked.
    pub access: Option<Access>,
}

impl Options {
    /// # Errors
    /// Says what is wrong, and shows the usage.
    pub fn read(words: impl IntoIterator<Item = String>, is_pod: bool) -> Result<Self, String> {
        Self::understood(words, is_pod).map_err(|why| format!("{why}\n{USAGE}"))
    }

    fn understood(words: impl IntoIterator<Item = String>, is_pod: bool) -> Result<Self, String> {
        let mut url = None;
        let mut access = Access {
            url: String::new(),
            token_file: None,
            tls: Tls::default(),
            namespace: None,
            time: DEFAULT_TIME,
            inputs: Vec::new(),
            is_automatic: false,
        };
        let mut follows = true;
        let mut words = words.into_iter().filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match &*word {
                "--kube-url" => access.url = value()?,
                "--token-file" => access.token_file = Some(value()?.into()),
                "--ca-file" => access.tls.ca_file = Some(value()?.into()),
                "--namespace" => access.namespace = Some(value()?),
                "--input" => access.inputs.push(value()?),
                "--no-source" => follows = false,
                "--insecure" => access.tls.insecure_skip_verify = true,
                "--seconds" => {
                    let seconds = value()?.parse().ok().filter(|seconds| (1..=600).contains(seconds));
                    access.time =
                        Duration::from_secs(seconds.ok_or("--seconds needs a number from 1 to 600")?);
                }
                word if word.starts_with('-') => return Err(format!("there is no option {word}")),
                _ if url.is_none() => url = Some(word),
                word => return Err(format!("only one URL is allowed; {word} is a second one")),
            }
        }
        let url = url.unwrap_or_else(|| DEFAULT_URL.to_owned());
        // A Fluent Bit elsewhere may read another cluster.
        if access.url.is_empty() && is_pod && is_loopback(&url) {
            POD_URL.clone_into(&mut access.url);
            access.is_automatic = true;
        }
        // The pod's own files are for its own API server.
        if access.url.trim_end_matches('/') == POD_URL {
            access.token_file = access.token_file.or_else(|| of_the_pod("token"));
            access.tls.ca_file = access.tls.ca_file.or_else(|| of_the_pod("ca.crt"));
        }
        let has_access = follows && !access.url.is_empty();
        Ok(Self { url, access: has_access.then_some(access) })
    }
}

/// Whether this URL, with or without a scheme, points to the pod itself.
fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = rest.split(['/', '?']).next().unwrap_or_default();
    let host = match place.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => place.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn of_the_pod(name: &str) -> Option<PathBuf> {
    let path = Path::new(POD_FILES).join(name);
    path.is_file().then_some(path)
}
