//! The words behind `doctor`: the URL of Fluent Bit, and how the API server is reached.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use event_gateway::config::Tls;

use super::source::Access;

const USAGE: &str = "\
doctor [URL] [--kube-url URL] [--token-file FILE] [--ca-file FILE] [--insecure] [--namespace NAME] [--input NAME]
       [--seconds N] [--no-source]
  URL           Fluent Bit's HTTP server; http://127.0.0.1:2020 when it is not given
  --kube-url    the API server, whose events are followed beside Fluent Bit; when it is not given, in a pod the pod's
                own if URL is a loopback address: Fluent Bit runs in this pod then
  --token-file  a token for it; for the pod's own API server the pod's when it is not given
  --ca-file     PEM of its authorities; for the pod's own API server the pod's when it is not given
  --insecure    do not verify its certificate
  --namespace   follow the events of this namespace only, as kube_namespace of the input does
  --input       the input that reads events, by its alias; may be repeated; all kubernetes_events when it is not given
  --seconds     how long events are waited for, 1 to 600; 30 when it is not given. Fluent Bit has 10 more for an event
                that comes late, and chunks that wait are looked at for 9 more
  --no-source   do not follow the events
";

/// Fluent Bit's default, as a port-forward shows it.
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
    /// What is wrong with the words, and which there are.
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
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
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
                    access.time = Duration::from_secs(seconds.ok_or("--seconds wants 1 to 600")?);
                }
                word if word.starts_with('-') => return Err(format!("there is no {word}")),
                _ if url.is_none() => url = Some(word),
                word => return Err(format!("one URL is asked; {word} is a second")),
            }
        }
        let url = url.unwrap_or_else(|| DEFAULT_URL.to_owned());
        // Fluent Bit elsewhere may read another cluster.
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

/// Whether this URL, with or without a scheme, leads into the pod itself.
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
