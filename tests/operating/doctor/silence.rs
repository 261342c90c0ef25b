//! Does the doctor find a source that is silent although the API server has events?

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use event_gateway::clock;

use super::examine::examine;
use super::options::Options;
use super::pages::{NOW, page_with};
use super::source::{Access, follow};
use super::support;
use support::certificates::Certificates;
use support::event;
use support::gateway::{Answer, TestGateway};
use support::kube_api::KubeApi;

const INPUT: &str = "kubernetes_events.0";

fn words(words: &[&str]) -> Result<Options, String> {
    Options::read(words.iter().map(|word| (*word).to_owned()), false)
}

fn access(api: &KubeApi, more: &[&str]) -> Access {
    let url = api.url();
    let all: Vec<&str> = ["--kube-url", &url, "--seconds", "4"].iter().chain(more).copied().collect();
    words(&all).expect("good words").access.expect("an access")
}

/// What is found while an event comes every 100 ms.
pub fn while_events_come<T>(api: &KubeApi, work: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                if is_over.load(SeqCst) {
                    break;
                }
                api.add(event(&format!("u{number}"), 1, 1));
                thread::sleep(Duration::from_millis(100));
            }
        });
        let found = work();
        is_over.store(true, SeqCst);
        found
    })
}

#[test]
fn a_source_that_reads_nothing_is_trouble_and_one_that_reads_is_not() {
    let api = KubeApi::holding([event("old", 1, 1)]);
    let access = access(&api, &[]);
    let silent = while_events_come(&api, || follow(&access, || vec![INPUT.to_owned()]));
    assert!(
        silent.is_trouble
            && silent.text.starts_with(&format!("{INPUT} silent although the API server {} had ", api.url())),
        "{silent:?}"
    );
    assert!(silent.text.contains("kube_url and kube_token_file"), "{silent:?}");

    let start = clock::monotonic();
    let reads = while_events_come(&api, || follow(&access, Vec::new));
    assert!(
        !reads.is_trouble && reads.text.starts_with(&format!("reads: the API server {} had ", api.url())),
        "{reads:?}"
    );
    assert!(start.elapsed() < Duration::from_secs(30), "it is known as soon as something was read");
    // Each watch went on where the one before it ended, and none began with the past.
    let watches = api.requests().into_iter().filter(|request| request.is_watch());
    assert!(
        watches
            .map(|watch| watch.parameter("resourceVersion").expect("a version").to_owned())
            .all(|v| v != "0")
    );
}

#[test]
fn without_events_nothing_can_be_said() {
    let api = KubeApi::holding([event("old", 1, 1)]);
    let quiet = follow(&access(&api, &[]), || panic!("nothing came, so nothing is compared"));
    assert!(
        !quiet.is_trouble
            && quiet.text.contains("no event in ")
            && quiet.text.contains("nothing can be said")
    );
    assert!(words(&[]).expect("no words").access.is_none(), "without access the source is not followed");
}

#[test]
fn an_access_that_does_not_work_is_said() {
    let api = KubeApi::start();
    api.forbid("events");
    let refused = follow(&access(&api, &[]), Vec::new);
    assert!(refused.is_trouble && refused.text.contains("list and watch on events (403)"), "{refused:?}");
    api.heal("events");
    api.require_token("right");
    let refused = follow(&access(&api, &[]), Vec::new);
    assert!(refused.is_trouble && refused.text.contains("does not accept the token (401)"), "{refused:?}");
    let gone = access(&api, &[]);
    api.stop();
    let refused = follow(&gone, Vec::new);
    assert!(refused.is_trouble && refused.text.starts_with("could not be checked at http://"), "{refused:?}");
}

#[test]
fn token_and_authority_are_read_from_their_files() {
    let certificates = Certificates::new();
    let api = KubeApi::start_tls(&certificates.server());
    api.require_token("right");
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "right\n").expect("a token");
    let (token, ca) = (token.display().to_string(), certificates.file("ca.pem").display().to_string());
    let found = |more: &[&str]| follow(&access(&api, more), Vec::new);
    assert!(!found(&["--token-file", &token, "--ca-file", &ca]).is_trouble);
    assert!(!found(&["--token-file", &token, "--insecure"]).is_trouble);
    assert!(found(&["--token-file", &token]).is_trouble, "nobody vouches for it");
    assert!(found(&["--ca-file", &ca]).is_trouble, "no token");
}

/// A page that stands still beside an API server that has events: the exit code says so.
#[test]
fn the_report_of_a_silent_source_is_not_well() {
    let (api, host) = (KubeApi::start(), TestGateway::start());
    let now = clock::unix_seconds(clock::wall());
    let page = page_with("shop", &[("published_timestamp_seconds", now)]);
    host.set_default(Answer::ok().body(page.replace(&(NOW - 4).to_string(), &now.to_string())));
    let url = host.url().replace("/events", "");
    let api_url = api.url();
    let options = words(&[&url, "--kube-url", &api_url, "--seconds", "3"]).expect("good words");
    let found = while_events_come(&api, || examine(&options));
    assert!(
        found.1 == 1 && found.0.contains("! source   kubernetes_events.0 silent although"),
        "{}",
        found.0
    );
}

#[test]
fn words_that_are_wrong_are_refused() {
    for bad in [
        &["--kube-url"][..],
        &["--token"],
        &["--input"],
        &["--seconds", "0"],
        &["--seconds", "soon"],
        &["http://a", "http://b"],
    ] {
        assert!(words(bad).is_err(), "{bad:?}");
    }
    let options =
        words(&["http://a", "", "--kube-url", "http://b", "--namespace", "shop"]).expect("good words");
    let access = options.access.expect("an access");
    assert_eq!(
        (&*options.url, &*access.url, access.namespace.as_deref()),
        ("http://a", "http://b", Some("shop"))
    );
}
