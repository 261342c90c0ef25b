//! What does the filter remember: for how long, of how many, and over a restart or a kill -9?

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::{held, mark, support};
use event_gateway::clock;
use support::host::{Build, MiniHost, Outcome, Place, files_of_at_most};
use support::service_impact::{Image, filtering, left_of, loaded, set};
use support::{chunk, event, events};

fn is_known(host: &mut MiniHost, chunk: &[u8]) -> bool {
    match host.filter("f", "t", chunk, Place::Processor).outcome {
        Outcome::Modified(bytes) if bytes.is_empty() => true,
        Outcome::NoTouch => false,
        other => panic!("half of it is known: {other:?}"),
    }
}

fn keeping(file: &Path) -> (MiniHost, Image) {
    filtering(Build::V5_1_1, &[("state_file", file.to_str().expect("UTF-8"))])
}

#[test]
fn with_dedup_off_everything_goes_through() {
    let (mut host, _image) = filtering(Build::V5_1_1, &[("dedup", "off")]);
    let threads = host.threads();
    for _ in 0..3 {
        assert!(!is_known(&mut host, &events(["u1", "u1"])));
    }
    assert_eq!(host.threads(), threads, "memory needs no thread");
    host.quit();
}

#[test]
fn what_is_old_is_forgotten() {
    let (mut host, _image) = filtering(Build::V5_1_1, &[("ledger_ttl", "50s")]);
    assert!(!is_known(&mut host, &events(["u1"])));
    assert!(is_known(&mut host, &events(["u1"])));
    // An hour would make the date the one that is wrong.
    host.clock_ahead(55);
    assert!(!is_known(&mut host, &events(["u1"])));
    host.quit();
}

#[test]
fn what_is_too_much_is_forgotten_the_oldest_first() {
    let (mut host, _image) = filtering(Build::V5_1_1, &[("ledger_max_entries", "2")]);
    for uid in ["u1", "u2", "u3"] {
        assert!(!is_known(&mut host, &events([uid])));
    }
    assert!(is_known(&mut host, &events(["u3"])) && is_known(&mut host, &events(["u2"])));
    assert!(!is_known(&mut host, &events(["u1"])));
    host.quit();
}

#[test]
fn each_instance_has_a_memory_of_its_own() {
    let (mut host, _image) = filtering(Build::V5_1_1, &[]);
    assert_eq!(host.init_filter("g"), 0);
    assert!(!is_known(&mut host, &events(["u1"])));
    assert_eq!(host.filter("g", "t", &events(["u1"]), Place::Pipeline).outcome, Outcome::NoTouch);
    host.quit();
}

#[test]
fn without_a_file_a_restart_forgets() {
    let (mut host, _image) = filtering(Build::V5_1_1, &[]);
    assert!(!is_known(&mut host, &events(["u1"])));
    host.exit("f");
    assert_eq!(host.init_filter("f"), 0);
    assert!(!is_known(&mut host, &events(["u1"])));
    host.quit();
}

#[test]
fn with_a_file_an_orderly_restart_remembers_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("seen");
    let seen = chunk::watch_events();
    for round in 0..3 {
        let (mut host, _image) = keeping(&file);
        // An event a chunk, as kubernetes_events brings them: the exit has to write what still waits.
        for event in &seen {
            let left = left_of(&mut host, &chunk::of([event]), Place::Processor);
            assert_eq!(left.is_empty(), round > 0, "round {round}");
        }
        exit_written(&mut host);
        host.quit();
    }
}

/// An exit, after which all is in the file: at once, or by and by where the disk took too long and that was said.
pub fn exit_written(host: &mut MiniHost) {
    let running = host.threads();
    host.exit("f");
    if host.threads() < running {
        return;
    }
    host.wait_log("did not answer in time at the exit");
    let end = clock::monotonic() + Duration::from_secs(120);
    while host.threads() == running {
        assert!(clock::monotonic() < end, "the thread that writes never ends");
        thread::sleep(Duration::from_millis(20));
    }
}

/// While the thread syncs the first, the second waits, and then comes the exit.
#[test]
fn what_waits_at_the_exit_is_still_written() {
    // On a disk, where a sync takes its time.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let file = folder.path().join("seen");
    let (mut host, _image) = loaded(Build::V5_1_1, |_| {});
    set(&mut host, "f", &[("state_file", file.to_str().expect("UTF-8"))]);
    for round in 0..20 {
        assert_eq!(host.init_filter("f"), 0);
        for n in 0..round {
            assert!(is_known(&mut host, &events([format!("{n} b")])), "{n} of {round} was not written");
        }
        assert!(!is_known(&mut host, &events([format!("{round} a")])));
        assert!(!is_known(&mut host, &events([format!("{round} b")])));
        exit_written(&mut host);
    }
    host.quit();
}

/// They are the host's, whose handlers expect its own threads.
#[test]
fn the_thread_that_writes_takes_no_signals() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("seen");
    let (mut host, _image) = keeping(&file);
    // When it has written it has begun.
    assert!(!is_known(&mut host, &events(["u1"])));
    held::wait_for(&file, 1);
    let tasks = fs::read_dir(format!("/proc/{}/task", host.pid())).expect("threads");
    let statuses = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("status")).ok());
    let ours: Vec<String> = statuses.filter(|status| status.contains("service_impact")).collect();
    assert_eq!(ours.len(), 1);
    let blocked = ours[0].lines().find_map(|line| line.strip_prefix("SigBlk:")).expect("its mask").trim();
    let blocked = u64::from_str_radix(blocked, 16).expect("a mask");
    for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGINT, libc::SIGCHLD] {
        assert_ne!(blocked & (1 << (signal - 1)), 0, "signal {signal}");
    }
    host.quit();
}

#[test]
fn over_a_reload_the_file_passes_to_the_next_instance() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("seen");
    let (mut host, image) = loaded(Build::V5_1_1, |_| {});
    host.load(&image.output());
    let gateway = support::gateway::TestGateway::start();
    set(&mut host, "f", &[("state_file", file.to_str().expect("UTF-8"))]);
    host.set("o", "endpoint", gateway.url());
    assert_eq!((host.init_filter("f"), host.init("o")), (0, 1));
    for round in 0..4 {
        assert_eq!(is_known(&mut host, &events(["u1"])), round > 0);
        assert!(host.reload().ok);
    }
    host.quit();
}

#[test]
fn after_a_kill_the_file_is_whole_and_knows_what_it_had_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("seen");
    for round in 0..8 {
        let (mut host, _image) = keeping(&file);
        assert!(host.logs().iter().all(|line| line.level == 3), "a damaged file: {:?}", host.logs());
        let before: Vec<String> = (0..round).map(|n| format!("settled {n}")).collect();
        for uid in before {
            assert!(is_known(&mut host, &events([&uid])), "{uid} is forgotten");
        }
        let held = held::events(&file);
        assert!(!is_known(&mut host, &events([format!("settled {round}")])));
        held::wait_for(&file, held + 1);
        // And one that is on its way when the host dies.
        for n in 0..round {
            host.filter("f", "t", &chunk::of([&event(&format!("late {round} {n}"), 1, 1)]), Place::Pipeline);
        }
        host.kill();
    }
}

#[test]
fn a_damaged_file_is_moved_aside_and_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("seen");
    fs::write(&file, "no ledger").expect("written");
    let (mut host, _image) = keeping(&file);
    assert_eq!(host.wait_log("moved to").level, 1);
    assert!(!is_known(&mut host, &events(["u1"])) && is_known(&mut host, &events(["u1"])));
    host.quit();
}

#[test]
fn a_file_of_a_newer_version_is_moved_aside_and_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("seen");
    let (mut host, _image) = keeping(&file);
    assert!(!is_known(&mut host, &events(["u1"])));
    host.quit();
    let rules = mark::rules(&file).expect("a mark");
    mark::set_rules(&file, rules + 1);
    let (mut host, _image) = keeping(&file);
    let line = host.wait_log("was moved to");
    assert_eq!(line.level, 1);
    assert!(line.text.contains("was written by a newer version of this plugin"), "{}", line.text);
    assert!(!is_known(&mut host, &events(["u1"])) && is_known(&mut host, &events(["u1"])));
    host.quit();
}

#[test]
fn two_instances_on_one_file_are_refused_by_the_name_of_the_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("seen");
    let (mut host, image) = keeping(&file);
    set(&mut host, "g", &[("state_file", file.to_str().expect("UTF-8"))]);
    assert_ne!(host.init_filter("g"), 0);
    assert!(host.wait_log("is in use by another instance").text.contains("state_file: "));
    // Nor with the output, whose ledger tells something else.
    host.exit("f");
    host.load(&image.output());
    host.set("o", "endpoint", "http://127.0.0.1:9").set("o", "state_file", file.to_str().expect("UTF-8"));
    assert_eq!((host.init_filter("f"), host.init("o")), (0, -1));
    host.quit();
}

/// The disk is full: the thread meets its limit for files, the host never waits for it.
#[test]
fn a_disk_that_takes_nothing_costs_the_memory_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("seen");
    {
        let (mut host, _image) = keeping(&file);
        assert!(!is_known(&mut host, &events(["before"])));
        host.quit();
    }
    let most = fs::metadata(&file).expect("a file").len() + 4096;
    let (mut host, _image) = loaded(Build::V5_1_1, files_of_at_most(most));
    set(&mut host, "f", &[("state_file", file.to_str().expect("UTF-8"))]);
    assert_eq!(host.init_filter("f"), 0);
    assert!(is_known(&mut host, &events(["before"])));
    let many: Vec<String> = (0..2_000).map(|n| format!("u{n}")).collect();
    for round in 0..40 {
        let chunk = events(many.iter().map(|uid| format!("{round} {uid}")));
        assert!(!is_known(&mut host, &chunk));
        assert!(is_known(&mut host, &chunk));
    }
    let line = host.filter_until_log("f", &events(["one more"]), "state_file: ");
    assert_eq!(line.level, 1, "{}", line.text);
    host.quit();
}
