//! Does memcheck find an invalid access at the border, or memory that each flush leaves behind?
//!
//! VALGRIND_FLUSHES (20; 100 by `make valgrind`) flushes and ten times as many: what is left at the end must be
//! equal. The mini host tells valgrind of the stacks that its coroutines run on; without that every switch looks
//! like a wild jump of the stack. So a real Fluent Bit cannot be asked: its libco tells nobody.

use std::path::Path;
use std::process::Command;

use super::support;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost, Outcome, Place};
use support::rerun;
use support::service_impact::Image;
use support::variables::number_from;
use support::{chunk, events};

/// The test that runs once more, in a process whose mini hosts run under valgrind.
const UNDER_VALGRIND: &str = "the_whole_border_runs_clean_under_valgrind";
/// How often that one flushes.
const FLUSHES: &str = "VALGRIND_FLUSHES_NOW";

/// What memcheck counted at the end, in bytes.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    lost: u64,
    lost_with_it: u64,
    in_use: u64,
}

/// Runs the border under memcheck, and reads its report.
fn memcheck(flushes: usize, log: &Path) -> Left {
    let wrapper =
        format!("valgrind --leak-check=full --errors-for-leak-kinds=none --log-file={}", log.display());
    let output = rerun::command(module_path!(), UNDER_VALGRIND)
        .arg("--nocapture")
        .env("MINI_HOST_WRAPPER", wrapper)
        .env(FLUSHES, flushes.to_string())
        .output()
        .expect("this test once more");
    let text = std::fs::read_to_string(log).unwrap_or_default();
    rerun::assert_passed(&output);
    let number_after = |label: &str| {
        let rest = text.split_once(label)?.1.trim_start();
        let digits: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
        digits.replace(',', "").parse().ok()
    };
    let number = |label| number_after(label).unwrap_or_else(|| panic!("no {label} in {text}"));
    assert_eq!(number("ERROR SUMMARY:"), 0, "{text}");
    // Without a block in use there is no summary of leaks.
    Left {
        lost: number_after("definitely lost:").unwrap_or(0),
        lost_with_it: number_after("indirectly lost:").unwrap_or(0),
        in_use: number("in use at exit:"),
    }
}

#[test]
fn nothing_is_touched_that_is_not_there_and_no_flush_leaves_memory_behind() {
    let is_there =
        Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        return println!("not run under valgrind: it is not installed");
    }
    let flushes = number_from("VALGRIND_FLUSHES").unwrap_or(20);
    let folder = tempfile::tempdir().expect("a folder");
    let few = memcheck(flushes, &folder.path().join("few"));
    let many = memcheck(flushes * 10, &folder.path().join("many"));
    println!("{flushes} flushes: {few:?}; {} flushes: {many:?}", flushes * 10);
    assert_eq!(few, many, "each flush leaves something behind");
}

/// Load, init, flushes of every end, the filter, a reload, exits and the unload. Without valgrind a few flushes
/// show that the way is right.
#[test]
fn the_whole_border_runs_clean_under_valgrind() {
    let flushes = number_from(FLUSHES).unwrap_or(10);
    let (gateway, image) = (TestGateway::start(), Image::new());
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = folder.path().join("ledger");
    let mut host = MiniHost::start_empty(Build::V5_1_1, |_| {});
    host.load(&image.output());
    host.load_filter(&image.filter());
    host.set("a", "endpoint", gateway.url()).set("a", "state_file", ledger.as_os_str().as_encoded_bytes());
    assert_eq!((host.init("a"), host.init_filter("f")), (1, 0));
    let liar = [0xdf, 0xff, 0xff, 0xff, 0xff];
    for number in 0..flushes {
        let data = events([number]);
        let place = if number % 2 == 0 { Place::Pipeline } else { Place::Processor };
        assert_eq!(host.filter("f", "t", &data, place).outcome, Outcome::NoTouch);
        assert_eq!(host.filter("f", "t", &data, place).outcome, Outcome::Modified(Vec::new()));
        match number % 5 {
            // RETRY without a wait, then OK.
            0 => {
                gateway.answer(Answer::status(503).header("Retry-After", "0"));
                assert_eq!(host.deliver("a", "t", &data), Code::Retry);
                assert_eq!(host.deliver("a", "t", &data), Code::Ok);
            }
            // A record that the gateway will never take, and bytes that are none.
            1 => {
                gateway.answer(Answer::status(422));
                assert_eq!(host.deliver("a", "t", &data), Code::Ok);
                assert_eq!(host.deliver("a", "t", &liar), Code::Ok);
            }
            2 => {
                let null = host.flush_null("a", "t");
                assert_eq!(host.wait(null), Code::Ok);
                assert_eq!(host.deliver("a", "t", &data), Code::Ok);
            }
            _ => assert_eq!(host.deliver("a", "t", &data), Code::Ok),
        }
    }
    host.metrics();
    let recording = chunk::of(&chunk::recording_events()[..50]);
    assert_eq!(host.deliver("a", "t", &recording), Code::Ok);
    assert!(host.reload().ok);
    assert_eq!(host.deliver("a", "t", &recording), Code::Ok);
    // Given up in the middle.
    gateway.set_default(Answer::hang());
    for number in 0..3 {
        let before = gateway.request_count();
        let id = host.flush("a", "t", &events([format!("given up {number}")]));
        gateway
            .wait_for("its request", std::time::Duration::from_secs(600), |requests| requests.len() > before);
        host.exit("a");
        assert_eq!(host.wait(id), Code::Abandoned);
        assert_eq!(host.init("a"), 1);
    }
    host.exit("a");
    host.exit("f");
    host.quit();
}
