//! Do the right credentials go out, and only to the gateway?
#![allow(clippy::unwrap_used, reason = "a test may fail, and reads the clock")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{posting, support};
use event_gateway::log::Level;
use event_gateway::response::Disposition;
use posting::{accepted, open, try_open};
use support::gateway::{Answer, TestGateway};

fn secret_file(content: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, content).unwrap();
    (folder, path)
}

/// Accepts only this value of the `Authorization` header.
fn demand(gateway: &TestGateway, value: &'static str) {
    gateway.respond_with(move |request| {
        let known = request.header("authorization") == Some(value);
        Answer::status(if known { 200 } else { 401 })
    });
}

#[test]
fn bearer_and_basic_credentials_are_sent() {
    let gateway = TestGateway::start();
    let (_folder, path) = secret_file("open sesame\n");
    let path = path.to_str().unwrap();
    demand(&gateway, "Bearer open sesame");
    assert!(accepted(&open(&gateway.url(), &[("bearer_token_file", path)]).post()));
    demand(&gateway, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="); // RFC 7617, section 2
    let basic = [("basic_user", "Aladdin"), ("basic_password_file", path)];
    assert!(accepted(&open(&gateway.url(), &basic).post()));
}

#[test]
fn a_header_of_the_users_own_is_sent() {
    let gateway = TestGateway::start();
    demand(&gateway, "ApiKey 12345678");
    assert!(accepted(&open(&gateway.url(), &[("headers", "Authorization: ApiKey 12345678")]).post()));
}

#[test]
fn a_new_token_is_used_from_the_next_batch_on() {
    let gateway = TestGateway::start();
    let (_folder, path) = secret_file("first-token");
    let mut client = open(&gateway.url(), &[("bearer_token_file", path.to_str().unwrap())]);
    demand(&gateway, "Bearer first-token");
    assert!(accepted(&client.post()));
    fs::write(&path, "second-token").unwrap();
    demand(&gateway, "Bearer second-token");
    assert!(accepted(&client.post()));
    assert_eq!(gateway.requests().len(), 2, "no request was wasted on the old token");
}

#[test]
fn a_token_exchanged_as_kubernetes_does_it_is_used() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["one", "two"] {
        fs::create_dir(at(name)).unwrap();
        fs::write(at(name).join("token"), format!("token-{name}")).unwrap();
    }
    symlink("one", at("..data")).unwrap();
    symlink("..data/token", at("token")).unwrap();
    let mut client = open(&gateway.url(), &[("bearer_token_file", at("token").to_str().unwrap())]);
    demand(&gateway, "Bearer token-one");
    assert!(accepted(&client.post()));
    symlink("two", at("..tmp")).unwrap();
    fs::rename(at("..tmp"), at("..data")).unwrap();
    demand(&gateway, "Bearer token-two");
    assert!(accepted(&client.post()));
    assert_eq!(gateway.requests().len(), 2);
}

#[test]
fn a_token_renewed_under_way_is_found_after_a_401() {
    let gateway = TestGateway::start();
    let (_folder, path) = secret_file("first-token");
    let mut client = open(&gateway.url(), &[("bearer_token_file", path.to_str().unwrap())]);
    let file = path.clone();
    gateway.respond_with(move |request| match request.header("authorization") {
        Some("Bearer second-token") => Answer::ok(),
        _ => {
            fs::write(&file, "second-token").unwrap();
            Answer::status(401)
        }
    });
    assert!(accepted(&client.post()), "within the same post");
    assert_eq!(gateway.requests().len(), 2);
    assert_eq!(client.metrics.request_retries_total.get(), 1);
}

#[test]
fn a_401_costs_one_more_request_at_most() {
    let gateway = TestGateway::start();
    gateway.set_default(Answer::status(401));
    let (_folder, path) = secret_file("first-token");
    let mut client = open(&gateway.url(), &[("bearer_token_file", path.to_str().unwrap())]);
    let disposition = client.post();
    let Disposition::Refused { status: 401, why, .. } = disposition else { panic!("{disposition:?}") };
    assert!(why.contains("bearer_token_file or basic_password_file"), "{why}");
    assert_eq!(gateway.requests().len(), 1, "the same token again would be no news");

    // A file that never stops changing keeps nobody busy indefinitely.
    let changes = AtomicUsize::new(0);
    gateway.respond_with(move |_| {
        fs::write(&path, format!("token-{}", changes.fetch_add(1, Ordering::Relaxed))).unwrap();
        Answer::status(401)
    });
    assert!(matches!(client.post(), Disposition::Refused { status: 401, .. }));
    assert_eq!(gateway.requests().len(), 3);
}

#[test]
fn a_file_that_became_useless_keeps_the_old_token() {
    let gateway = TestGateway::start();
    demand(&gateway, "Bearer first-token");
    let (_folder, path) = secret_file("first-token");
    let mut client = open(&gateway.url(), &[("bearer_token_file", path.to_str().unwrap())]);
    for useless in ["", "\n", "two\nlines", "a\0b"] {
        fs::write(&path, useless).unwrap();
        assert!(accepted(&client.post()), "{useless:?}");
        let log = client.log();
        assert!(matches!(&log[..], [(Level::Warn, text)] if text.contains("bearer_token_file")), "{log:?}");
    }
    fs::remove_file(&path).unwrap();
    assert!(accepted(&client.post()));
    assert_eq!(client.log().len(), 1);
    assert!(accepted(&client.post()));
    assert_eq!(client.log(), [], "logged once");
}

#[test]
fn a_useless_file_at_the_start_is_an_error() {
    let (_folder, path) = secret_file("");
    let errors =
        try_open("http://127.0.0.1:1/", &[("bearer_token_file", path.to_str().unwrap())]).err().unwrap();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].key, "bearer_token_file");
}

#[test]
fn secrets_show_nowhere() {
    let gateway = TestGateway::start();
    let (_folder, path) = secret_file("s3cr3t-token");
    let path = path.to_str().unwrap();
    let url = format!("{}?key=s3cr3t-query", gateway.url());
    let header = ("headers", "X-Api-Key: Key s3cr3t-header");
    let bearer = [header, ("bearer_token_file", path)];
    let basic = [header, ("basic_user", "Aladdin"), ("basic_password_file", path)];
    for properties in [&bearer[..], &basic[..]] {
        let mut client = open(&url, properties);
        // A gateway that sends back all it got, in the body and in the Location.
        for status in [302, 400, 401, 404, 422, 503] {
            gateway.respond_with(move |request| {
                let echo =
                    format!("{} {:?} password s3cr3t-token key s3cr3t-header", request.path, request.headers);
                let location = format!("http://x.example{}", request.path.replace('?', "/"));
                Answer::status(status).header("Location", &location).header("Retry-After", "1").body(echo)
            });
            let seen = format!("{:?}", client.post());
            for secret in ["s3cr3t", "QWxhZGRpbjpzM2NyM3QtdG9rZW4"] {
                assert!(!seen.contains(secret), "{seen}");
            }
            assert!(!matches!(status, 400 | 422) || seen.contains("[hidden]"), "{seen}");
        }
        fs::write(path, "s3cr3t-\0token").unwrap();
        client.post();
        gateway.stop();
        let seen = format!("{:?} {:?}", client.post(), client.log());
        assert!(!seen.contains("s3cr3t"), "{seen}");
        fs::write(path, "s3cr3t-token").unwrap();
        gateway.restart();
    }
    assert!(gateway.requests().iter().all(|request| request.path.ends_with("?key=s3cr3t-query")));
}
