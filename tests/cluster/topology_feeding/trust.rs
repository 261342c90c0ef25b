//! To whom does the token go, and is it said when others can read it on the way?

use std::fs;

use super::support::gateway::{Answer, TestGateway};
use super::*;

const TOKEN: &str = "S3CR3T-of-the-pod-0123456789";

fn with_token(url: &str) -> (TopologySettings, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    fs::write(&token_file, TOKEN).unwrap();
    let settings = TopologySettings {
        url: Endpoint { url: url.to_owned(), https: url.starts_with("https"), shown: url.to_owned() },
        tls: Tls::default(),
        token_file: Some(token_file),
        tombstone_ttl: Duration::from_secs(60),
        annotations: Patterns::default(),
        snapshot_file: None,
    };
    (settings, folder)
}

#[test]
fn a_redirect_takes_the_token_to_no_other_host() {
    let (elsewhere, server) = (TestGateway::start(), TestGateway::start());
    for status in [301, 302, 303, 307, 308] {
        let place = elsewhere.url();
        server.respond_with(move |_| {
            Answer::status(status).header("Location", &format!("{place}?key={TOKEN}"))
        });
        let (settings, _folder) = with_token(server.url().trim_end_matches("/events"));
        let before = server.requests().len();
        let hasty = Timing { stale: Duration::from_millis(50), quiet: Duration::from_millis(100), ..TIMING };
        let cluster = start_with(&settings, &hasty);
        wait("requests", || server.requests().len() >= before + KINDS);
        let mut said = Vec::new();
        wait("a warning", || {
            said.extend(warnings(&cluster));
            said.iter().any(|line| line.contains(&format!("the API server answers {status}")))
        });
        assert!(!format!("{said:?}").contains("S3CR3T"), "{said:?}");
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

/// `0.0.0.0` is no address of the loopback, and yet leads to this machine.
#[test]
fn a_token_that_the_network_can_read_is_warned_about_once() {
    let api = KubeApi::start();
    let (settings, _folder) = with_token(&api.url().replace("127.0.0.1", "0.0.0.0"));
    let cluster = start(&settings);
    wait_ready(&cluster);
    let said = warnings(&cluster);
    assert!(
        matches!(&said[..], [line] if line.contains("kube_url") && line.contains("plain http")),
        "{said:?}"
    );
    let (settings, _folder) = with_token(&api.url());
    let cluster = start(&settings);
    wait_ready(&cluster);
    assert_eq!(warnings(&cluster), [""; 0]);
}

#[test]
fn a_certificate_that_nobody_checks_is_warned_about_once() {
    let api = KubeApi::start_tls(&support::certificates::Certificates::new().server());
    let (mut settings, _folder) = with_token(&api.url());
    settings.tls.insecure_skip_verify = true;
    let cluster = start(&settings);
    wait_ready(&cluster);
    let said = warnings(&cluster);
    assert!(matches!(&said[..], [line] if line.contains("kube_insecure_skip_verify is on")), "{said:?}");
}
