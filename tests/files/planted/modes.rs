//! What rights have the files that a host leaves, whatever the umask is, and whatever they had before?

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::support::gateway::{Answer, TestGateway};
use super::support::host::{Build, Code, MiniHost};
use super::support::kube_api::KubeApi;
use super::support::service_impact::loaded;
use super::support::{PATIENT, events};

const STEM: &str = "20261121T174415.123Z-000001-0123abcd";

fn with_umask(umask: u32) -> impl FnOnce(&mut Command) {
    move |command| {
        #[allow(unsafe_code)]
        // SAFETY: umask may be called after a fork.
        unsafe {
            command.pre_exec(move || {
                libc::umask(umask);
                Ok(())
            });
        }
    }
}

fn modes(folder: &Path) -> BTreeMap<String, u32> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mode = |entry: &fs::DirEntry| entry.metadata().unwrap().mode() & 0o777;
    entries.map(|entry| (entry.file_name().into_string().unwrap(), mode(&entry))).collect()
}

/// A run with records of each outcome.
fn run(folder: &Path, umask: u32) {
    let (gateway, api) = (TestGateway::start(), KubeApi::start());
    gateway.respond_with(|request| {
        if request.ids().iter().any(|id| id == "bad.1") { Answer::status(422) } else { Answer::ok() }
    });
    let mut host = MiniHost::start_with(Build::V5_1_1, with_umask(umask));
    host.set("a", "endpoint", gateway.url()).set("a", "correlate", "on").set("a", "kube_url", api.url());
    for (key, name) in [("state_file", "ledger"), ("dead_letter_file", "letters")] {
        host.set("a", key, folder.join(name).to_str().unwrap());
    }
    for (key, value) in PATIENT {
        host.set("a", key, value);
    }
    assert_eq!(host.init("a"), 1);
    assert_eq!(host.deliver("a", "t", &events(["u1", "bad"])), Code::Ok);
    host.quit();
}

const FILES: [&str; 4] = ["ledger", "ledger.in-flight", "ledger.topology", "letters"];

#[test]
fn new_files_are_for_their_owner_under_any_umask() {
    for umask in [0, 0o022, 0o077, 0o777] {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), umask);
        let expected: BTreeMap<String, u32> = FILES.map(|name| (name.to_owned(), 0o600)).into();
        assert_eq!(modes(folder.path()), expected, "umask {umask:04o}");
    }
}

/// As they were made under umask 0, and as the kubelet leaves them for the group of a pod.
#[test]
fn files_that_are_there_lose_the_rights_of_others_alone() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 0o022);
    for (before, after) in [(0o666, 0o660), (0o660, 0o660), (0o644, 0o640)] {
        for name in FILES {
            fs::set_permissions(folder.path().join(name), PermissionsExt::from_mode(before)).unwrap();
        }
        run(folder.path(), 0);
        let modes = modes(folder.path());
        for name in FILES {
            // Each save of the topology is a new file.
            let after = if name == "ledger.topology" { 0o600 } else { after };
            assert_eq!(modes[name], after, "{name} with {before:04o}");
        }
    }
}

#[test]
fn files_for_others_to_read_are_for_the_group_as_far_as_the_umask_goes() {
    for (umask, mode) in [(0, 0o640), (0o022, 0o640), (0o077, 0o600)] {
        let folder = tempfile::tempdir().unwrap();
        // One that a crash has left.
        fs::write(folder.path().join(format!("{STEM}.part")), "{}\n").unwrap();
        fs::set_permissions(folder.path().join(format!("{STEM}.part")), PermissionsExt::from_mode(0o666))
            .unwrap();
        let mut host = MiniHost::start_with(Build::V5_1_1, with_umask(umask));
        host.set("a", "endpoint", format!("file://{}", folder.path().display())).set("a", "compress", "none");
        assert_eq!(host.init("a"), 1);
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
        host.wait_log("that an earlier run left were completed");
        host.quit();
        let mut modes = modes(folder.path());
        assert_eq!(modes.remove(&format!("{STEM}.ndjson")), Some(0o660));
        assert_eq!(modes.into_values().collect::<Vec<_>>(), [mode], "umask {umask:04o}");
    }
}

#[test]
fn what_a_filter_has_seen_is_for_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let (mut host, _image) = loaded(Build::V5_1_1, with_umask(0));
    host.set_filter("f", "state_file", folder.path().join("seen").to_str().unwrap());
    assert_eq!(host.init_filter("f"), 0);
    host.quit();
    assert_eq!(modes(folder.path()), BTreeMap::from([("seen".to_owned(), 0o600)]));
}
