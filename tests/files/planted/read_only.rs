//! Does a start or a renewal hang at what lies where a token, a certificate or a template belongs?

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::support::gateway::TestGateway;
use super::support::host::{Build, Code, MiniHost};
use super::support::service_impact::loaded;
use super::support::{PATIENT, events};
use super::things::{ALL, Thing, plant};

const KEYS: [&str; 9] = [
    "bearer_token_file",
    "basic_password_file",
    "api_key_file",
    "ca_file",
    "client_cert_file",
    "client_key_file",
    "kube_ca_file",
    "kube_token_file",
    "template_file",
];

fn no_file(thing: &Thing) -> bool {
    thing.is_no_file()
}

#[test]
fn what_is_no_file_is_an_error_of_its_key() {
    for thing in ALL.into_iter().filter(no_file) {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let path = folders[0].path().join("secret");
        let Some(planted) = plant(thing, &path, folders[1].path()) else { continue };
        // Behind a symlink, as the kubelet mounts them, it is none either.
        let link = folders[0].path().join("link");
        symlink("secret", &link).unwrap();
        for path in [&path, &link] {
            for key in KEYS {
                let mut host = MiniHost::start(Build::V5_1_1);
                host.set("a", "endpoint", "https://127.0.0.1:1/").set("a", key, path.to_str().unwrap());
                if key == "template_file" {
                    host.set("a", "format", "template");
                }
                assert!(host.init("a") < 1, "{thing:?} {key}");
                let line = host.wait_log(&format!("{key}: "));
                assert!(line.level == 1 && line.text.contains("cannot be read"), "{line:?}");
                host.quit();
            }
        }
        planted.is_as_it_was("read");
    }
}

#[test]
fn the_filter_has_the_same_keys() {
    for thing in ALL.into_iter().filter(no_file) {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let path = folders[0].path().join("secret");
        let Some(_planted) = plant(thing, &path, folders[1].path()) else { continue };
        for key in ["kube_ca_file", "kube_token_file"] {
            let (mut host, _image) = loaded(Build::V5_1_1, |_| {});
            host.set_filter("f", key, path.to_str().unwrap());
            assert_ne!(host.init_filter("f"), 0, "{thing:?} {key}");
            host.quit();
        }
    }
}

/// A renewal goes on with what was read before.
#[test]
fn what_takes_the_place_of_a_token_holds_nothing_up() {
    for thing in ALL.into_iter().filter(no_file) {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let path = folders[0].path().join("token");
        fs::write(&path, "sesame").unwrap();
        let gateway = TestGateway::start();
        let mut host = MiniHost::start(Build::V5_1_1);
        host.set("a", "endpoint", gateway.url()).set("a", "bearer_token_file", path.to_str().unwrap());
        for (key, value) in PATIENT {
            host.set("a", key, value);
        }
        assert_eq!(host.init("a"), 1);
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
        fs::remove_file(&path).unwrap();
        let Some(planted) = plant(thing, &path, folders[1].path()) else { continue };
        assert_eq!(host.deliver("a", "t", &events(["u2"])), Code::Ok);
        host.wait_log("the previous secret stays in use");
        let sent = gateway.requests();
        assert!(sent.iter().all(|request| request.header("authorization") == Some("Bearer sesame")));
        host.quit();
        planted.is_as_it_was("read");
    }
}

/// As the kubelet does it.
#[test]
fn a_token_behind_symlinks_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("..2026")).unwrap();
    fs::write(at("..2026/token"), "sesame").unwrap();
    symlink("..2026", at("..data")).unwrap();
    symlink(Path::new("..data/token"), at("token")).unwrap();
    let gateway = TestGateway::start();
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", gateway.url()).set("a", "bearer_token_file", at("token").to_str().unwrap());
    assert_eq!(host.init("a"), 1);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    assert_eq!(gateway.requests()[0].header("authorization"), Some("Bearer sesame"));
    host.quit();
}
