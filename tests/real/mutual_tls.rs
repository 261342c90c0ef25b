//! Does the configuration with client certificates of docs/sources.md take whom it should, and nobody else?

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::{real, support};
use real::{config, free_port, on_every_host, stop};
use support::certificates::Certificates;
use support::chunk;
use support::fluent_bit::FluentBit;
use support::gateway::TestGateway;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

/// The release from which inputs look at the certificates of clients.
const LOOKS_AT_CLIENTS: (u32, u32, u32) = (5, 0, 0);

/// The section of the document, with files and ports of this machine.
fn input(port: u16, tls: &Path) -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sources.md");
    let text = fs::read_to_string(page).expect("the page");
    let blocks = text.split("```ini\n").skip(1).map(|block| block.split("```").next().expect("an end"));
    let block = blocks.into_iter().find(|block| block.contains("tls.verify_client_cert")).expect("the block");
    let section = block.split("[INPUT]\n").nth(1).expect("an input").split("\n[").next().expect("its end");
    let keys = section.lines().filter(|line| !line.trim_start().starts_with('#'));
    let pairs = keys.filter_map(|line| line.trim().split_once(char::is_whitespace));
    let here = |key: &str, value: &str| match key {
        "listen" => "127.0.0.1".to_owned(),
        "port" => port.to_string(),
        _ => value.replace("/fluent-bit/tls", &tls.to_string_lossy()),
    };
    pairs.map(|(key, value)| (key.to_owned(), here(key, value.trim()))).collect()
}

/// Posts as an API server does: the status, or `None` if it is refused.
fn post(port: u16, authority: &Path, client: Option<(&Path, &Path)>, body: &[u8]) -> Option<u16> {
    let pem = |path: &Path| fs::read(path).expect("a PEM file");
    let roots = RootCerts::new_with_certs(&[Certificate::from_pem(&pem(authority)).expect("an authority")]);
    let client = client.map(|(chain, key)| {
        let chain = [Certificate::from_pem(&pem(chain)).expect("a certificate")];
        ClientCert::new_with_certs(&chain, PrivateKey::from_pem(&pem(key)).expect("a key"))
    });
    let tls = TlsConfig::builder().root_certs(roots).client_cert(client).build();
    let agent = ureq::Agent::config_builder().tls_config(tls).timeout_global(Some(Duration::from_secs(20)));
    let agent = agent.build().new_agent();
    let answer = agent.post(format!("https://127.0.0.1:{port}/")).content_type("application/json").send(body);
    answer.ok().map(|answer| answer.status().as_u16())
}

fn takes_the_api_server_alone(fluent_bit: &FluentBit, folder: &Path) {
    let (ours, others) = (Certificates::new(), Certificates::new());
    let tls = folder.join("tls");
    fs::create_dir(&tls).expect("a folder");
    for (from, to) in [("server.pem", "tls.crt"), ("server-key.pem", "tls.key"), ("ca.pem", "clients-ca.crt")]
    {
        fs::copy(ours.file(from), tls.join(to)).expect("a copy");
    }
    let (gateway, port) = (TestGateway::start(), free_port());
    let (url, ledger) = (gateway.url(), real::state_file(folder));
    let config = config(folder)
        .service("storage.path", &folder.join("storage").to_string_lossy())
        .section("INPUT", &input(port, &tls))
        .event_gateway(&[("endpoint", &url), ("state_file", &ledger), ("kinds", "kubernetes.audit")])
        .text();
    let mut host = fluent_bit.start(&config, folder);
    if fluent_bit.version < LOOKS_AT_CLIENTS {
        assert!(!host.wait_for_exit(real::BOUND).success(), "it does not know the key: {}", host.log());
        return;
    }
    let body = fs::read(chunk::data_file("audit-webhook-body.json")).expect("test data");
    let authority = ours.file("ca.pem");
    let [chain, key] = ["client.pem", "client-key.pem"].map(|name| ours.file(name));
    // Until it listens nobody is there.
    let taken = (0..200).find_map(|_| {
        let taken = post(port, &authority, Some((&chain, &key)), &body);
        if taken.is_none() {
            std::thread::sleep(Duration::from_millis(50));
        }
        taken
    });
    assert_eq!(taken, Some(201));
    gateway.wait_for_ids(77);
    let [chain, key] = ["client.pem", "client-key.pem"].map(|name| others.file(name));
    let forged =
        String::from_utf8_lossy(&body).replace("\"auditID\":\"", "\"auditID\":\"forged-").into_bytes();
    assert_eq!(post(port, &authority, None, &forged), None, "no certificate");
    assert_eq!(post(port, &authority, Some((&chain, &key)), &forged), None, "one of another authority");
    let plain =
        ureq::post(format!("http://127.0.0.1:{port}/")).content_type("application/json").send(&*forged);
    assert!(plain.is_err(), "no TLS");
    // What was refused would have come before this: the input takes one after the other.
    let [chain, key] = ["client.pem", "client-key.pem"].map(|name| ours.file(name));
    assert_eq!(post(port, &authority, Some((&chain, &key)), &body), Some(201));
    let count = stop(host);
    assert_eq!((count.delivered, count.duplicates), (77, 77), "{count:?}");
    assert!(!format!("{:?}", gateway.requests()).contains("forged-"));
}

#[test]
fn a_client_with_a_certificate_is_taken_and_one_without_is_not() {
    on_every_host(takes_the_api_server_alone);
}
