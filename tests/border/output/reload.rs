//! Does the plugin come and go without leaving anything behind?

use super::support;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};
use support::{events, started};

#[test]
fn ten_hot_reloads_with_a_ledger_lose_and_repeat_nothing() {
    for build in [Build::V4_2_2, Build::ALIGN8] {
        let gateway = TestGateway::start();
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = folder.path().join("ledger");
        let mut host = started(build, &gateway, &[("state_file", ledger.to_str().expect("UTF-8"))]);
        let all: Vec<_> = (0..10).collect();
        for round in 0..10 {
            assert_eq!(host.deliver("a", "t", &events(&all[..=round])), Code::Ok);
            assert!(host.reload().ok, "{build:?}");
        }
        assert_eq!(gateway.accepted_ids(), all.iter().map(|n| format!("{n}.1")).collect::<Vec<_>>());
        host.quit();
    }
}

#[test]
fn a_dead_gateway_does_not_hold_up_a_reload() {
    let gateway = TestGateway::start();
    // A reload that waited for the answer would still wait when the test gives up.
    let mut host = started(Build::V5_1_1, &gateway, &[("timeout", "1h")]);
    gateway.set_default(Answer::hang());
    host.flush("a", "t", &events(["u1"]));
    gateway.wait_for_requests(1);
    assert!(host.reload().ok);
    gateway.set_default(Answer::ok());
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    host.quit();
}

#[test]
fn the_image_stays_mapped_after_it_was_unloaded() {
    // A thread that outlived its instance, or a timer that fires late, must not run into unmapped code.
    let mut host = MiniHost::start(Build::V5_1_1);
    host.unload();
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", host.pid())).expect("the host's maps");
    let name = MiniHost::plugin_path().file_name().expect("a name").to_string_lossy().into_owned();
    assert!(maps.contains(&name), "{name} is not mapped any more");
    host.quit();
}
