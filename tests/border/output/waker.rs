//! Does an answer reach its flush at once, without waiting for a timer?

use super::support;
use support::events;
use support::gateway::TestGateway;
use support::host::{Build, Code, MiniHost};

fn started(build: Build, gateway: &TestGateway, instances: &[&str]) -> MiniHost {
    let mut host = MiniHost::start(build);
    for instance in instances {
        host.set(instance, "endpoint", gateway.url());
        assert_eq!(host.init(instance), 1);
    }
    host
}

#[test]
fn an_answer_needs_no_timer_on_any_release() {
    for build in [Build::V2_2_3, Build::V4_2_2, Build::V5_0_0, Build::V5_1_1, Build::ALIGN8] {
        let gateway = TestGateway::start();
        let mut host = started(build, &gateway, &["a"]);
        host.hold_timers(true);
        for n in 0..20 {
            assert_eq!(host.deliver("a", "t", &events([format!("one {n}")])), Code::Ok, "{build:?}");
        }
        let many: Vec<_> = (0..100).map(|n| host.flush("a", "t", &events([format!("many {n}")]))).collect();
        for id in many {
            assert_eq!(host.wait(id), Code::Ok, "{build:?}");
        }
        host.quit();
    }
}

#[test]
fn after_a_reload_the_waker_is_in_the_new_loop() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &["a"]);
    host.hold_timers(true);
    for round in 0..3 {
        assert_eq!(host.deliver("a", "t", &events([round])), Code::Ok);
        assert!(host.reload().ok);
    }
    host.quit();
}

#[test]
fn each_instance_has_its_own_waker() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &["a", "b"]);
    host.hold_timers(true);
    for n in 0..10 {
        assert_eq!(host.deliver("a", "t", &events([format!("a{n}")])), Code::Ok);
        assert_eq!(host.deliver("b", "t", &events([format!("b{n}")])), Code::Ok);
    }
    host.exit("a");
    assert_eq!(host.deliver("b", "t", &events(["alone"])), Code::Ok);
    host.quit();
}

#[test]
fn a_host_without_an_event_loop_is_served_by_the_timer() {
    let gateway = TestGateway::start();
    let mut host = started(Build::NO_EVENTS, &gateway, &["a"]);
    for n in 0..5 {
        assert_eq!(host.deliver("a", "t", &events([n])), Code::Ok);
    }
    host.quit();
}
