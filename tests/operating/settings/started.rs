//! Does the host live through every hostile value of every key, and is all given back, whatever was started?
//!
//! What `hostile` asks of the reader of settings is asked here of a start: files that are missing, a
//! folder, a socket or not to be read are real, and what was taken is used.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::support;
use event_gateway::clock;
use event_gateway::config::keys::{FILTER_KEYS, KEYS, Key, Shows};
use event_gateway::secrets::plain::is_unseen;
use support::gateway::TestGateway;
use support::host::{Build, MiniHost};
use support::service_impact;

const SECRET: &str = "S3CR3T";

/// Values without a zero byte, which no C string has; all paths lead into a folder, which is made for this key.
fn values(folder: &Path, key: &Key) -> Vec<Vec<u8>> {
    let folder = folder.join(key.name);
    // A word that is no size is reported, whatever it is.
    let secret = if key.shows == Shows::All { "word" } else { SECRET };
    std::fs::create_dir(&folder).expect("a folder");
    let path = |name: &str| folder.join(name).to_str().expect("UTF-8").as_bytes().to_vec();
    std::fs::write(folder.join("unreadable"), "x").expect("a file");
    std::fs::set_permissions(folder.join("unreadable"), PermissionsExt::from_mode(0o000)).expect("rights");
    std::fs::write(folder.join("garbage"), [0xff; 5_000]).expect("a file");
    std::fs::write(folder.join("empty"), "").expect("a file");
    std::os::unix::fs::symlink(folder.join("loop"), folder.join("loop")).expect("a link");
    UnixListener::bind(folder.join("socket")).expect("a socket");
    vec![
        b"".to_vec(),
        b"   ".to_vec(),
        vec![b'a'; 60_000],
        b"a, ".repeat(20_000),
        vec![b'9'; 60_000],
        b"\x1b[2J\x07".to_vec(),
        b"\xff\xfe\xc0".to_vec(),
        "ü👩‍👩‍👧\u{202e}\u{feff}".as_bytes().to_vec(),
        b"-1".to_vec(),
        b"0".to_vec(),
        b"1".to_vec(),
        b"18446744073709551616".to_vec(),
        b"1e400".to_vec(),
        b"NaN".to_vec(),
        b"on".to_vec(),
        b"\"'\\%s%n${HOME}".to_vec(),
        b"https://[::1".to_vec(),
        b"http://127.0.0.1:1/".to_vec(),
        format!("http://user:{secret}@host/").into_bytes(),
        format!("X-Key: {secret}").into_bytes(),
        path("missing"),
        path("no-folder/missing"),
        path("../../../../../../no-folder/missing"),
        path("x/../empty"),
        path(""),
        path("unreadable"),
        path("garbage"),
        path("empty"),
        path("loop"),
        path("socket"),
    ]
}

#[test]
fn every_bad_start_of_the_output_is_logged_well() {
    let (folder, gateway) = (tempfile::tempdir().expect("a folder"), TestGateway::start());
    let mut host = MiniHost::start_with(Build::V5_1_1, |command| {
        command.current_dir(folder.path());
    });
    let before = (host.threads(), host.fds());
    let mut tried = Tried::default();
    for key in KEYS {
        for (number, value) in values(folder.path(), key).iter().enumerate() {
            let instance = format!("{}-{number}", key.name);
            host.set(&instance, "endpoint", gateway.url());
            host.set(&instance, "correlate", "off");
            // As a configuration may have it twice: the last one counts.
            host.set(&instance, key.name, key.default.unwrap_or("1"));
            host.set(&instance, key.name, value);
            let code = host.init(&instance);
            if code == 1 {
                host.exit(&instance);
            }
            tried.note(key, code == 1);
        }
    }
    assert_given_back(&mut host, before);
    // One alone of two that belong together is an error.
    let pairs = [
        "client_cert_file",
        "client_key_file",
        "basic_user",
        "basic_password_file",
        "template_file",
        "content_type",
    ];
    tried.assert_sensible(KEYS, &pairs);
    assert_logged_well(&host);
    host.quit();
}

#[test]
fn every_bad_start_of_the_filter_is_logged_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut host, _image) = service_impact::loaded(Build::V5_1_1, |command| {
        command.current_dir(folder.path());
    });
    let before = (host.threads(), host.fds());
    let mut tried = Tried::default();
    for key in FILTER_KEYS {
        for (number, value) in values(folder.path(), key).iter().enumerate() {
            let instance = format!("{}-{number}", key.name);
            host.set_filter(&instance, "correlate", "off");
            host.set_filter(&instance, key.name, key.default.unwrap_or("1"));
            host.set_filter(&instance, key.name, value);
            let code = host.init_filter(&instance);
            if code == 0 {
                host.exit(&instance);
            }
            tried.note(key, code == 0);
        }
    }
    assert_given_back(&mut host, before);
    tried.assert_sensible(FILTER_KEYS, &[]);
    assert_logged_well(&host);
    host.quit();
}

/// The keys some value of which was taken, and those some value of which was not.
#[derive(Default)]
struct Tried {
    taken: BTreeSet<&'static str>,
    refused: BTreeSet<&'static str>,
}

impl Tried {
    fn note(&mut self, key: &Key, taken: bool) {
        if taken { &mut self.taken } else { &mut self.refused }.insert(key.name);
    }

    fn assert_sensible(&self, keys: &[Key], never_alone: &[&str]) {
        let all: BTreeSet<_> = keys.iter().map(|key| key.name).collect();
        let alone: BTreeSet<_> = all.iter().copied().filter(|key| !never_alone.contains(key)).collect();
        // The empty value is none.
        assert!(self.taken.is_superset(&alone), "nothing was taken of {:?}", &alone - &self.taken);
        assert_eq!(self.refused, all, "a key takes anything");
    }
}

/// Threads and descriptors are what they were. A name that is being looked up can be left, but not ended.
fn assert_given_back(host: &mut MiniHost, before: (usize, usize)) {
    let start = clock::monotonic();
    while (host.threads(), host.fds()) != before {
        let now = (host.threads(), host.fds());
        assert!(start.elapsed() < Duration::from_secs(60), "{now:?} threads and descriptors, not {before:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn assert_logged_well(host: &MiniHost) {
    for line in host.logs() {
        assert!(!line.text.contains(is_unseen) && !line.text.contains(SECRET), "{line:?}");
    }
}
