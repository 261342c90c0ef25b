//! Do chunks that wait share requests, within the limits, and does each still get its own answer?

use super::support;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code};
use support::{chunk, event, events, started, value};

#[test]
fn limits_of_a_batch_are_kept() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &[("batch_events", "7"), ("compress", "none")]);
    let all: Vec<_> = (0..100).collect();
    assert_eq!(host.deliver("a", "t", &events(&all)), Code::Ok);
    let sizes: Vec<_> = gateway.requests().iter().map(|request| request.ids().len()).collect();
    assert_eq!((sizes.len(), sizes.iter().max(), sizes.iter().sum::<usize>()), (15, Some(&7), 100));
    host.quit();

    let gateway = TestGateway::start();
    let settings = [("batch_bytes", "2K"), ("compress", "none"), ("format", "cloudevents_batch")];
    let mut host = started(Build::V5_1_1, &gateway, &settings);
    let mut large = event("large", 1, 1);
    large["message"] = "y".repeat(5_000).into();
    let mut data = events(&all);
    data.extend(chunk::of(&[large]));
    assert_eq!(host.deliver("a", "t", &data), Code::Ok);
    for request in gateway.requests() {
        assert!(
            request.raw_body_bytes <= 2_000 || request.ids() == ["large.1"],
            "{} bytes",
            request.raw_body_bytes
        );
    }
    assert_eq!(gateway.accepted_ids().len(), 101);
    host.quit();
}

#[test]
fn one_record_in_several_waiting_chunks_is_sent_once_and_all_share_its_outcome() {
    for (outcome, code) in
        [(Answer::ok(), Code::Ok), (Answer::status(503).header("Retry-After", "1"), Code::Retry)]
    {
        let gateway = TestGateway::start();
        let mut host = started(Build::V5_1_1, &gateway, &[]);
        // While the first request is out, four chunks wait; they are taken together.
        gateway.answer(Answer::ok().held());
        let first = host.flush("a", "t", &events(["first"]));
        gateway.wait_for_requests(1);
        gateway.set_default(outcome);
        let waiting: Vec<_> = (0..4).map(|_| host.flush("a", "t", &events(["same", "same"]))).collect();
        host.metrics_when(|metrics| value(metrics, "jobs_in_flight") == 5.0);
        gateway.release();
        assert_eq!(host.wait(first), Code::Ok);
        for id in waiting {
            assert_eq!(host.wait(id), code);
        }
        let requests = gateway.requests();
        let sent = requests.iter().flat_map(|request| request.ids()).filter(|id| *id == "same.1").count();
        assert_eq!(sent, 1);
        host.quit();
    }
}

#[test]
fn a_chunk_is_answered_without_waiting_for_a_stranger() {
    let gateway = TestGateway::start();
    gateway.respond_with(|request| {
        let bad = request.ids().iter().any(|id| id.starts_with("bad"));
        if bad { Answer::status(503).header("Retry-After", "30") } else { Answer::ok() }
    });
    let mut host = started(Build::V5_1_1, &gateway, &[("batch_events", "1")]);
    let good = host.flush("a", "t", &events(["good"]));
    assert_eq!(host.wait(good), Code::Ok);
    let bad = host.flush("a", "t", &events(["bad"]));
    let known = host.flush("a", "t", &events(["good"]));
    assert_eq!((host.wait(bad), host.wait(known)), (Code::Retry, Code::Ok));
    host.quit();
}

#[test]
fn beyond_the_bound_a_chunk_is_turned_away_at_once() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &[("timeout", "1h")]);
    gateway.set_default(Answer::hang());
    let ids: Vec<_> = (0..300).map(|n| host.flush("a", "t", &events([n]))).collect();
    assert!(ids[260..].iter().all(|id| host.wait(*id) == Code::Retry));
    let metrics = host.metrics_when(|metrics| value(metrics, "refused_chunks_total") > 0.0);
    assert_eq!(value(&metrics, "jobs_in_flight"), 256.0);
    assert_eq!(value(&metrics, "refused_chunks_total"), 44.0);
    // One that waited for the answer would still wait when the test gives up.
    host.exit("a");
    host.quit();
}

#[test]
fn a_chunk_turned_away_is_delivered_though_a_newer_state_overtook_it() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &[]);
    gateway.answer(Answer::ok().held());
    let waiting: Vec<_> = (0..256).map(|n| host.flush("a", "t", &events([n]))).collect();
    let old = chunk::of(&[event("u", 5, 5)]);
    assert_eq!(host.deliver("a", "t", &old), Code::Retry, "turned away unread");
    gateway.wait_for_requests(1);
    gateway.release();
    for id in waiting {
        assert_eq!(host.wait(id), Code::Ok);
    }
    assert_eq!(host.deliver("a", "t", &chunk::of(&[event("u", 6, 6)])), Code::Ok);
    assert_eq!(host.deliver("a", "t", &old), Code::Ok);
    let of_u: Vec<_> = gateway.accepted_ids().into_iter().filter(|id| id.starts_with("u.")).collect();
    assert_eq!(of_u, ["u.6", "u.5"]);
    host.quit();
}
