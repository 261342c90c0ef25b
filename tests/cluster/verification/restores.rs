//! Is an etcd found that went back, and is what was known of it forgotten?

use super::stage::*;
use super::support::kube_api::{Balancer, Choice, KubeApi, Past};

#[test]
fn a_restored_etcd_begins_another_history() {
    let api = KubeApi::start();
    put(&api, "kept");
    let backup = api.backup();
    let stage = Stage::of(api);
    stage.api.wait_for_watches("events", 1, BOUND);
    let lost = stage.put_and_see("lost");
    let later = stage.put_and_see("later");
    stage.api.restore(&backup);
    let new = put(&stage.api, "new");
    assert_eq!(new, lost);
    stage.wait_seen("new", new);
    stage.assert_knows_all();
    assert!(!stage.has_seen("later", later));
    stage.wait_logged("as after a restore of etcd");
    let lag = stage.verification.lag();
    assert_eq!((lag.unsettled, lag.forgotten, lag.settled), (2, 3, 0));
}

/// Its watch stays open, and waits for versions that are to come.
#[test]
fn a_restore_behind_an_open_watch_is_found_by_its_silence() {
    let api = KubeApi::start();
    put(&api, "kept");
    let backup = api.backup();
    let behind = api.replica();
    let url = behind.url();
    let stage = Stage::at(api, url, &SILENT_SOON);
    stage.api.wait_for_watches("events", 1, BOUND);
    let lost = stage.put_and_see("lost");
    stage.put_and_see("later");
    stage.api.restore(&backup);
    assert_eq!(put(&stage.api, "new"), lost);
    stage.wait_seen("new", lost);
    stage.assert_knows_all();
    stage.wait_logged("as after a restore of etcd");
}

#[test]
fn an_api_server_that_is_behind_is_waited_for_and_its_reads_of_the_past_are_another_history() {
    let stage = Stage::of(KubeApi::start());
    stage.api.wait_for_watches("events", 1, BOUND);
    let first = stage.put_and_see("a");
    let second = stage.put_and_see("b");
    // Its watch is behind, and its consistent reads are not.
    stage.api.go_back("events", first, Past::Cache);
    let third = put(&stage.api, "c");
    stage.api.wait_for_watches("events", 1, BOUND);
    assert_eq!(stage.shared.lock().seen().through(), Some(second), "nothing is taken for shown");
    stage.api.catch_up("events");
    stage.wait_seen("c", third);
    assert_eq!(stage.lines().iter().filter(|line| line.contains("restore")).count(), 0);

    stage.api.go_back("events", first, Past::EveryRead);
    stage.wait_logged("as after a restore of etcd");
    stage.api.catch_up("events");
    stage.put_and_see("d");
    stage.assert_knows_all();
}

#[test]
fn one_of_three_api_servers_may_be_behind() {
    let api = KubeApi::start();
    let (second, late) = (api.replica(), api.replica());
    late.lag("events", std::time::Duration::MAX);
    let balancer = Balancer::start(&[&api, &second, &late], Choice::Random(7));
    let stage = Stage::at(api, balancer.url(), &SILENT_SOON);
    for n in 0..4 {
        // A watch at the one that is behind is silent, and is given up in time.
        stage.put_and_see(&n.to_string());
        stage.api.close_watches("events");
    }
    stage.assert_knows_all();
    assert_eq!(stage.verification.lag().seen, 4);
    assert_eq!(stage.lines().iter().filter(|line| line.contains("restore")).count(), 0);
}
