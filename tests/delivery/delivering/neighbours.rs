//! Takes odd records through the whole plugin, between two good ones, and once more: everything is delivered the
//! first time, with what it says, and nothing the second.

use std::collections::BTreeSet;

use super::support;
use serde_json::Value;
use support::gateway::TestGateway;
use support::host::{Build, Code, MiniHost};
use support::{chunk, event};

pub fn started(gateway: &TestGateway, settings: &[(&str, &str)]) -> MiniHost {
    support::started(Build::V5_1_1, gateway, settings)
}

/// Delivers them twice between good neighbours; all that the gateway took, without the neighbours.
pub fn delivered(host: &mut MiniHost, gateway: &TestGateway, events: &[Value]) -> Vec<Value> {
    let packed: Vec<Vec<u8>> = events.iter().map(|event| chunk::v2(event, 1)).collect();
    delivered_bytes(host, gateway, &packed)
}

pub fn delivered_bytes(host: &mut MiniHost, gateway: &TestGateway, records: &[Vec<u8>]) -> Vec<Value> {
    let neighbours = ["before", "after"].map(|uid| chunk::v2(&event(uid, 1, 1), 1));
    let whole = [&neighbours[0][..], &records.concat(), &neighbours[1]].concat();
    assert_eq!(host.deliver("a", "t", &whole), Code::Ok);
    let mut came = gateway.accepted_records();
    assert_eq!(host.deliver("a", "t", &whole), Code::Ok);
    assert_eq!(gateway.accepted_records().len(), came.len(), "something came twice");
    let ids: BTreeSet<String> = came.iter().map(|record| record["id"].to_string()).collect();
    assert_eq!(ids.len(), came.len(), "{ids:?}");
    let all = came.len();
    came.retain(|record| record["id"] != "before.1" && record["id"] != "after.1");
    assert_eq!(all - came.len(), 2, "a neighbour is missing");
    came
}
