//! Does a record of a real cluster arrive at the gateway, once, through the C ABI?

mod support;

use support::chunk;
use support::gateway::TestGateway;
use support::host::{Build, Code, MiniHost};

#[test]
fn the_records_of_a_real_cluster_arrive_once() {
    let gateway = TestGateway::start();
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", gateway.url());
    host.init("a");
    let events = chunk::watch_events();
    let chunk = chunk::of(&events);
    assert_eq!(host.deliver("a", "kube.events", &chunk), Code::Ok);
    assert_eq!(host.deliver("a", "kube.events", &chunk), Code::Ok);
    let wanted: Vec<_> = events.iter().map(chunk::event_id).collect();
    assert_eq!(gateway.accepted_ids(), wanted);
    host.quit();
}
