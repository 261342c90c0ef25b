//! What does the whole plugin do while the disk of its files fails, and when it is back?
//!
//! In the mini host, with each kind of failure, from the start on or from some call on. Deliveries go on; a
//! record that belongs into the dead letters waits; both are said with the key and the path. When the disk is
//! back everything is written without a restart, so that a kill after that repeats nothing.
#![allow(clippy::disallowed_methods, reason = "the hosts of this test wait side by side")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::support;
use support::events;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};

/// Longer than the ledger leaves a file alone that failed.
const PAUSE: Duration = Duration::from_millis(6_100);
const BAD: &str = "bad.1";

/// The library that lets calls fail, and the folder it is for.
struct Faults {
    library: PathBuf,
    folder: PathBuf,
    plan: PathBuf,
}

fn library() -> PathBuf {
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("disk-{}.so", std::process::id()));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disk/preload.c");
    let mut compiler = Command::new(std::env::var("CC").as_deref().unwrap_or("cc"));
    let output = compiler
        .args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .output()
        .expect("a C compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
}

impl Faults {
    /// From this call on each fails; 0 for none.
    fn set(&self, error: i32, from: u64) {
        let file = File::options().write(true).create(true).truncate(false).open(&self.plan).expect("a plan");
        file.set_len(40).expect("a plan");
        let numbers = [u64::try_from(error).expect("positive"), from, u64::MAX];
        file.write_all_at(&numbers.map(u64::to_le_bytes).concat(), 0).expect("a plan");
    }

    fn failed(&self) -> u64 {
        let bytes = fs::read(&self.plan).expect("a plan");
        u64::from_le_bytes(bytes[32..40].try_into().expect("eight bytes"))
    }

    fn host(&self, gateway: &TestGateway) -> MiniHost {
        let mut host = MiniHost::start_with(Build::V5_1_1, |command| {
            command.env("LD_PRELOAD", &self.library);
            command.env("DISK_FOLDER", &self.folder).env("DISK_PLAN", &self.plan);
        });
        host.set("a", "endpoint", gateway.url());
        host.set("a", "state_file", self.file("ledger").to_str().expect("UTF-8"));
        host.set("a", "dead_letter_file", self.file("dead.ndjson").to_str().expect("UTF-8"));
        assert_eq!(host.init("a"), 1, "a disk that is away is no reason not to start");
        host
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// A gateway that takes all but one record, which it never takes.
fn gateway() -> TestGateway {
    let gateway = TestGateway::start();
    gateway.respond_with(|request| {
        if request.ids().iter().any(|id| id == BAD) { Answer::status(422) } else { Answer::ok() }
    });
    gateway
}

fn survives(faults: &Faults, error: i32, from: u64) {
    let gateway = gateway();
    faults.set(error, from);
    let mut host = faults.host(&gateway);
    assert_eq!(host.deliver("a", "t", &events(["u1", "u2"])), Code::Ok, "deliveries go on");
    // A record for the dead letters waits, unless this disk fails only later.
    let code = host.deliver("a", "t", &events(["u3", "bad", "u4"]));
    assert_eq!(host.deliver("a", "t", &events(["u5"])), Code::Ok, "deliveries go on");
    let late = host.deliver("a", "t", &events(["u6", "bad"]));
    assert!(faults.failed() > 0, "nothing failed");
    let path = |name: &str| faults.file(name).display().to_string();
    assert_eq!(host.wait_log(&format!("state_file: {}", path("ledger"))).level, 1);
    if code == Code::Retry || late == Code::Retry {
        assert_eq!(host.wait_log(&format!("dead_letter_file {}", path("dead.ndjson"))).level, 1);
    }
    assert!(!host.logs().iter().any(|line| line.text.contains("panic")), "{:?}", host.logs());

    faults.set(0, 0);
    thread::sleep(PAUSE);
    assert_eq!(host.deliver("a", "t", &events(["u7"])), Code::Ok);
    // A file that has to be made anew is, with the next.
    assert_eq!(host.deliver("a", "t", &events(["u8", "bad"])), Code::Ok);
    let letters = fs::read_to_string(faults.file("dead.ndjson")).expect("the letters");
    assert_eq!(letters.lines().filter(|line| line.contains(BAD)).count(), 1, "{letters}");
    host.kill();

    let ids = gateway.accepted_ids();
    let mut host = faults.host(&gateway);
    let requests = gateway.requests().len();
    let all = ["u1", "u2", "u3", "bad", "u4", "u5", "u6", "u7", "u8"];
    assert_eq!(host.deliver("a", "t", &events(all)), Code::Ok);
    assert_eq!(
        gateway.requests().len(),
        requests,
        "it was written without a restart, and nothing is repeated"
    );
    let mut sorted = ids.clone();
    sorted.sort();
    assert_eq!(sorted, ["u1.1", "u2.1", "u3.1", "u4.1", "u5.1", "u6.1", "u7.1", "u8.1"], "{ids:?}");
    host.quit();
}

#[test]
fn deliveries_go_on_and_the_files_are_made_good_without_a_restart() {
    let library = library();
    let errors = [libc::ENOSPC, libc::EIO, libc::EROFS, libc::EMFILE, libc::EACCES];
    // From the start on, and from some calls on: not the same for each, so that more of them are met.
    let starts = |shift: u64| [0, 20 + shift, 60 + shift, 75 + shift];
    let cases =
        errors.into_iter().zip(0..).flat_map(|(error, shift)| starts(shift).map(|from| (error, from)));
    let running: Vec<_> = cases
        .map(|(error, from)| {
            let library = library.clone();
            let case = move || {
                let folder = tempfile::tempdir().expect("a folder");
                let plan = tempfile::tempdir().expect("a folder");
                let path = folder.path().to_owned();
                let faults = Faults { library, folder: path, plan: plan.path().join("plan") };
                survives(&faults, error, from);
            };
            let name = format!("errno {error} from call {from} on");
            (name.clone(), thread::Builder::new().name(name).spawn(case).expect("a thread"))
        })
        .collect();
    let failed: Vec<_> =
        running.into_iter().filter_map(|(name, case)| case.join().is_err().then_some(name)).collect();
    let _ = fs::remove_file(library);
    assert!(failed.is_empty(), "{failed:?}");
}
