//! Refusals, cuts, silence and nonsense: what is known stays, and what is missed is made up for.

use std::time::Duration;

use event_gateway::cluster::Timing;
use event_gateway::config::{Tls, TopologySettings};
use event_gateway::log::Level;
use event_gateway::topology::freshness::Freshness;

use super::support::certificates::Certificates;
use super::support::cluster::{Cluster as Plan, Size};
use super::support::kube_api::{ALL, Delivery, KubeApi, TooOld};
use super::*;

/// A cluster that is ready and watched, with one pod.
fn watched() -> (KubeApi, Cluster) {
    watched_with(&TIMING)
}

fn watched_with(timing: &Timing) -> (KubeApi, Cluster) {
    let api = KubeApi::start();
    api.put("pods", pod("first"));
    let cluster = start_with(&settings(&api), timing);
    wait_ready(&cluster);
    api.wait_for_watches(ALL, KINDS, BOUND);
    assert!(is_live(&cluster.current(), "u-first"));
    (api, cluster)
}

#[test]
fn what_is_forbidden_or_missing_is_logged_once_and_the_rest_is_there() {
    let api = KubeApi::start();
    api.put("pods", pod("a"));
    api.forbid("ingresses");
    api.missing("poddisruptionbudgets");
    let cluster = start(&settings(&api));
    wait_ready(&cluster);
    api.wait_for_watches(ALL, KINDS - 2, BOUND);
    wait_live(&cluster, "u-a");
    assert_eq!(warnings(&cluster), [""; 0], "a start takes its time");
    let index = Arc::clone(&cluster.current());
    let freshness = [ObjectKind::Ingress, ObjectKind::PodDisruptionBudget, ObjectKind::Pod]
        .map(|kind| index.freshness(kind));
    assert_eq!(freshness, [Freshness::Refused, Freshness::Refused, Freshness::Current]);
    let mut logged = Vec::new();
    wait("a warning", || {
        logged.extend(warnings(&cluster));
        !logged.is_empty()
    });
    assert!(logged[0].contains("ClusterRole needs list and watch on ingresses in the group"), "{logged:?}");
    assert!(logged[0].contains("does not serve /apis/policy/v1/poddisruptionbudgets (404)"), "{logged:?}");
    assert_eq!(unfollowed(&cluster), [ObjectKind::PodDisruptionBudget, ObjectKind::Ingress]);
    api.allow(ALL);
    wait("the good news", || lines(&cluster).iter().any(|line| line.text.contains("all of the cluster")));
    assert_eq!((logged.len(), unfollowed(&cluster)), (1, Vec::new()));
}

#[test]
fn a_service_account_without_any_right_is_warned_about_every_kind() {
    let api = KubeApi::start();
    api.forbid(ALL);
    let cluster = start(&settings(&api));
    wait("all requests", || api.requests().len() >= KINDS);
    assert!(cluster.current().is_empty());
    let mut logged = Vec::new();
    wait("a warning", || {
        logged.extend(warnings(&cluster));
        !logged.is_empty()
    });
    assert_eq!(logged.len(), 1, "{logged:?}");
    for kind in ObjectKind::ALL {
        assert!(logged[0].contains(kind.resource()), "{logged:?}");
    }
    assert!(!cluster.is_ready(), "who knows nothing has no answer");
    // The role is bound at last.
    api.allow(ALL);
    wait_ready(&cluster);
    wait("all kinds", || unfollowed(&cluster).is_empty());
}

#[test]
fn a_token_that_is_exchanged_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, "one\n").unwrap();
    let api = KubeApi::start();
    api.put("pods", pod("a"));
    api.require_token("one");
    let cluster = start(&TopologySettings { token_file: Some(token_file.clone()), ..settings(&api) });
    wait_ready(&cluster);
    api.wait_for_watches(ALL, KINDS, BOUND);
    // The kubelet has exchanged the file, and the API server takes the new token only.
    std::fs::write(&token_file, "two\n").unwrap();
    api.require_token("two");
    api.close_watches(ALL);
    api.wait_for_requests("the new token", BOUND, |requests| {
        requests.iter().any(|request| request.authorization.as_deref() == Some("Bearer two"))
    });
    api.put("pods", pod("b"));
    wait_live(&cluster, "u-b");
    // The API server is ahead of the file: 401 until the file comes.
    api.require_token("three");
    api.close_watches("pods");
    wait("the watch to end", || api.open_watches("pods") == 0);
    std::fs::write(&token_file, "three\n").unwrap();
    api.put("pods", pod("c"));
    wait_live(&cluster, "u-c");
}

#[test]
fn a_version_that_is_too_old_costs_a_list_and_no_change() {
    for form in [TooOld::Status, TooOld::ErrorEvent] {
        let (api, cluster) = watched();
        api.refuse_old_watches_with(form);
        api.stop();
        api.put("pods", pod("missed"));
        api.remove("pods", pod("first"));
        api.compact();
        api.restart();
        wait_live(&cluster, "u-missed");
        wait_gone(&cluster, "u-first");
        let requests = api.requests_for("pods");
        let newest = requests.iter().rfind(|request| !request.is_watch());
        assert_eq!(newest.unwrap().parameter("resourceVersion"), None);
    }
}

#[test]
fn a_token_of_a_page_that_ran_out_costs_a_new_list() {
    let plan = Plan::generate(Size { pods: 700, ..Size::SMALL }, 7);
    let api = KubeApi::start();
    api.fill(plan.objects());
    // The first page takes seconds, so that its token runs out before anybody can use it, on a busy machine too.
    api.deliver("pods", Delivery::Slow { bytes: 5_000, pause: Duration::from_millis(10) });
    let cluster = start(&settings(&api));
    api.wait_for_request("/api/v1/pods?limit", BOUND);
    api.expire_pages();
    api.deliver("pods", Delivery::Whole);
    wait_ready(&cluster);
    assert_holds(&cluster, &plan);
    assert!(api.requests_for("pods").iter().any(|request| request.target == "/api/v1/pods"));
}

#[test]
fn cuts_ends_and_nonsense_lose_nothing() {
    let (api, cluster) = watched();
    for n in 0..5 {
        match n % 5 {
            0 => api.cut("pods"),
            1 => api.close_watches("pods"),
            2 => api.send_line("pods", b"{\"type\":\"ADDED\",\"object\":[{"),
            3 => api.send_huge_line("pods", 5 << 20),
            _ => api.send_line("pods", b"\r\n\n{\"type\":\"ADDED\",\"object\":{\"metadata\":null}}"),
        }
        api.put("pods", pod(&n.to_string()));
        wait_live(&cluster, &format!("u-{n}"));
    }
    // They are counted after the snapshot that was waited for.
    wait("the count of objects left out", || cluster.numbers().skipped_objects.get() == 2);
    wait("the count of restarts", || cluster.numbers().watch_restarts.get() >= 3);
    let lines = lines(&cluster);
    assert!(lines.iter().all(|line| line.level != Level::Error));
    assert!(lines.iter().any(|line| line.level == Level::Warn && line.text.contains("1 pods were left out")));
}

#[test]
fn a_watch_on_a_dead_connection_is_given_up() {
    let hurry = Timing { silence: Duration::from_millis(700), ..TIMING };
    let api = KubeApi::start();
    api.bookmark_every(Some(Duration::from_millis(100)));
    let cluster = start_with(&settings(&api), &hurry);
    wait_ready(&cluster);
    api.wait_for_watches(ALL, KINDS, BOUND);
    let restarts = cluster.numbers().watch_restarts.get();
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(cluster.numbers().watch_restarts.get(), restarts, "bookmarks keep it");
    api.fall_silent("pods");
    api.put("pods", pod("unheard"));
    wait("a new watch", || cluster.numbers().watch_restarts.get() > restarts);
    api.heal("pods");
    wait_live(&cluster, "u-unheard");
}

#[test]
fn an_api_server_that_goes_and_comes_back_is_logged_and_followed_again() {
    let (api, cluster) = watched();
    api.stop();
    api.put("pods", pod("meanwhile"));
    let mut logged = Vec::new();
    wait("a warning", || {
        logged.extend(lines(&cluster));
        !logged.is_empty()
    });
    assert!(is_live(&cluster.current(), "u-first"), "what is known stays in use");
    api.restart();
    wait_live(&cluster, "u-meanwhile");
    wait("the good news", || {
        logged.extend(lines(&cluster));
        logged.len() >= 2
    });
    assert_eq!(unfollowed(&cluster), []);
    let (first, last) = (&logged[0], &logged[1]);
    assert!(
        first.text.contains("and 11 more have not been followed for") && first.level == Level::Warn,
        "{logged:?}"
    );
    assert!(
        last.text.contains("followed again") && last.level == Level::Info && logged.len() == 2,
        "{logged:?}"
    );
}

#[test]
fn a_server_that_is_busy_is_given_the_time_it_asks_for() {
    let api = KubeApi::start();
    api.put("pods", pod("a"));
    api.too_many_requests("pods", 1, 1);
    api.unavailable("services", 1, 1);
    let began = clock::monotonic();
    let cluster = start(&settings(&api));
    wait_ready(&cluster);
    assert!(clock::monotonic() - began >= Duration::from_secs(1));
    assert!(is_live(&cluster.current(), "u-a"));
    assert_eq!(warnings(&cluster), [""; 0]);
}

#[test]
fn the_authority_of_the_cluster_is_trusted() {
    let certificates = Certificates::new();
    let api = KubeApi::start_tls(&certificates.server());
    api.put("pods", pod("a"));
    let trusting = |file| Tls { ca_file: Some(file), ..Tls::default() };
    let cluster = start(&TopologySettings { tls: trusting(certificates.file("ca.pem")), ..settings(&api) });
    wait_ready(&cluster);
    wait_live(&cluster, "u-a");

    let other = Certificates::new();
    let cluster = start(&TopologySettings { tls: trusting(other.file("ca.pem")), ..settings(&api) });
    wait("a warning that names the key", || {
        warnings(&cluster)
            .iter()
            .any(|line| line.contains("look at kube_ca_file, and at the host in kube_url"))
    });
    assert!(!cluster.is_ready());
}
