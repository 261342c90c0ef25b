//! Whom do we trust, who are we, and what happens when the files change?
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may fail, and reads the clock")]

use std::fs;
use std::path::{Path, PathBuf};

use super::{posting, support};
use event_gateway::log::Level;
use event_gateway::response::Disposition;
use posting::{Client, accepted, open, retry, try_open};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use support::gateway::{Answer, Certificates, TestGateway};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A client that trusts the authority in `ca`.
fn trusting(gateway: &TestGateway, ca: &Path) -> Client {
    open(&gateway.url(), &[("ca_file", text(ca))])
}

/// A client that shows a certificate.
fn showing(gateway: &TestGateway, ca: &Path, certificate: &Path, key: &Path) -> Client {
    let client = [("client_cert_file", text(certificate)), ("client_key_file", text(key))];
    open(&gateway.url(), &[("ca_file", text(ca)), client[0], client[1]])
}

/// The connection is refused before any byte of the batch has left.
fn refused(mut client: Client, gateway: &TestGateway, hint: &str) {
    let why = retry(client.post());
    assert!(why.contains(hint), "{why}");
    assert_eq!(gateway.requests().len(), 0);
}

#[test]
fn the_right_authority_is_trusted_and_the_connection_kept() {
    let certificates = Certificates::new();
    let gateway = TestGateway::tls(certificates.server());
    gateway.set_default(Answer::ok().body("taken"));
    let mut client = trusting(&gateway, &certificates.file("ca.pem"));
    for _ in 0..20 {
        assert!(accepted(&client.post()));
    }
    assert_eq!(gateway.connections(), 1);
    // By name as well as by address.
    let by_name = format!("https://localhost:{}/events", gateway.port());
    assert!(accepted(&open(&by_name, &[("ca_file", text(&certificates.file("ca.pem")))]).post()));
}

#[test]
fn a_ca_file_may_hold_several() {
    let (certificates, other) = (Certificates::new(), Certificates::new());
    let gateway = TestGateway::tls(certificates.server());
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle.pem");
    let read = |of: &Certificates| fs::read_to_string(of.file("ca.pem")).unwrap();
    fs::write(&bundle, format!("# other\n{}\n# ours\n{}", read(&other), read(&certificates))).unwrap();
    assert!(accepted(&trusting(&gateway, &bundle).post()));
}

#[test]
fn strangers_are_not_trusted() {
    let certificates = Certificates::new();
    let gateway = TestGateway::tls(certificates.server());
    // By the system's authorities. A machine without any says so at start.
    match try_open(&gateway.url(), &[]) {
        Ok(client) => refused(client, &gateway, "look at ca_file"),
        Err(errors) => assert_eq!(errors[0].key, "ca_file"),
    }
    refused(trusting(&gateway, &Certificates::new().file("ca.pem")), &gateway, "look at ca_file");
}

#[test]
fn another_name_and_an_old_certificate_are_not_trusted() {
    for certificates in [Certificates::for_names(&["other.example"]), Certificates::expired()] {
        let gateway = TestGateway::tls(certificates.server());
        refused(trusting(&gateway, &certificates.file("ca.pem")), &gateway, "look at ca_file");
    }
}

#[test]
fn verification_can_be_switched_off() {
    let certificates = Certificates::for_names(&["other.example"]);
    let gateway = TestGateway::tls(certificates.server());
    assert!(accepted(&open(&gateway.url(), &[("insecure_skip_verify", "on")]).post()));
}

#[test]
fn tls_to_a_gateway_without_it_is_a_retry() {
    let gateway = TestGateway::start();
    let url = gateway.url().replace("http://", "https://");
    let why = retry(open(&url, &[("insecure_skip_verify", "on")]).post());
    assert!(why.contains("http:// in endpoint"), "{why}");
}

#[test]
fn a_client_certificate_is_shown() {
    let certificates = Certificates::new();
    let gateway = TestGateway::tls(certificates.server_demanding_client());
    let ca = certificates.file("ca.pem");
    let (certificate, key) = (certificates.file("client.pem"), certificates.file("client-key.pem"));
    let other = Certificates::new();
    refused(trusting(&gateway, &ca), &gateway, "client_cert_file");
    let foreign = showing(&gateway, &ca, &other.file("client.pem"), &other.file("client-key.pem"));
    refused(foreign, &gateway, "client_cert_file");
    assert!(accepted(&showing(&gateway, &ca, &certificate, &key).post()));

    // The same key as SEC1, the form that `openssl ecparam -genkey` writes.
    let sec1 = as_sec1(&certificates);
    assert!(accepted(&showing(&gateway, &ca, &certificate, sec1.path()).post()));
}

/// A SEC1 key is the last OCTET STRING of a PKCS#8 one (RFC 5208, RFC 5915).
fn as_sec1(certificates: &Certificates) -> tempfile::NamedTempFile {
    let pkcs8 = PrivatePkcs8KeyDer::from_pem_file(certificates.file("client-key.pem")).unwrap();
    let der = pkcs8.secret_pkcs8_der();
    let fits = |at: &usize| der[*at] == 0x04 && usize::from(der[at + 1]) == der.len() - at - 2;
    let start = (0..der.len() - 2).find(fits).expect("an OCTET STRING up to the end") + 2;
    let file = tempfile::NamedTempFile::new().unwrap();
    let body = rcgen_base64(&der[start..]);
    fs::write(file.path(), format!("-----BEGIN EC PRIVATE KEY-----\n{body}\n-----END EC PRIVATE KEY-----\n"))
        .unwrap();
    file
}

fn rcgen_base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |n| byte >> n & 1)).collect();
    let sextet = |six: &[u8]| (0..6).fold(0, |n, at| n << 1 | usize::from(six.get(at).copied().unwrap_or(0)));
    let mut text: String = bits.chunks(6).map(|six| ALPHABET[sextet(six)] as char).collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

#[test]
fn an_exchanged_ca_file_takes_effect_while_running() {
    let (old, new) = (Certificates::new(), Certificates::new());
    let gateway = TestGateway::tls(new.server());
    let folder = tempfile::tempdir().unwrap();
    let ca: PathBuf = folder.path().join("ca.pem");
    fs::copy(old.file("ca.pem"), &ca).unwrap();
    let mut client = trusting(&gateway, &ca);
    retry(client.post());
    fs::copy(new.file("ca.pem"), &ca).unwrap();
    assert!(accepted(&client.post()));
    // And trust that is taken away is gone, on a connection that is open already too.
    assert!(accepted(&client.post()));
    fs::copy(old.file("ca.pem"), &ca).unwrap();
    retry(client.post());
    assert_eq!(gateway.requests().len(), 2);
}

#[test]
fn a_renewed_client_certificate_is_taken_up_when_both_halves_are_there() {
    let (old, new) = (Certificates::new(), Certificates::new());
    let gateway = TestGateway::tls(new.server_demanding_client());
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["client.pem", "client-key.pem"] {
        fs::copy(old.file(name), at(name)).unwrap();
    }
    let mut client = showing(&gateway, &new.file("ca.pem"), &at("client.pem"), &at("client-key.pem"));
    retry(client.post());
    fs::copy(new.file("client.pem"), at("client.pem")).unwrap();
    retry(client.post());
    let log = client.log();
    assert!(matches!(&log[..], [(Level::Warn, line)] if line.contains("client_key_file")), "{log:?}");
    fs::copy(new.file("client-key.pem"), at("client-key.pem")).unwrap();
    assert!(accepted(&client.post()));
}

#[test]
fn useless_new_files_leave_the_old_in_use() {
    let certificates = Certificates::new();
    let gateway = TestGateway::tls(certificates.server());
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    fs::copy(certificates.file("ca.pem"), &ca).unwrap();
    let mut client = trusting(&gateway, &ca);
    for useless in ["", "no PEM", "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n"] {
        fs::write(&ca, useless).unwrap();
        assert!(accepted(&client.post()), "{useless}");
        assert!(accepted(&client.post()), "{useless}");
        let log = client.log();
        assert!(
            matches!(&log[..], [(Level::Warn, line)] if line.contains("ca_file")),
            "logged once: {log:?}"
        );
    }
    assert_eq!(gateway.connections(), 1);
}

#[test]
fn a_stop_reaches_the_agent_of_exchanged_files() {
    let certificates = Certificates::new();
    let gateway = TestGateway::tls(certificates.server());
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    fs::copy(certificates.file("ca.pem"), &ca).unwrap();
    let mut client = open(&gateway.url(), &[("ca_file", text(&ca)), ("timeout", "1h")]);
    let stopper = client.gateway.stopper();
    assert!(accepted(&client.post()));
    let again = fs::read_to_string(&ca).unwrap() + "\n";
    fs::write(&ca, again).unwrap();
    gateway.set_default(Answer::hang());
    std::thread::scope(|scope| {
        let posting = scope.spawn(|| client.post());
        gateway.wait_for_requests(2);
        let began = std::time::Instant::now();
        stopper.stop();
        assert!(matches!(posting.join().unwrap(), Disposition::Retry { .. }));
        assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    });
    assert_eq!(gateway.connections(), 2, "the exchanged file made a new connection");
}

#[test]
fn all_errors_are_reported_at_once_and_show_no_key() {
    let (certificates, other) = (Certificates::new(), Certificates::new());
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let no_pem = write("no-pem", "s3cr3t");
    let empty = write("empty", "");
    let damaged = write("damaged", "-----BEGIN PRIVATE KEY-----\ns3cr3t\n-----BEGIN s3cr3t\n");
    let keys_of = |properties: &[(&str, &str)]| {
        let errors = try_open("https://127.0.0.1:1/", properties).err().expect("errors");
        for error in &errors {
            assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
        }
        errors.iter().map(|error| error.key).collect::<Vec<_>>()
    };
    let all = [
        ("bearer_token_file", text(&empty)),
        ("ca_file", text(&no_pem)),
        ("client_cert_file", text(&empty)),
        ("client_key_file", text(&damaged)),
    ];
    assert_eq!(keys_of(&all), ["bearer_token_file", "ca_file", "client_cert_file", "client_key_file"]);
    // A key that is whole, but another one's.
    let (ca, certificate) = (certificates.file("ca.pem"), certificates.file("client.pem"));
    let key = other.file("client-key.pem");
    let pair =
        [("ca_file", text(&ca)), ("client_cert_file", text(&certificate)), ("client_key_file", text(&key))];
    assert_eq!(keys_of(&pair), ["client_key_file"]);
    // PEM as it should be, around bytes that are no certificate.
    let hollow =
        write("hollow", "-----BEGIN CERTIFICATE-----\nc3VyZWx5IG5vdA==\n-----END CERTIFICATE-----\n");
    assert_eq!(keys_of(&[("ca_file", text(&hollow))]), ["ca_file"]);
}
