//! Data that goes back: etcd restored from a backup, and API servers that lag behind others.

use super::support::kube_api::{ALL, Balancer, Choice, KubeApi};
use super::*;

fn at(url: String, api: &KubeApi) -> TopologySettings {
    TopologySettings { url: Endpoint { url: url.clone(), https: false, shown: url }, ..settings(api) }
}

fn restored(lines: &[Line]) -> usize {
    lines.iter().filter(|line| line.text.contains("data is older than what was seen")).count()
}

/// Pods `kept` and `gone` before a backup, `lost` after it; then the restore, and `new`, with a version that `lost` had.
fn restore_between(api: &KubeApi, watched: impl FnOnce() -> Cluster) -> Cluster {
    api.put("pods", pod("kept"));
    api.put("pods", pod("gone"));
    let backup = api.backup();
    let cluster = watched();
    wait_ready(&cluster);
    api.wait_for_watches(ALL, KINDS, BOUND);
    let lost = api.put("pods", pod("lost"));
    for n in 0..50 {
        api.put(
            "services",
            json!({"kind": "Service", "apiVersion": "v1", "metadata": {
            "name": format!("s-{n}"), "namespace": "shop", "uid": format!("u-s-{n}")}}),
        );
    }
    api.remove("pods", pod("gone"));
    wait_live(&cluster, "u-lost");
    wait_live(&cluster, "u-s-49");
    wait_gone(&cluster, "u-gone");
    api.restore(&backup);
    let new = api.put("pods", pod("new"));
    assert_eq!(new["metadata"]["resourceVersion"], lost["metadata"]["resourceVersion"]);
    cluster
}

fn is_as_after_the_restore(cluster: &Cluster) {
    wait_live(cluster, "u-new");
    wait_live(cluster, "u-gone");
    wait_gone(cluster, "u-lost");
    wait_gone(cluster, "u-s-49");
    assert!(is_live(&cluster.current(), "u-kept"));
    let mut logged = Vec::new();
    wait("the warning", || {
        logged.extend(lines(cluster));
        restored(&logged) > 0
    });
    assert_eq!(restored(&logged), 1, "{logged:?}");
}

#[test]
fn a_restore_is_seen_when_the_api_server_is_back() {
    let api = KubeApi::start();
    let cluster = restore_between(&api, || start(&settings(&api)));
    is_as_after_the_restore(&cluster);
}

/// The watches stay open and wait for versions that are to come: only a consistent read tells.
#[test]
fn a_restore_behind_watches_that_fall_silent_is_seen_by_a_probe() {
    let api = KubeApi::start();
    let behind = api.replica();
    let hurry = Timing { silence: Duration::from_millis(1_500), ..TIMING };
    let cluster = restore_between(&api, || start_with(&settings(&behind), &hurry));
    is_as_after_the_restore(&cluster);
}

/// Quiet kinds get no bookmarks for certain: silence is no reason to list anew.
#[test]
fn silence_alone_costs_a_probe_and_nothing_else() {
    let api = KubeApi::start();
    api.put("pods", pod("a"));
    let hurry = Timing { silence: Duration::from_millis(700), ..TIMING };
    let cluster = start_with(&settings(&api), &hurry);
    wait_ready(&cluster);
    api.wait_for_watches(ALL, KINDS, BOUND);
    api.forget_requests();
    api.wait_for_requests("probes of all kinds", BOUND, |requests| {
        let probes = requests.iter().filter(|request| request.parameter("limit").as_deref() == Some("1"));
        probes.count() >= KINDS * 2
    });
    let probes = |parameter: &str| {
        api.requests()
            .iter()
            .filter(|request| !request.is_watch() && request.parameter(parameter).is_some())
            .count()
    };
    assert_eq!(probes("resourceVersion"), 0, "a read from the cache proves nothing");
    assert_eq!(
        api.requests().iter().filter(|request| request.parameter("limit").as_deref() == Some("500")).count(),
        0
    );
    assert_eq!(lines(&cluster), []);
    api.put("pods", pod("b"));
    wait_live(&cluster, "u-b");
}

#[test]
fn one_of_three_api_servers_may_lag() {
    let api = KubeApi::start();
    let (second, late) = (api.replica(), api.replica());
    late.lag(ALL, Duration::MAX);
    let balancer = Balancer::start(&[&api, &second, &late], Choice::Random(7));
    let hurry = Timing { silence: Duration::from_millis(700), ..TIMING };
    let cluster = start_with(&at(balancer.url(), &api), &hurry);
    wait_ready(&cluster);
    for n in 0..8 {
        let (new, old) = (n.to_string(), format!("u-{}", n - 1));
        api.put("pods", pod(&new));
        if n > 0 {
            api.remove("pods", pod(&(n - 1).to_string()));
        }
        // A watch that stands at the one that lags is silent, and is given up in time.
        wait_live(&cluster, &format!("u-{new}"));
        if n > 0 {
            wait_gone(&cluster, &old);
        }
        if n % 2 == 0 {
            api.forbid("pods");
            api.cut("pods");
            api.put("pods", pod(&new));
            wait("a denial", || unfollowed(&cluster).contains(&ObjectKind::Pod));
            api.allow("pods");
        } else {
            api.close_watches("pods");
        }
        let index = Arc::clone(&cluster.current());
        assert!((0..n).all(|gone| !is_live(&index, &format!("u-{gone}"))), "what is gone does not come back");
    }
    assert_eq!(restored(&lines(&cluster)), 0);
}
