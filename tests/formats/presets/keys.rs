//! Does the key of a service reach it, also a new one, and nobody else? And is a missing or useless one reported at the
//! start?

use std::fs;

use event_gateway::config::{Compress, Credentials};

use super::samples::FORMATS;
use super::services::Scene;
use super::stub::{KEY, SERVICES, Service};
use super::support::event;
use super::support::gateway::Answer;
use super::support::host::{Build, Code, MiniHost};

/// What Init says of these settings beside an endpoint; it must fail.
fn refused(settings: &[(&str, &str)]) -> String {
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", "http://127.0.0.1:1/");
    for (key, value) in settings {
        host.set("a", key, value);
    }
    assert_ne!(host.init("a"), 1, "{settings:?}");
    let said: Vec<_> = host.logs().into_iter().map(|line| line.text).collect();
    host.quit();
    said.join("\n")
}

#[test]
fn without_its_key_a_service_is_not_started() {
    for service in SERVICES.iter().filter(|service| service.is_keyed()) {
        let said = refused(&[("format", service.name)]);
        assert!(said.contains("api_key_file: is not set"), "{}: {said}", service.name);
    }
    assert_eq!(SERVICES.iter().filter(|service| service.is_keyed()).count(), 3);
}

#[test]
fn a_useless_key_is_reported_by_its_file_and_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    let path = file.to_str().expect("UTF-8");
    let short = &KEY[1..];
    for (format, content) in [
        ("pagerduty", short.to_owned()),
        ("pagerduty", format!("{KEY}x")),
        ("datadog", String::new()),
        ("splunk_hec", format!("{short}\n{short}")),
    ] {
        fs::write(&file, &content).expect("a key");
        let said = refused(&[("format", format), ("api_key_file", path)]);
        assert!(said.contains("api_key_file: ") && !said.contains(short), "{format}: {said}");
    }
    fs::write(&file, short).expect("a key");
    let said = refused(&[("format", "pagerduty"), ("api_key_file", path)]);
    assert!(said.contains("has 31 characters"), "{said}");
    // A file for nobody, or one too many.
    let said = refused(&[("format", "loki"), ("api_key_file", path)]);
    assert!(said.contains("api_key_file: is set, but this format does not use it"), "{said}");
    let said = refused(&[("format", "datadog"), ("api_key_file", path), ("bearer_token_file", path)]);
    assert!(said.contains("api_key_file: is the only way"), "{said}");
}

#[test]
fn a_new_key_is_used_without_a_restart_where_it_stands_in_a_header() {
    const NEW: &str = "fedcba9876543210fedcba9876543210";
    for name in ["splunk_hec", "datadog"] {
        let service = Service::named(name);
        let mut scene = Scene::new(service, &[]);
        assert_eq!(scene.deliver(&[event("one", 1, 1)]), Code::Ok);
        scene.exchange_key(NEW);
        service.serve(&scene.gateway, NEW);
        assert_eq!(scene.deliver(&[event("two", 1, 1)]), Code::Ok, "{name}");
        assert_eq!(scene.gateway.request_count(), 2, "{name}: none was wasted on the old key");
        // While the service knows neither, they wait.
        service.serve(&scene.gateway, KEY);
        assert_eq!(scene.deliver(&[event("three", 1, 1)]), Code::Retry);
        assert_eq!(scene.host.wait_log("look at bearer_token_file, api_key_file").level, 1);
        scene.exchange_key(KEY);
        scene.deliver_until_ok(&[event("three", 1, 1)]);
        assert!(scene.letters().is_empty(), "{name}");
        scene.host.quit();
    }
}

#[test]
fn a_key_renewed_under_way_is_found_after_a_403() {
    const NEW: &str = "fedcba9876543210fedcba9876543210";
    let service = Service::named("datadog");
    let mut scene = Scene::new(service, &[]);
    let file = scene.key_file();
    scene.gateway.respond_with(move |request| {
        if request.header("dd-api-key") == Some(NEW) {
            return Answer::status(202);
        }
        fs::write(&file, NEW).expect("a key");
        Answer::status(403)
    });
    assert_eq!(scene.deliver(&[event("one", 1, 1)]), Code::Ok, "within the same delivery");
    assert_eq!(scene.gateway.request_count(), 2);
    scene.host.quit();
}

#[test]
fn no_log_and_no_letter_shows_a_key_that_a_service_sends_back() {
    for service in SERVICES.iter().filter(|service| service.is_keyed()) {
        for status in [400, 403, 503] {
            let mut scene = Scene::new(*service, &[]);
            scene.gateway.respond_with(move |request| {
                let echo = format!("no {:?} {}", request.headers, String::from_utf8_lossy(&request.body));
                Answer::status(status).body(echo.replace("routing_key", "r"))
            });
            scene.deliver(&[event("u", 1, 1)]);
            let said = format!("{:?} {:?}", scene.host.logs(), scene.letters());
            assert!(said.contains("no "), "{said}");
            assert!(!said.contains(KEY), "{} {status}: {said}", service.name);
            scene.host.quit();
        }
    }
}

#[test]
fn settings_of_one_format_fit_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    fs::write(&file, KEY).expect("a key");
    let path = file.to_str().expect("UTF-8");
    for service in SERVICES {
        let name = service.name;
        let format = FORMATS.into_iter().find(|(format, _)| *format == name).expect("a format").1;
        let mut settings = vec![("format", name)];
        settings.extend(service.is_keyed().then_some(("api_key_file", path)));
        let read = super::reading::read_with(&settings).expect("good settings");
        assert_eq!(read.render.format, format);
        assert_eq!(read.credentials != Credentials::None, service.is_keyed());
        let takes_gzip = ["splunk_hec", "loki", "k8stream"].contains(&name);
        assert_eq!(read.compress == Compress::Gzip, takes_gzip, "{name}");
        settings.push(("compress", "gzip"));
        let unpacks_nothing = ["datadog", "alertmanager", "pagerduty", "falco"].contains(&name);
        match super::reading::read_with(&settings) {
            Ok(read) => assert!(!unpacks_nothing && read.compress == Compress::Gzip, "{name}"),
            Err(errors) => {
                assert_eq!(super::reading::keys_of(&errors), ["compress"]);
                assert!(unpacks_nothing, "{name}");
            }
        }
    }
}

#[test]
fn splunk_and_alertmanager_get_the_values_that_were_set() {
    let splunk = [("splunk_index", "kube"), ("splunk_source", "prod"), ("splunk_sourcetype", "kube:all")];
    let mut scene = Scene::new(Service::named("splunk_hec"), &splunk);
    assert_eq!(scene.deliver(&[event("u", 1, 1)]), Code::Ok);
    let taken = scene.taken(Service::named("splunk_hec")).remove(0);
    assert_eq!(
        (&taken["index"], &taken["source"], &taken["sourcetype"]),
        (&"kube".into(), &"prod".into(), &"kube:all".into())
    );
    scene.host.quit();

    let service = Service::named("alertmanager");
    let mut scene = Scene::new(service, &[("alertmanager_expires_after", "90m")]);
    assert_eq!(scene.deliver(&[event("u", 1, 1)]), Code::Ok);
    let taken = scene.taken(service).remove(0);
    assert_eq!(
        (&taken["startsAt"], &taken["endsAt"]),
        (&"2026-11-20T23:28:49Z".into(), &"2026-11-21T00:59:49Z".into())
    );
    scene.host.quit();
    let said = refused(&[("format", "alertmanager"), ("alertmanager_expires_after", "soon")]);
    assert!(said.contains("alertmanager_expires_after: \"soon\" is not a time"), "{said}");
}
