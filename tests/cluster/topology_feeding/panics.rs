//! Panics of each thread that follows the cluster: each is logged, and the cluster is known all the same.

use std::fs;

use event_gateway::config::TopologySettings;

use super::support::kube_api::{ALL, KubeApi};
use super::support::rerun;
use super::*;

/// Runs a test once more in a process of its own, whose environment names a wire; there, the wire.
fn in_a_process_of_its_own(name: &str) -> Option<std::path::PathBuf> {
    if let Some(wire) = std::env::var_os("EVENT_GATEWAY_PANIC") {
        return Some(wire.into());
    }
    let folder = tempfile::tempdir().unwrap();
    let mut again = rerun::command(module_path!(), name);
    rerun::assert_passed(&again.env("EVENT_GATEWAY_PANIC", folder.path().join("wire")).output().unwrap());
    None
}

#[track_caller]
fn wait_logged(cluster: &Cluster, text: &str) {
    wait(text, || lines(cluster).iter().any(|line| line.level == Level::Error && line.text.contains(text)));
}

#[test]
fn panics_of_a_reflector_lead_to_a_list() {
    let Some(wire) = in_a_process_of_its_own("panics_of_a_reflector_lead_to_a_list") else { return };
    let api = KubeApi::start();
    api.put("pods", pod("0"));
    let cluster = start(&settings(&api));
    wait_ready(&cluster);
    api.wait_for_watches(ALL, KINDS, BOUND);
    // Before its request, and in the middle of what it brought, with the board in its hands.
    for (number, place) in ["reflector", "apply"].into_iter().enumerate() {
        let (old, new) = (number.to_string(), (number + 1).to_string());
        fs::write(&wire, place).unwrap();
        api.put("pods", pod("unseen"));
        api.close_watches("pods");
        wait_logged(&cluster, "pods panicked");
        assert!(is_live(&cluster.current(), &format!("u-{old}")), "{place}");
        api.remove("pods", pod(&old));
        api.put("pods", pod(&new));
        fs::remove_file(&wire).unwrap();
        wait_live(&cluster, &format!("u-{new}"));
        wait_gone(&cluster, &format!("u-{old}"));
    }
}

#[test]
fn panics_of_the_clock_and_of_the_file_pass() {
    let Some(wire) = in_a_process_of_its_own("panics_of_the_clock_and_of_the_file_pass") else { return };
    let (api, folder) = (KubeApi::start(), tempfile::tempdir().unwrap());
    let file = folder.path().join("memory");
    let settings = TopologySettings { snapshot_file: Some(file.clone()), ..settings(&api) };
    let cluster = start(&settings);
    wait_ready(&cluster);
    for (place, words) in [("clock", "erasing deleted objects"), ("snapshot_file", "saving what is known")] {
        fs::write(&wire, place).unwrap();
        api.put("pods", pod(place));
        wait_logged(&cluster, words);
        fs::remove_file(&wire).unwrap();
        wait_live(&cluster, &format!("u-{place}"));
    }
    let before = fs::metadata(&file).and_then(|file| file.modified()).ok();
    api.put("pods", pod("last"));
    wait_live(&cluster, "u-last");
    wait("a save", || fs::metadata(&file).and_then(|file| file.modified()).ok() > before);
    fs::write(&wire, "snapshot_file").unwrap();
    drop(cluster);
    assert!(file.exists(), "the file of before stays");
}
