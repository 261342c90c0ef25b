//! Does a host that starts show one WARN for each secret that goes in the clear and each certificate that nobody looks at?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::Path;

use super::support;
use support::certificates::Certificates;
use support::gateway::TestGateway;
use support::host::{Build, Code, LogLine, MiniHost};
use support::kube_api::KubeApi;
use support::service_impact::loaded;
use support::{PATIENT, events};

const SECRET: &str = "S3CR3T-of-the-gateway-0123456789";
const PLAIN: &str = "is plain http: the network on the way can read the secret of";
const UNVERIFIED: &str = "any server on the way can pose as";

/// No address of the loopback, and yet it leads to this machine.
fn elsewhere(url: &str) -> String {
    url.replace("127.0.0.1", "0.0.0.0")
}

fn secret_in(folder: &Path) -> String {
    let path = folder.join("secret");
    fs::write(&path, SECRET).unwrap();
    path.to_str().unwrap().to_owned()
}

fn said(host: &MiniHost) -> Vec<LogLine> {
    let lines = host.logs();
    assert!(lines.iter().all(|line| !line.text.contains("S3CR3T")), "{lines:?}");
    lines.into_iter().filter(|line| line.text.contains(PLAIN) || line.text.contains(UNVERIFIED)).collect()
}

/// The lines of an output with these settings, after it has started, delivered and stopped.
fn said_of(settings: &[(&str, &str)]) -> Vec<LogLine> {
    let mut host = MiniHost::start(Build::V5_1_1);
    for (key, value) in PATIENT.iter().filter(|(key, _)| settings.iter().all(|(name, _)| name != key)) {
        host.set("a", key, value);
    }
    for (key, value) in settings {
        host.set("a", key, value);
    }
    assert_eq!(host.init("a"), 1, "{settings:?}");
    for uid in ["u1", "u2"] {
        assert_eq!(host.deliver("a", "t", &events([uid])), Code::Ok, "{settings:?}");
    }
    host.quit();
    said(&host)
}

/// One WARN, with these words.
#[track_caller]
fn is_one(lines: &[LogLine], words: &[&str]) {
    let [line] = lines else { panic!("not one line: {lines:?}") };
    assert!(line.level == 2 && words.iter().all(|word| line.text.contains(word)), "{words:?}: {line:?}");
}

#[test]
fn a_secret_over_plain_http_to_another_host_is_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    let file = secret_in(folder.path());
    let gateway = TestGateway::start();
    let (near, far) = (gateway.url(), elsewhere(&gateway.url()));
    let header = format!("X-Api-Key: {SECRET}");
    let with_key = format!("{far}?key={SECRET}");
    let ways: [(&str, &[(&str, &str)]); 4] = [
        ("bearer_token_file", &[("endpoint", &far), ("bearer_token_file", &file)]),
        ("basic_password_file", &[("endpoint", &far), ("basic_user", "me"), ("basic_password_file", &file)]),
        ("headers", &[("endpoint", &far), ("headers", &header)]),
        ("endpoint", &[("endpoint", &with_key)]),
    ];
    for (key, settings) in ways {
        is_one(&said_of(settings), &[PLAIN, &format!("the secret of {key};"), "use https://"]);
    }
    for harmless in [
        &[("endpoint", &*near), ("bearer_token_file", &file)][..],
        &[("endpoint", &*far)],
        &[("endpoint", &*near)],
    ] {
        assert_eq!(said_of(harmless).len(), 0, "{harmless:?}");
    }
}

#[test]
fn a_certificate_that_nobody_checks_is_warned_about() {
    let certificates = Certificates::new();
    let gateway = TestGateway::tls(certificates.server());
    let url = gateway.url();
    let off = said_of(&[("endpoint", &url), ("insecure_skip_verify", "on")]);
    is_one(&off, &["insecure_skip_verify is on", UNVERIFIED, "ca_file"]);
    let authority = certificates.file("ca.pem");
    assert_eq!(said_of(&[("endpoint", &url), ("ca_file", authority.to_str().unwrap())]).len(), 0);
}

/// Once for all outputs and filters that share what they read of it.
#[test]
fn weaknesses_towards_the_api_server_are_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    let file = secret_in(folder.path());
    let gateway = TestGateway::start();
    let endpoint = gateway.url();
    let (plain, tls) = (KubeApi::start(), KubeApi::start_tls(&Certificates::new().server()));
    let (plain_url, tls_url) = (elsewhere(&plain.url()), tls.url());
    let token = ("kube_token_file", &*file);
    type Way<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
    let ways: [Way<'_>; 2] = [
        (&[("kube_url", &plain_url), token], &[PLAIN, "kube_url", "the secret of kube_token_file;"]),
        (
            &[("kube_url", &tls_url), token, ("kube_insecure_skip_verify", "on")],
            &["kube_insecure_skip_verify is on", UNVERIFIED],
        ),
    ];
    for (settings, words) in ways {
        let all = [&[("endpoint", &*endpoint), ("correlate", "on")], settings].concat();
        is_one(&said_of(&all), words);
        let (mut host, _image) = loaded(Build::V5_1_1, |_| {});
        for (key, value) in settings {
            host.set_filter("f", key, value);
        }
        assert_eq!(host.init_filter("f"), 0);
        host.quit();
        is_one(&said(&host), words);
    }
}
