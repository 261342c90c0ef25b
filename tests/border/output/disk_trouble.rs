//! What becomes of the ledger on a disk that is really full, read-only, forbidden, taken away or meddled with?
//!
//! In the mini host, at the start and while it runs. Each time deliveries go on, an ERROR names the key and the
//! path, and once the disk is back everything is written without a restart: a kill after that repeats nothing.
//! Disks of a size of their own need root to mount them; without, those tests say so.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it waits for the plugin, and says what it leaves out"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::small_disk::Disk;
use super::{held, support};
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost, Outcome, Place};
use support::service_impact::filtering;
use support::{chunk, event, events};

/// Longer than the ledger leaves a file alone that failed.
const PAUSE: Duration = Duration::from_millis(6_100);
/// nobody's, which may do less than root.
const NOBODY: u32 = 65_534;

#[test]
fn deliveries_go_on_and_a_restart_repeats_nothing() {
    let troubles: [(&str, fn()); 11] = [
        ("a disk that is full at the start", a_disk_that_is_full_at_the_start),
        ("a disk that is full at a later start", a_disk_that_is_full_at_a_later_start),
        ("a disk that fills up", a_disk_that_fills_up),
        ("a disk that is read only at a start", a_disk_that_is_read_only_at_a_start),
        ("a full disk of the dead letters", a_full_disk_of_the_dead_letters),
        ("a folder that nobody may write into", a_folder_that_nobody_may_write_into),
        ("a folder that vanishes and comes back", a_folder_that_vanishes_and_comes_back),
        ("a file that is removed", a_file_that_is_removed),
        ("a file that is removed before the end", a_file_that_is_removed_before_the_end),
        ("a file that is replaced", a_file_that_is_replaced),
        ("a file of the filter that is removed", a_file_of_the_filter_that_is_removed),
    ];
    // Side by side, as most of it is waiting.
    let running = troubles.map(|(name, trouble)| {
        (name, thread::Builder::new().name(name.to_owned()).spawn(trouble).expect("a thread"))
    });
    let failed: Vec<_> =
        running.into_iter().filter_map(|(name, trouble)| trouble.join().is_err().then_some(name)).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

/// A host on a ledger, and a gateway that outlives it.
struct Trial {
    gateway: TestGateway,
    state: PathBuf,
    /// Who runs it, if not us: a file belongs to one user.
    user: Option<u32>,
    host: MiniHost,
    sent: usize,
}

impl Trial {
    fn start(state: &Path) -> Trial {
        Trial::start_as(state, None)
    }

    fn start_as(state: &Path, user: Option<u32>) -> Trial {
        let gateway = TestGateway::start();
        let mut host = host(user);
        begin(&mut host, &gateway, state);
        Trial { gateway, state: state.to_owned(), user, host, sent: 0 }
    }

    /// Delivers new events and one of each earlier delivery, which must not come again.
    fn deliver(&mut self, many: usize) {
        let new = self.sent..self.sent + many;
        self.sent += many;
        let chunk = events((0..new.start).step_by(7).chain(new).map(|number| format!("u{number}")));
        assert_eq!(self.host.deliver("a", "t", &chunk), Code::Ok, "deliveries go on");
        assert_eq!(self.gateway.accepted_ids().len(), self.sent, "nothing is lost or repeated");
    }

    /// Whether there is an error that names the key and the path.
    fn is_logged(&self) -> bool {
        let words = format!("state_file: {}", self.state.display());
        self.host.logs().iter().any(|line| line.level == 1 && line.text.contains(&words))
    }

    fn restart(&mut self) {
        self.host.kill();
        self.host = host(self.user);
        begin(&mut self.host, &self.gateway, &self.state);
        let all = events((0..self.sent).map(|number| format!("u{number}")));
        assert_eq!(self.host.deliver("a", "t", &all), Code::Ok);
    }

    /// The disk is back: everything is written without a restart, so that one repeats nothing.
    fn ends_well(mut self) {
        let line = self.host.wait_log(&format!("state_file: {}", self.state.display()));
        assert_eq!(line.level, 1);
        thread::sleep(PAUSE);
        self.deliver(1);
        // A file that has to be made anew is made with the next.
        self.deliver(1);
        self.restart();
        assert_eq!(self.gateway.accepted_ids().len(), self.sent, "a restart repeats nothing");
        self.host.quit();
    }
}

fn host(user: Option<u32>) -> MiniHost {
    MiniHost::start_with(Build::V5_1_1, |command: &mut Command| {
        if let Some(user) = user {
            command.uid(user);
        }
    })
}

fn begin(host: &mut MiniHost, gateway: &TestGateway, state: &Path) {
    host.set("a", "endpoint", gateway.url());
    host.set("a", "state_file", state.to_str().expect("UTF-8"));
    assert_eq!(host.init("a"), 1, "the disk is no reason not to start");
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).expect("a folder").filter_map(Result::ok);
    let mut names: Vec<_> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    // The request on its way, which is another question.
    names.retain(|name| !name.ends_with(".in-flight"));
    names.sort();
    names
}

fn a_disk_that_is_full_at_the_start() {
    let Some(disk) = Disk::mount() else { return };
    disk.fill();
    let mut trial = Trial::start(&disk.path().join("ledger"));
    trial.deliver(30);
    assert_eq!(names(disk.path()), ["ballast"], "nothing is left of what did not fit");
    disk.make_room();
    trial.ends_well();
    assert_eq!(names(disk.path()), ["ledger"]);
}

fn a_disk_that_is_full_at_a_later_start() {
    let Some(disk) = Disk::mount() else { return };
    let mut trial = Trial::start(&disk.path().join("ledger"));
    trial.deliver(30);
    disk.fill();
    trial.restart();
    trial.deliver(3_000);
    disk.make_room();
    trial.ends_well();
    assert_eq!(names(disk.path()), ["ledger"]);
}

fn a_disk_that_fills_up() {
    let Some(disk) = Disk::mount() else { return };
    let mut trial = Trial::start(&disk.path().join("ledger"));
    trial.deliver(30);
    disk.fill();
    while !trial.is_logged() {
        trial.deliver(500);
        assert!(trial.sent < 50_000, "what is full takes nothing");
    }
    disk.make_room();
    trial.ends_well();
    assert_eq!(names(disk.path()), ["ledger"]);
}

fn a_disk_that_is_read_only_at_a_start() {
    let Some(disk) = Disk::mount() else { return };
    let mut trial = Trial::start(&disk.path().join("ledger"));
    trial.deliver(30);
    trial.host.kill();
    disk.remount("ro");
    // What cannot be written can be read: also a file that a kill left to be repaired.
    trial.restart();
    trial.deliver(30);
    disk.remount("rw");
    trial.ends_well();
}

fn a_full_disk_of_the_dead_letters() {
    let Some(disk) = Disk::mount() else { return };
    let gateway = TestGateway::start();
    gateway.set_default(Answer::status(422));
    disk.fill();
    let file = disk.path().join("dead.ndjson");
    let mut host =
        support::started(Build::V5_1_1, &gateway, &[("dead_letter_file", file.to_str().expect("UTF-8"))]);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry, "it waits");
    let line = host.wait_log(&format!("dead_letter_file {}", file.display()));
    assert!(line.level == 1 && line.text.contains("No space left"), "{line:?}");
    disk.make_room();
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    let letters = fs::read_to_string(&file).expect("the letters");
    assert_eq!(letters.matches("u1.1").count(), 2, "one letter, with its id and its record's: {letters}");
    host.quit();
}

fn a_folder_that_nobody_may_write_into() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::set_permissions(path, Permissions::from_mode(0o555)).expect("ours");
    // Root may do anything, so that one has to be somebody else.
    let is_root = fs::write(path.join("probe"), "").is_ok();
    let _ = fs::remove_file(path.join("probe"));
    let state = path.join("ledger");
    let mut trial = Trial::start_as(&state, is_root.then_some(NOBODY));
    trial.deliver(30);
    fs::set_permissions(path, Permissions::from_mode(0o777)).expect("ours");
    trial.ends_well();
}

fn a_folder_that_vanishes_and_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (there, away) = (folder.path().join("there"), folder.path().join("away"));
    fs::create_dir(&there).expect("a folder");
    let mut trial = Trial::start(&there.join("ledger"));
    trial.deliver(30);
    fs::rename(&there, &away).expect("renamed");
    trial.deliver(10);
    trial.deliver(10);
    fs::rename(&away, &there).expect("renamed");
    trial.ends_well();
    assert_eq!(names(&there), ["ledger"]);
}

fn a_file_that_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut trial = Trial::start(&folder.path().join("ledger"));
    trial.deliver(30);
    fs::remove_file(&trial.state).expect("removed");
    trial.deliver(10);
    assert!(trial.host.wait_log("was removed while it was in use").text.contains("state_file"));
    // With the next delivery, without a pause.
    trial.deliver(10);
    trial.restart();
    assert_eq!(trial.gateway.accepted_ids().len(), 50, "a restart repeats nothing");
    trial.host.quit();
}

/// The end is the last moment at which it can be found out.
fn a_file_that_is_removed_before_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut trial = Trial::start(&folder.path().join("ledger"));
    trial.deliver(30);
    fs::remove_file(&trial.state).expect("removed");
    trial.host.quit();
    trial.restart();
    assert_eq!(trial.gateway.accepted_ids().len(), 30, "a restart repeats nothing");
    trial.host.quit();
}

fn a_file_that_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut trial = Trial::start(&folder.path().join("ledger"));
    trial.deliver(30);
    let (copy, state) = (folder.path().join("copy"), trial.state.clone());
    // By what is no ledger, and by a copy that was one.
    fs::write(&copy, "no ledger").expect("written");
    let old = fs::read(&state).expect("the ledger");
    for bytes in [&b"no ledger"[..], &old] {
        fs::write(&copy, bytes).expect("written");
        fs::rename(&copy, &state).expect("replaced");
        trial.deliver(10);
        assert!(trial.host.wait_log("was replaced while it was in use").text.contains("state_file"));
        trial.deliver(10);
        trial.restart();
        assert_eq!(trial.gateway.accepted_ids().len(), trial.sent, "a restart repeats nothing");
    }
    let aside = names(folder.path()).into_iter().filter(|name| name.starts_with("ledger.damaged-")).count();
    assert_eq!(aside, 1, "what is no ledger is kept for whoever put it there");
    trial.host.quit();
}

fn goes_through(host: &mut MiniHost, chunk: &[u8]) -> bool {
    !matches!(host.filter("f", "t", chunk, Place::Processor).outcome, Outcome::Modified(bytes) if bytes.is_empty())
}

/// The filter's file is kept by a thread of its own, which has no table to write anew from.
fn a_file_of_the_filter_that_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("seen");
    let start = || filtering(Build::V5_1_1, &[("state_file", state.to_str().expect("UTF-8"))]);
    let (mut host, _image) = start();
    let of = |number: u64| chunk::of(&[event(&format!("u{number}"), 1, 1)]);
    assert!((0..20).all(|number| goes_through(&mut host, &of(number))));
    held::wait_for(&state, 20);
    fs::remove_file(&state).expect("removed");
    assert!(goes_through(&mut host, &of(20)));
    // A filter speaks when it is called.
    assert_eq!(host.filter_until_log("f", &of(20), "was removed while it was in use").level, 1);
    assert!(goes_through(&mut host, &of(21)));
    // At the exit a slow disk gets a few seconds, and no more.
    held::wait_for(&state, 22);
    host.quit();
    let (mut host, _image) = start();
    assert!(
        !(0..22).any(|number| goes_through(&mut host, &of(number))),
        "a restart lets nothing through again"
    );
    host.quit();
}
