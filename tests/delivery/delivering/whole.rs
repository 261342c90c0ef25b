//! Does a record of a real cluster arrive at the gateway, once, through the C ABI?

use super::support;
use support::gateway::TestGateway;
use support::host::{Build, Code};
use support::{chunk, started};

#[test]
fn the_records_of_a_real_cluster_arrive_once() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &[]);
    let events = chunk::watch_events();
    let chunk = chunk::of(&events);
    assert_eq!(host.deliver("a", "kube.events", &chunk), Code::Ok);
    assert_eq!(host.deliver("a", "kube.events", &chunk), Code::Ok);
    let wanted: Vec<_> = events.iter().map(chunk::event_id).collect();
    assert_eq!(gateway.accepted_ids(), wanted);
    host.quit();
}
