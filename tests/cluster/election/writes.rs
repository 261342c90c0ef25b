//! What the election costs the API server, and what the Lease says.

use super::*;

/// Those of the settings.
const DEFAULTS: Timing = Timing { lease: 15_000, renew_deadline: 10_000, retry: 2_000, watermark: 500 };

#[test]
fn there_are_at_most_two_writes_a_second_however_much_is_settled() {
    let api = KubeApi::start();
    api.put_lease(PLACE.0, PLACE.1, released());
    let mut a = Member::with(&api, "a", DEFAULTS);
    let mut b = Member::with(&api, "b", DEFAULTS);
    wait("a leader", (&mut a, &mut b), |a, b| a.leads() || b.leads());
    let leader = if a.leads() { &a } else { &b };
    leader.replica.change(|machine, _| {
        machine.begin_list(10);
        machine.end_list(10);
    });
    api.forget_writes();
    let (began, mut version) = (clock::monotonic(), 10);
    while since(began) < Duration::from_secs(4) {
        version += 1;
        leader.replica.change(|machine, now| {
            machine.see(u128::from(version), version, now);
            machine.advance(version);
            machine.settle(u128::from(version), version);
        });
        std::thread::sleep(Duration::from_millis(3));
    }
    let writes = api.writes("leases").len();
    assert!((4..=9).contains(&writes), "{writes}");
    // A little less than a second: requests do not take equally long.
    let most = api.most_writes_within("leases", Duration::from_millis(900));
    assert_eq!(most.values().max(), Some(&2), "{most:?}");
    assert!(most.keys().all(|agent| agent.starts_with("fluent-bit-event-gateway/")), "{most:?}");
}

#[test]
fn a_standby_learns_what_is_settled() {
    let api = KubeApi::start();
    let (mut a, mut b) = pair(&api, &api);
    for member in [&a, &b] {
        member.replica.change(|machine, now| {
            machine.begin_list(10);
            machine.see(1, 7, now);
            machine.see(2, 9, now);
            machine.end_list(10);
        });
    }
    a.replica.change(|machine, _| machine.settle(1, 7));
    let is_settled = |member: &Member, version| {
        member.replica.ask(|machine, _| machine.seen().unsettled().all(|(other, _)| other != version))
    };
    wait("the watermark", (&mut a, &mut b), |_, b| {
        b.replica.change(|machine, _| machine.confirm(10));
        is_settled(b, 7)
    });
    assert!(!is_settled(&b, 9));
    // The last word comes with the release.
    a.replica.change(|machine, _| machine.settle(2, 9));
    a.stop();
    wait("the rest", (&mut a, &mut b), |_, b| {
        b.replica.change(|machine, _| machine.confirm(10));
        is_settled(b, 9)
    });
}
