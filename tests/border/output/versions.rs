//! Does the border fit every release of the host, and refuse what is wrong at the right moment?

use super::support;
use support::gateway::TestGateway;
use support::host::{Build, Code, MiniHost};
use support::{events, value};

use event_gateway::config::keys::KEYS;

#[test]
fn every_release_gets_a_definition_that_fits() {
    // The host checks that nothing was written behind its struct and that every field was written.
    for build in Build::VERSIONS.into_iter().chain([Build::UNNAMED, Build::ALIGN8]) {
        let gateway = TestGateway::start();
        let mut host = MiniHost::start(build);
        let loaded = host.loaded().clone();
        assert_eq!(
            (&*loaded.name, loaded.kind, loaded.proxy, loaded.flags),
            ("event_gateway", 2, 11, 0),
            "{build:?}"
        );
        let takes_keys = build.version == "5.1.1";
        assert_eq!(loaded.keys, takes_keys.then_some(KEYS.len()), "{build:?}");
        host.set("a", "endpoint", gateway.url());
        assert_eq!(host.init("a"), 1);
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok, "{build:?}");
        assert_eq!(gateway.accepted_ids(), ["u1.1"]);
        host.quit();
    }
}

#[test]
fn the_newest_release_gets_all_keys_and_refuses_others() {
    let mut host = MiniHost::start(Build::V5_1_1);
    let keys = host.keys();
    let table: Vec<_> =
        KEYS.iter().map(|key| (key.name.to_owned(), key.default.map(str::to_owned))).collect();
    assert_eq!(keys, table);
    host.set("a", "endpoint", "http://127.0.0.1:1/");
    host.set("a", "endpiont", "http://127.0.0.1:1/");
    assert_eq!(host.try_init("a"), Err("endpiont".to_owned()));
}

#[test]
fn no_key_is_one_that_the_host_keeps_for_itself() {
    const EATEN: &[&str] = &[
        "match",
        "match_regex",
        "alias",
        "log_level",
        "log_suppress_interval",
        "host",
        "port",
        "ipv6",
        "name",
        "retry_limit",
        "tls",
        "workers",
    ];
    const EATEN_PREFIXES: &[&str] = &["net.", "tls.", "oauth2", "storage."];
    for key in KEYS {
        assert!(!EATEN.contains(&key.name), "{}", key.name);
        assert!(EATEN_PREFIXES.iter().all(|prefix| !key.name.starts_with(prefix)), "{}", key.name);
    }
}

#[test]
fn a_dry_run_ends_what_never_began() {
    for build in Build::VERSIONS {
        let mut host = MiniHost::start(build);
        host.exit_null();
        host.unload();
        host.quit();
    }
}

#[test]
fn a_failed_init_names_every_error_and_leaves_nothing_behind() {
    let mut host = MiniHost::start(Build::V4_2_2);
    let (threads, fds) = (host.threads(), host.fds());
    host.set("a", "endpoint", "gateway.example");
    host.set("a", "batch_bytes", "1Q");
    host.set("a", "client_key_file", "/nowhere/key.pem");
    assert!(host.init("a") <= 0);
    for key in ["endpoint", "batch_bytes", "client_key_file"] {
        let line = host.wait_log(&format!("{key}: "));
        assert_eq!(line.level, 1, "{line:?}");
        assert!(line.text.contains("expected"), "{line:?}");
    }
    assert_eq!((host.threads(), host.fds()), (threads, fds));
    host.quit();
}

#[test]
fn instances_of_one_image_know_nothing_of_each_other() {
    let (one, other) = (TestGateway::start(), TestGateway::start());
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", one.url());
    host.set("b", "endpoint", other.url());
    host.set("b", "format", "raw");
    assert_eq!((host.init("a"), host.init("b")), (1, 1));
    let chunk = events(["u1"]);
    assert_eq!((host.deliver("a", "t", &chunk), host.deliver("b", "t", &chunk)), (Code::Ok, Code::Ok));
    assert_eq!(
        (one.accepted_ids(), other.accepted_ids()),
        (vec!["u1.1".to_owned()], vec!["u1.1".to_owned()])
    );
    host.exit("a");
    assert_eq!(host.deliver("b", "t", &events(["u2"])), Code::Ok);
    let delivered = host.metrics_when(|metrics| value(metrics, "delivered_records_total") >= 2.0);
    assert_eq!(value(&delivered, "delivered_records_total"), 2.0);
    host.quit();
}

#[test]
fn a_path_that_is_no_file_neither_hangs_the_start_nor_fills_the_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let mut host = MiniHost::start(Build::V4_2_2);
    host.set("a", "endpoint", "https://127.0.0.1:1/");
    for (key, path) in [
        ("ca_file", pipe.to_str().expect("UTF-8")),
        ("bearer_token_file", "/dev/zero"),
        ("state_file", folder.path().to_str().expect("UTF-8")),
        ("dead_letter_file", "/nowhere/letters"),
        ("basic_password_file", "eyJhbGci.s3cr3t"),
    ] {
        host.set("a", key, path);
    }
    assert!(host.init("a") <= 0);
    for key in ["ca_file", "bearer_token_file", "state_file", "dead_letter_file", "basic_password_file"] {
        let line = host.wait_log(&format!("{key}: "));
        assert!(!line.text.contains("s3cr3t"), "{line:?}");
    }
    host.quit();
}

#[test]
fn two_purposes_do_not_share_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("both");
    let mut host = MiniHost::start(Build::V4_2_2);
    host.set("a", "endpoint", "http://127.0.0.1:1/");
    host.set("a", "state_file", file.to_str().expect("UTF-8"));
    host.set("a", "dead_letter_file", file.to_str().expect("UTF-8"));
    assert!(host.init("a") <= 0);
    host.wait_log("state_file: names the same file as dead_letter_file");
    host.quit();
}
