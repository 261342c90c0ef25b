//! What the doctor once called well and was not: each of these outputs was shown with "well".

use event_gateway::metrics::cluster::{REASONS, RESOURCES};

use super::pages::{NOW, events_of, page_with, report, report_of, unfollowed};

/// The page of an output for which these resources are not followed, for this reason.
fn without(resources: &[&str], reason: &str) -> String {
    let figures: Vec<String> = resources.iter().map(|resource| unfollowed(resource, reason)).collect();
    let changed: Vec<(&str, u64)> = figures.iter().map(|figure| (&**figure, 1)).collect();
    page_with("shop", &changed)
}

#[test]
fn a_role_cut_down_to_events_is_found() {
    let (text, code, trouble) = report(&without(&RESOURCES, "forbidden"));
    assert_eq!((code, trouble.len()), (1, 2), "{text}");
    assert!(trouble[0].contains("cluster  listed; no resource is followed"), "{text}");
    let says = "all resources not followed: the role does not grant list and watch (403): apply \
                fluent-bit-conf/kubernetes/rbac.yaml";
    assert!(trouble[1].contains(says), "{text}");
}

#[test]
fn a_token_that_is_not_valid_is_found() {
    let (text, code, trouble) = report(&without(&RESOURCES, "unauthorized"));
    assert_eq!((code, trouble.len()), (1, 2), "{text}");
    assert!(trouble[1].contains("does not accept the token (401): look at kube_token_file"), "{text}");
}

#[test]
fn one_forbidden_resource_is_found_while_the_others_are_well() {
    for reason in REASONS {
        let (text, code, trouble) = report(&without(&["endpointslices"], reason));
        let is_trouble = reason != "not_served";
        assert_eq!((code == 1, trouble.len()), (is_trouble, usize::from(is_trouble)), "{text}");
        assert!(text.contains("cluster  endpointslices not followed: "), "{text}");
        assert!(
            text.contains("listed; a message of each resource that is followed, of cronjobs 3 s ago"),
            "{text}"
        );
    }
    // A whole API server that serves none of them is another one.
    let (text, code, _) = report(&without(&RESOURCES, "not_served"));
    assert_eq!(code, 1, "{text}");
    // Each reason has its line.
    let two =
        page_with("shop", &[(&unfollowed("pods", "forbidden"), 1), (&unfollowed("nodes", "throttled"), 1)]);
    let (text, _, trouble) = report(&two);
    assert!(trouble[0].contains("pods not followed: the role") && trouble[1].contains("nodes not"), "{text}");
}

/// After an etcd was restored, watches ask for versions of the future, and are silent.
#[test]
fn a_live_resource_hides_no_dead_ones() {
    let dead: Vec<String> = RESOURCES.into_iter().filter(|name| *name != "nodes").map(events_of).collect();
    let changed: Vec<(&str, u64)> = dead.iter().map(|figure| (&**figure, NOW - 400)).collect();
    let (text, code, trouble) = report(&page_with("shop", &changed));
    assert_eq!((code, trouble.len()), (1, 1), "{text}");
    assert!(trouble[0].contains("no message for long of cronjobs (6 min 39 s), daemonsets"), "{text}");
    assert!(!trouble[0].contains("nodes"), "{text}");
    // Among the others it is one that never spoke.
    let (text, code, trouble) = report(&page_with("shop", &[(&events_of("pods"), 0)]));
    assert!(code == 1 && trouble[0].contains("no message for long of pods (never)"), "{text}");
}

#[test]
fn a_chunk_in_the_retry_queue_of_the_host_is_found() {
    let busy = "fluentbit_input_storage_chunks_busy{name=\"kubernetes_events.0\"}";
    let bytes = "fluentbit_input_storage_chunks_busy_bytes{name=\"kubernetes_events.0\"}";
    let retries = "fluentbit_output_retries_total{name=\"shop\"}";
    let other = "fluentbit_output_retries_total{name=\"s3\"}";
    let of = |tries: u64, chunks: u64, in_flight: u64| {
        page_with(
            "shop",
            &[
                (busy, chunks),
                (bytes, 890),
                (retries, tries),
                ("jobs_in_flight", in_flight),
                (other, tries * 9),
            ],
        )
    };
    // The gateway fails, or the retries rise: the chunks are ours.
    let failing = |tries: u64| {
        of(tries, 3, 1).replace(
            "failing_since_timestamp_seconds{name=\"shop\"} 0",
            &format!("failing_since_timestamp_seconds{{name=\"shop\"}} {}", NOW - 20),
        )
    };
    let says = "! waiting  2 chunks (890 bytes) in Fluent Bit's retry queue (17 retries of this output since the \
                start)";
    for pages in [&[failing(17)][..], &[of(16, 3, 1), of(17, 3, 1)]] {
        let pages: Vec<&str> = pages.iter().map(|page| &**page).collect();
        let (text, code, trouble) = report_of(&pages);
        assert!(code == 1 && trouble.iter().any(|line| line.starts_with(says)), "{text}");
    }
    // What only one of two pages shows was on its way.
    let (text, code, _) = report_of(&[&of(16, 3, 1), &of(17, 0, 0)]);
    assert_eq!(code, 0, "{text}");
    // One of four pages may be of the moment in which the chunk was tried again.
    let [before, page, tried] = [of(16, 3, 1), of(17, 3, 1), of(17, 3, 3)];
    assert_eq!(report_of(&[&before, &tried, &page, &page]).1, 1);
    assert_eq!(report_of(&[&before, &tried, &tried, &page]).1, 0);
    // Retries of the past and a gateway that is well: another output, whose retries rise, is dead.
    let old = |others: u64| of(17, 3, 0).replace(&format!("{other} 153"), &format!("{other} {others}"));
    let (text, code, _) = report_of(&[&old(200), &old(201), &old(202), &old(203)]);
    let says = "  waiting  3 chunks (890 bytes) wait in Fluent Bit, for a retry of this or of another output";
    assert!(code == 0 && text.contains(says), "{text}");
    // An older host, or one with storage.metrics off.
    let silent: Vec<&str> = page.lines().filter(|line| !line.contains("chunks_busy")).collect();
    let (text, code, _) = report(&silent.join("\n"));
    assert!(code == 0 && text.contains("set storage.metrics on"), "{text}");
}
