//! Takeovers: after a release, after a death, and after an API server that was away for one or for both.

use super::*;

#[test]
fn one_leads_and_at_its_stop_the_other_leads_at_once() {
    let api = KubeApi::start();
    let (mut a, mut b) = pair(&api, &api);
    let epoch = a.epoch().unwrap();
    assert_eq!(holder(&api), "a");
    let began = clock::monotonic();
    a.stop();
    assert!(!a.leads());
    wait("the other one", (&mut a, &mut b), |_, b| b.leads());
    // Without the watch it would see the release only when the Lease expires.
    assert!(since(began) < LEASE * 3 / 4, "{:?}", since(began));
    assert!(b.epoch().unwrap() > epoch);
    assert!(a.has_said("Info the Lease logging/event-gateway is released"), "{:?}", a.lines);
    assert!(b.has_said(&format!("Info leads with epoch {}", b.epoch().unwrap())), "{:?}", b.lines);
    assert!(!a.has_said("Warn") && !b.has_said("Warn"), "{:?} {:?}", a.lines, b.lines);
    b.stop();
    assert_eq!(holder(&api), "");
}

/// A check that cannot fail checks nothing.
#[test]
fn two_that_do_not_share_a_lease_are_seen_to_lead_both() {
    let (of_a, of_b) = (KubeApi::start(), KubeApi::start());
    let start = |api: &KubeApi, me| {
        api.put_lease(PLACE.0, PLACE.1, released());
        Member::start(api, me)
    };
    let (a, b) = (start(&of_a, "a"), start(&of_b, "b"));
    let end = clock::monotonic() + BOUND;
    while !both_lead(&a, &b) {
        assert!(clock::monotonic() < end, "each leads its own");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_lease_that_is_not_there_is_made_by_one() {
    let api = KubeApi::start();
    let (mut a, mut b) = (Member::start(&api, "a"), Member::start(&api, "b"));
    wait("a leader", (&mut a, &mut b), |a, b| a.leads() || b.leads());
    let leader = if a.leads() { "a" } else { "b" };
    assert_eq!(holder(&api), leader);
    let made = api.writes("leases").into_iter().filter(|write| write.verb == "create" && write.code == 201);
    assert_eq!(made.count(), 1);
}

#[test]
fn a_killed_leader_is_followed_when_its_lease_is_over() {
    let api = KubeApi::start();
    let (mut a, mut b) = pair(&api, &api);
    a.kill();
    let began = clock::monotonic();
    assert_eq!(holder(&api), "a", "nothing was released");
    wait("the other one", (&mut a, &mut b), |_, b| b.leads());
    let took = since(began);
    assert!(took >= LEASE / 2, "its last request may still be on its way: {took:?}");
    assert!(took < LEASE * 2, "{took:?}");
}

#[test]
fn nobody_leads_without_the_api_server_and_one_goes_on_afterwards() {
    let api = KubeApi::start();
    let (mut a, mut b) = pair(&api, &api);
    api.stop();
    let began = clock::monotonic();
    wait("the deadline", (&mut a, &mut b), |a, _| !a.leads());
    assert!(since(began) <= RENEW_DEADLINE + Duration::from_millis(100), "{:?}", since(began));
    while since(began) < LEASE * 2 {
        assert!(!a.leads() && !b.leads());
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(a.has_said(
        "Warn no longer leads: the Lease logging/event-gateway is lost, it was not renewed in time ("
    ));
    assert!(a.has_said("Warn the Lease logging/event-gateway could not be read or written"), "{:?}", a.lines);
    assert!(b.has_said("Warn the Lease logging/event-gateway could not be read or written"), "{:?}", b.lines);
    api.restart();
    wait("a leader", (&mut a, &mut b), |a, b| a.leads() || b.leads());
}

#[test]
fn a_leader_that_is_cut_off_stops_before_the_other_one_leads() {
    let of_a = KubeApi::start();
    let of_b = of_a.replica();
    let (mut a, mut b) = pair(&of_a, &of_b);
    of_a.stop();
    let began = clock::monotonic();
    wait("the deadline", (&mut a, &mut b), |a, _| !a.leads());
    assert!(since(began) <= RENEW_DEADLINE + Duration::from_millis(100), "{:?}", since(began));
    wait("the other one", (&mut a, &mut b), |_, b| b.leads());
    of_a.restart();
    wait("a standby", (&mut a, &mut b), |a, _| a.has_said("stands by: b holds"));
    let end = clock::monotonic() + LEASE;
    wait("the end", (&mut a, &mut b), |a, b| {
        assert!(!a.leads() && b.leads());
        clock::monotonic() > end
    });
}

#[test]
fn a_watch_that_is_late_or_denied_costs_a_read_and_no_leader() {
    for is_denied in [false, true] {
        let of_a = KubeApi::start();
        let of_b = of_a.replica();
        let (mut a, mut b) = pair(&of_a, &of_b);
        if is_denied {
            of_a.forbid_verb("leases", "watch");
            of_a.close_watches("leases");
        } else {
            of_b.lag("leases", Duration::MAX);
        }
        let end = clock::monotonic() + LEASE * 2;
        wait("the end", (&mut a, &mut b), |a, _| {
            assert!(a.leads());
            clock::monotonic() > end
        });
        let began = clock::monotonic();
        a.stop();
        wait("the other one", (&mut a, &mut b), |_, b| b.leads());
        assert!(since(began) < LEASE, "{:?}", since(began));
        assert_eq!(b.has_said("Error watch on the Lease logging/event-gateway is denied (403)"), is_denied);
    }
}
