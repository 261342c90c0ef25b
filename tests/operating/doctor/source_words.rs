//! Which source does the doctor look at, and which inputs should have read it?

use event_gateway::clock;

use super::examine::examine;
use super::inputs::Silent;
use super::options::Options;
use super::page::Page;
use super::pages::{NOW, page_with};
use super::silence::while_events_come;
use super::source::{Access, follow};
use super::support::gateway::{Answer, TestGateway};
use super::support::kube_api::KubeApi;

const POD_URL: &str = "https://kubernetes.default.svc";

fn in_a_pod(words: &[&str]) -> Option<Access> {
    Options::read(words.iter().map(|word| (*word).to_owned()), true).expect("good words").access
}

/// Elsewhere Fluent Bit may read another cluster.
#[test]
fn only_beside_fluent_bit_is_the_pods_own_api_server_followed_unasked() {
    for beside in ["http://127.0.0.1:2020", "localhost:2021", "http://[::1]:2020/api", "127.0.0.9"] {
        let access = in_a_pod(&[beside]).expect("the pod's own");
        assert!(access.url == POD_URL && access.is_automatic, "{beside}: {access:?}");
        assert!(in_a_pod(&[beside, "--no-source"]).is_none());
    }
    assert!(in_a_pod(&[]).is_some(), "the default is a loopback address");
    for elsewhere in ["http://fluent-bit.logging.svc:2020", "http://10.1.2.3:2020", "[fd00::1]:2020"] {
        assert!(in_a_pod(&[elsewhere]).is_none(), "{elsewhere}");
    }
    let asked = in_a_pod(&["http://10.1.2.3", "--kube-url", "https://kubernetes.default.svc/"]);
    assert!(!asked.expect("it was asked for").is_automatic);
}

#[test]
fn an_automatic_check_that_fails_is_no_trouble() {
    let api = KubeApi::start();
    api.forbid("events");
    let mut access = in_a_pod(&["--kube-url", &api.url()]).expect("an access");
    assert!(follow(&access, Vec::new).is_trouble, "somebody asked for it");
    access.is_automatic = true;
    let found = follow(&access, Vec::new);
    let says = format!("could not be checked at {}: ", api.url());
    assert!(!found.is_trouble && found.text.starts_with(&says), "{found:?}");
    assert!(found.text.ends_with("; --no-source skips this check"), "{found:?}");
}

fn page(inputs: &[(&str, u64)]) -> Page {
    let line = |(name, records): &(&str, u64)| {
        format!("fluentbit_input_records_total{{name=\"{name}\"}} {records}\n")
    };
    Page::read(&inputs.iter().map(line).collect::<String>())
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn each_input_of_events_is_judged_alone() {
    let first = page(&[("kubernetes_events.0", 7), ("kubernetes_events.1", 7), ("tail.2", 7)]);
    let mut silent = Silent::on(&first, &[]).expect("their names say so");
    silent.look_at(&page(&[("kubernetes_events.0", 7), ("kubernetes_events.1", 9), ("tail.2", 99)]));
    assert_eq!(silent.names(), ["kubernetes_events.0"]);
    // A counter that fell has begun again, and what it reads then counts.
    silent.look_at(&page(&[("kubernetes_events.0", 0)]));
    assert_eq!(silent.names(), ["kubernetes_events.0"]);
    silent.look_at(&page(&[("kubernetes_events.0", 1)]));
    assert_eq!(silent.names(), [""; 0]);
}

#[test]
fn an_input_under_an_alias_is_known_only_by_its_name() {
    let first = page(&[("shop-events", 7), ("tail.2", 7)]);
    let why = Silent::on(&first, &[]).expect_err("nothing says so");
    assert!(
        why.contains("it is not known which input reads events") && why.contains("--input NAME"),
        "{why}"
    );
    let mut silent = Silent::on(&first, &named(&["shop-events"])).expect("it is there");
    silent.look_at(&page(&[("shop-events", 7), ("tail.2", 99)]));
    assert_eq!(silent.names(), ["shop-events"]);
    let why = Silent::on(&first, &named(&["shop-event"])).expect_err("an error");
    assert_eq!(why, "the page has no input shop-event, but shop-events, tail.2");
}

/// The report on a page whose only input has an alias, beside an API server that has events.
#[test]
fn the_report_names_the_input_that_was_asked_for() {
    let (api, host) = (KubeApi::start(), TestGateway::start());
    let now = clock::unix_seconds(clock::wall());
    let page = page_with("shop", &[("published_timestamp_seconds", now)]);
    let page = page.replace(&(NOW - 4).to_string(), &now.to_string());
    host.set_default(Answer::ok().body(page.replace("kubernetes_events.0", "of-shop")));
    let (url, api_url) = (host.url().replace("/events", ""), api.url());
    let asked = |more: &[&str]| {
        let words = [&[&*url, "--kube-url", &api_url, "--seconds", "3"][..], more].concat();
        let options = Options::read(words.into_iter().map(str::to_owned), false).expect("good words");
        while_events_come(&api, || examine(&options))
    };
    let (text, code) = asked(&[]);
    assert!(code == 0 && text.contains("  source   it is not known which input reads events"), "{text}");
    let (text, code) = asked(&["--input", "of-shop"]);
    assert!(code == 1 && text.contains("! source   of-shop silent although"), "{text}");
    let (text, code) = asked(&["--input", "of-shops"]);
    assert!(code == 1 && text.contains("! source   the page has no input of-shops"), "{text}");
}
