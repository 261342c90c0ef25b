//! A Lease that was deleted, edited, damaged, or is held by something else.

use event_gateway::lease::STATE_ANNOTATION;

use super::*;

fn wait_renewed(api: &KubeApi) -> Value {
    let version =
        |lease: &Value| lease["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap();
    let first = version(&api.lease(PLACE.0, PLACE.1).unwrap());
    api.wait_for_lease(PLACE, "two renewals", BOUND, |lease| version(lease) >= first + 2)
}

#[test]
fn a_deleted_lease_is_made_again_by_its_leader() {
    let api = KubeApi::start();
    let (mut a, mut b) = pair(&api, &api);
    let epoch = a.epoch().unwrap();
    api.delete_lease(PLACE.0, PLACE.1);
    wait("the new Lease", (&mut a, &mut b), |a, b| {
        assert!(!b.leads());
        a.leads() && a.epoch().unwrap() > epoch
    });
    assert_eq!(holder(&api), "a");
    let end = clock::monotonic() + LEASE;
    wait("the end", (&mut a, &mut b), |a, _| {
        assert!(a.leads());
        clock::monotonic() > end
    });
}

#[test]
fn a_lease_that_is_deleted_while_nobody_answers_is_made_after_its_time() {
    let of_a = KubeApi::start();
    let of_b = of_a.replica();
    let (mut a, mut b) = pair(&of_a, &of_b);
    of_a.stop();
    of_a.delete_lease(PLACE.0, PLACE.1);
    let began = clock::monotonic();
    wait("the other one", (&mut a, &mut b), |_, b| b.leads());
    assert!(since(began) >= LEASE / 2, "the leader does not know that it was deleted: {:?}", since(began));
}

#[test]
fn what_others_wrote_into_the_lease_stays() {
    let api = KubeApi::start();
    let (_a, _b) = pair(&api, &api);
    api.edit_lease(PLACE.0, PLACE.1, |lease| {
        lease["metadata"]["labels"] = json!({ "team": "shop" });
        lease["metadata"]["ownerReferences"] =
            json!([{ "kind": "Deployment", "name": "fluent-bit", "uid": "u" }]);
        lease["metadata"]["annotations"]["example.com/note"] = "kept".into();
    });
    let renewed = wait_renewed(&api);
    assert_eq!(renewed["metadata"]["labels"], json!({ "team": "shop" }));
    assert_eq!(renewed["metadata"]["ownerReferences"][0]["name"], "fluent-bit");
    assert_eq!(renewed["metadata"]["annotations"]["example.com/note"], "kept");
    assert_eq!(renewed["spec"]["holderIdentity"], "a");
    assert_eq!(renewed["spec"]["leaseDurationSeconds"], 2);
}

#[test]
fn a_damaged_annotation_is_logged_and_written_anew() {
    let api = KubeApi::start();
    let (mut a, mut b) = pair(&api, &api);
    for (text, why) in [
        ("v1.AAAA".to_owned(), "its checksum is wrong"),
        ("v2.AAAA".to_owned(), "another version of the plugin wrote it"),
        ("A".repeat(70_000), "it has 70000 bytes, more than 65536"),
    ] {
        api.edit_lease(PLACE.0, PLACE.1, |lease| {
            lease["metadata"]["annotations"][STATE_ANNOTATION] = text.into()
        });
        let line = format!(
            "Warn the annotation of the Lease logging/event-gateway cannot be read ({why}): what the leader has settled is unknown"
        );
        wait(why, (&mut a, &mut b), |_, b| b.has_said(&line));
        let renewed = wait_renewed(&api);
        let state = renewed["metadata"]["annotations"][STATE_ANNOTATION].as_str().unwrap();
        assert!(state.starts_with("v1.") && state.len() > 20, "{state}");
    }
    assert!(a.leads());
}

#[test]
fn what_another_program_holds_is_respected_until_it_expires() {
    let api = KubeApi::start();
    let (mut a, mut b) = pair(&api, &api);
    api.edit_lease(PLACE.0, PLACE.1, |lease| {
        lease["spec"]["holderIdentity"] = "somebody".into();
        lease["spec"]["leaseDurationSeconds"] = 3.into();
        lease["metadata"]["annotations"] = json!({});
    });
    let began = clock::monotonic();
    wait("its loss", (&mut a, &mut b), |a, _| !a.leads());
    let line = "Warn the Lease logging/event-gateway is held by somebody, without this plugin's annotation";
    wait("the lines", (&mut a, &mut b), |a, b| a.has_said(line) && b.has_said(line));
    assert!(a.has_said("is lost, somebody holds it now"), "{:?}", a.lines);
    wait("a leader", (&mut a, &mut b), |a, b| a.leads() || b.leads());
    assert!(since(began) >= Duration::from_secs(3), "{:?}", since(began));
}
