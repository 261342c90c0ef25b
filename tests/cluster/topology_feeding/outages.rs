//! How soon are all kinds followed after the API server was away, and what does it cost it meanwhile?

use std::time::Instant;

use event_gateway::topology::freshness::Freshness;

use super::support::kube_api::{ALL, Balancer, Choice, KubeApi, NotReady};
use super::*;

/// The design promises 2 s, and `tests/cluster/lateness/outages.rs` looks at that when `OUTAGES` is set. The rest is for a machine
/// that does other things as well; still less than a kind's own longest backoff.
const SOON: Duration = Duration::from_secs(20);

/// A kind that was refused twice asks again after 10 s to 11 s when nobody wakes it. The others may have been refused
/// a second later.
const OF_ITS_OWN: Duration = Duration::from_secs(8);

fn watched(timing: &Timing) -> (KubeApi, Cluster) {
    let api = KubeApi::start();
    let cluster = start_with(&settings(&api), timing);
    wait_ready(&cluster);
    api.wait_for_watches(ALL, KINDS, BOUND);
    (api, cluster)
}

#[track_caller]
fn wait_followed(api: &KubeApi, cluster: &Cluster, ready: Instant) -> Duration {
    api.wait_for_watches(ALL, KINDS, BOUND);
    wait("all kinds", || unfollowed(cluster).is_empty());
    let took = clock::monotonic().saturating_duration_since(ready);
    assert!(took < SOON, "{took:?}");
    took
}

fn freshness(cluster: &Cluster) -> Vec<Freshness> {
    let index = Arc::clone(&cluster.current());
    let mut all: Vec<Freshness> = ObjectKind::ALL.map(|kind| index.freshness(kind)).to_vec();
    all.sort_unstable();
    all.dedup();
    all
}

#[test]
fn all_kinds_are_followed_at_once_however_long_it_was_away() {
    let (api, cluster) = watched(&Timing::default());
    for (n, away) in [300, 10_000, 1_200].into_iter().enumerate() {
        api.stop();
        wait("the loss", || unfollowed(&cluster).len() == KINDS);
        wait("a snapshot that shows it", || !freshness(&cluster).contains(&Freshness::Current));
        std::thread::sleep(Duration::from_millis(away));
        if away == 10_000 {
            wait("the end of its freshness", || freshness(&cluster) == [Freshness::Stale]);
        }
        let ready = clock::monotonic();
        api.restart();
        api.put("pods", pod(&n.to_string()));
        let took = wait_followed(&api, &cluster, ready);
        println!("away {away} ms: all kinds are followed after {took:?}");
        wait_live(&cluster, &format!("u-{n}"));
        wait("the end of catching up", || freshness(&cluster) == [Freshness::Current]);
    }
    assert_eq!(lines(&cluster).len(), 0, "nobody has to know");
}

/// A real API server forbids everything until it has read the roles, and takes no token before it has read the accounts.
#[test]
fn an_api_server_that_is_not_ready_yet_is_asked_until_it_is() {
    for answer in [NotReady::Forbidden, NotReady::Unauthorized] {
        let (api, cluster) = watched(&Timing::default());
        api.refuse_after_restart(answer, Duration::from_secs(2));
        api.stop();
        api.put("pods", pod("a"));
        api.forget_requests();
        api.restart();
        let ready = api.ready_at().unwrap();
        let took = wait_followed(&api, &cluster, ready);
        println!("{answer:?}: all kinds are followed after {took:?}");
        wait_live(&cluster, "u-a");
        assert!(!freshness(&cluster).contains(&Freshness::Refused));
        let lists = api
            .requests()
            .into_iter()
            .filter(|request| !request.is_watch() && request.parameter("limit").as_deref() != Some("1"));
        assert_eq!(lists.count(), 0, "all go on from the version that they have");
        assert_eq!(lines(&cluster).len(), 0);
    }
}

#[test]
fn while_it_is_away_one_kind_a_second_tries() {
    let api = KubeApi::start();
    let balancer = Balancer::start(&[&api], Choice::InTurn);
    let address = Endpoint { url: balancer.url(), https: false, shown: balancer.url() };
    let timing = Timing { turn: Duration::from_millis(500), ..TIMING };
    let cluster = start_with(&TopologySettings { url: address, ..settings(&api) }, &timing);
    wait_ready(&cluster);
    api.wait_for_watches(ALL, KINDS, BOUND);
    let (before, began) = (balancer.connections(), clock::monotonic());
    api.stop();
    wait("the loss", || unfollowed(&cluster).len() == KINDS);
    // Each kind tries twice at first, and then in turn.
    wait("many tries", || balancer.connections() - before >= 3 * KINDS);
    let tries = balancer.connections() - before;
    let turns = (clock::monotonic() - began).as_millis() / timing.turn.as_millis();
    assert!(tries as u128 <= 2 * KINDS as u128 + turns + 3, "{tries} in {turns} turns");
    let ready = clock::monotonic();
    api.restart();
    wait_followed(&api, &cluster, ready);
}

/// Kinds without trouble of their own are asked for no more often.
#[test]
fn the_first_that_gets_through_wakes_those_that_wait_longer() {
    let (api, cluster) = watched(&TIMING);
    // Both fare badly alone, and wait for long.
    api.forbid("pods");
    api.forbid("services");
    api.close_watches("pods");
    api.close_watches("services");
    wait("the refusal", || {
        let index = Arc::clone(&cluster.current());
        [ObjectKind::Pod, ObjectKind::Service].iter().all(|kind| index.freshness(*kind) == Freshness::Refused)
    });
    api.forget_requests();
    let both_asked =
        || ["pods", "services"].into_iter().all(|resource| !api.requests_for(resource).is_empty());
    wait("the try after 5 s", both_asked);
    let refused = clock::monotonic();
    // The next comes 10 s after that.
    api.allow(ALL);
    api.put("pods", pod("a"));
    api.close_watches("nodes");
    api.stop();
    let ready = clock::monotonic();
    api.restart();
    wait_live(&cluster, "u-a");
    let waited = clock::monotonic() - refused;
    assert!(waited < OF_ITS_OWN, "{waited:?}");
    wait_followed(&api, &cluster, ready);
}
