//! Does the doctor see, within a minute, what a live API server refuses? On a mini host that follows the tests' API server.

use std::thread;
use std::time::Duration;

use event_gateway::clock;
use event_gateway::metrics::cluster::RESOURCES;

use super::examine;
use super::page::Page;
use super::source;
use super::support;
use support::gateway::TestGateway;
use support::host::{Build, MiniHost};
use support::kube_api::{ALL, KubeApi};
use support::started;

const MINUTE: Duration = Duration::from_secs(60);

fn report(host: &mut MiniHost) -> (String, u8) {
    let page = host.exposition();
    examine::report(
        "http://mini-host",
        &[Page::read(&page)],
        source::not_checked(),
        clock::unix_seconds(clock::wall()),
    )
}

/// Waits for this code and this text, a minute at most, and says how long it took.
#[allow(clippy::print_stdout)]
fn seen(host: &mut MiniHost, code: u8, says: &str) -> String {
    let start = clock::monotonic();
    loop {
        let (text, found) = report(host);
        if found == code && text.contains(says) {
            println!("{says:?} after {:.1} s", start.elapsed().as_secs_f64());
            return text;
        }
        assert!(start.elapsed() < MINUTE, "no {code} with {says:?}:\n{text}");
        thread::sleep(Duration::from_millis(200));
    }
}

fn following(api: &KubeApi, gateway: &TestGateway) -> MiniHost {
    started(Build::V5_1_1, gateway, &[("alias", "shop"), ("kube_url", &api.url())])
}

#[test]
fn a_role_cut_down_to_events_is_seen_and_so_is_its_return() {
    let (api, gateway) = (KubeApi::start(), TestGateway::start());
    let mut host = following(&api, &gateway);
    seen(&mut host, 0, "cluster  listed; a message of each resource that is followed");
    for resource in RESOURCES {
        api.forbid(resource);
        // What a real server leaves open until it ends by itself.
        api.close_watches(resource);
    }
    seen(&mut host, 1, "! cluster  all resources not followed: the role does not grant list and watch (403)");
    api.heal(ALL);
    seen(&mut host, 0, "shop: well");
    host.quit();
}

#[test]
fn a_token_that_is_not_valid_is_seen() {
    let (api, gateway) = (KubeApi::start(), TestGateway::start());
    api.require_token("another");
    let mut host = following(&api, &gateway);
    let text =
        seen(&mut host, 1, "all resources not followed: the API server does not accept the token (401)");
    assert!(
        text.contains("! cluster  not listed; no resource is followed; events name no Services"),
        "{text}"
    );
    host.quit();
}

#[test]
fn one_forbidden_resource_is_seen_beside_the_others() {
    let (api, gateway) = (KubeApi::start(), TestGateway::start());
    api.forbid("endpointslices");
    let mut host = following(&api, &gateway);
    let text = seen(&mut host, 1, "cluster  listed; a message of each resource that is followed");
    let says = "! cluster  endpointslices not followed: the role does not grant list and watch (403)";
    assert!(text.contains(says), "{text}");
    host.quit();
}

#[test]
fn an_api_server_that_is_away_is_seen() {
    let (api, gateway) = (KubeApi::start(), TestGateway::start());
    let mut host = following(&api, &gateway);
    seen(&mut host, 0, "cluster  listed; a message of each resource that is followed");
    api.stop();
    seen(&mut host, 1, "all resources not followed: no connection to the API server");
    api.restart();
    seen(&mut host, 0, "shop: well");
    host.quit();
}
