//! Does each service get its records in its own way, and is its answer taken for what it means?
//!
//! The services are stubs of their specifications (`stub`); the plugin is the real one, in the mini host.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use event_gateway::clock;
use serde_json::Value;

use super::chunk;
use super::samples::{holds_events_only, odd_one};
use super::stub::{KEY, POISON, SERVICES, Service, answer};
use super::support::gateway::TestGateway;
use super::support::host::{Build, Code, MiniHost};
use super::support::{audit_log, event, violations};

/// A service, the plugin that sends to it, and its files.
pub struct Scene {
    pub gateway: TestGateway,
    pub host: MiniHost,
    folder: tempfile::TempDir,
}

impl Scene {
    pub fn new(service: Service, settings: &[(&str, &str)]) -> Self {
        let (gateway, folder) = (TestGateway::start(), tempfile::tempdir().expect("a folder"));
        service.serve(&gateway, KEY);
        let mut host = MiniHost::start(Build::V5_1_1);
        host.set("a", "endpoint", service.url(&gateway)).set("a", "format", service.name);
        host.set("a", "dead_letter_file", path(&folder.path().join("dead")));
        if service.is_keyed() {
            fs::write(folder.path().join("key"), format!("{KEY}\n")).expect("a key");
            host.set("a", "api_key_file", path(&folder.path().join("key")));
        }
        for (key, value) in settings {
            host.set("a", key, value);
        }
        assert_eq!(host.init("a"), 1);
        Self { gateway, host, folder }
    }

    pub fn key_file(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    pub fn exchange_key(&self, key: &str) {
        fs::write(self.key_file(), key).expect("a key");
    }

    pub fn deliver(&mut self, records: &[Value]) -> Code {
        self.host.deliver("a", "t", &chunk::of(records))
    }

    /// Brings it again until it goes through, as the host does.
    pub fn deliver_until_ok(&mut self, records: &[Value]) {
        let since = clock::monotonic();
        while self.deliver(records) != Code::Ok {
            assert!(clock::monotonic() - since < Duration::from_secs(60), "it is never taken");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The records of requests that were answered with 2xx.
    pub fn taken(&self, service: Service) -> Vec<Value> {
        let requests = self.gateway.requests();
        let taken = requests.iter().filter(|request| request.accepted());
        taken.flat_map(|request| service.records(request).expect("its form")).collect()
    }

    pub fn letters(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.path().join("dead")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Events, and one of each other kind.
fn some_of_each() -> (Vec<Value>, usize) {
    let mut all = chunk::chosen_events();
    let events = all.len();
    all.push(audit_log().swap_remove(0));
    all.push(violations().swap_remove(0));
    all.push(odd_one());
    (all, events)
}

#[test]
fn each_service_takes_what_comes_and_only_the_stand_ins_dead_letter_what_is_no_event() {
    for service in SERVICES {
        let mut scene = Scene::new(service, &[("cluster_name", "prod-eu")]);
        let (all, events) = some_of_each();
        assert_eq!(scene.deliver(&all), Code::Ok, "{}: {:?}", service.name, scene.host.logs());
        let (taken, away) = (scene.taken(service).len(), scene.letters());
        let expected = if holds_events_only(service.name) { events } else { all.len() };
        assert_eq!((taken, away.len()), (expected, all.len() - expected), "{}: {away:?}", service.name);
        for letter in &away {
            let answer = letter["answer"].as_str().expect("a reason");
            assert!(answer.contains("Kubernetes events only"), "{answer}");
            assert_eq!(letter["reason"], "the format cannot hold it");
        }
        // A repetition of what was delivered goes nowhere; only what has no name comes again.
        let requests = scene.gateway.request_count();
        assert_eq!(scene.deliver(&all[..all.len() - 1]), Code::Ok);
        assert_eq!(scene.gateway.request_count(), requests, "{}", service.name);
        scene.host.quit();
    }
}

#[test]
fn what_a_service_rejects_is_dead_lettered_and_the_rest_is_delivered() {
    for service in SERVICES {
        let mut scene = Scene::new(service, &[]);
        let mut all: Vec<Value> = (0..20).map(|number| event(&format!("u{number}"), 1, 1)).collect();
        all[7]["message"] = POISON.into();
        assert_eq!(scene.deliver(&all), Code::Ok, "{}", service.name);
        let letters = scene.letters();
        assert_eq!(letters.len(), 1, "{}: {letters:?}", service.name);
        assert_eq!(
            (&letters[0]["status"], &letters[0]["id"]),
            (&service.rejects_with().into(), &"u7.1".into())
        );
        assert_eq!(scene.taken(service).len(), 19, "{}", service.name);
        scene.host.quit();
    }
}

#[test]
fn a_busy_service_gets_its_records_later() {
    for service in SERVICES {
        let mut scene = Scene::new(service, &[]);
        let all = [event("u", 1, 1)];
        // As many as the quick tries are.
        for _ in 0..3 {
            scene.gateway.answer(service.busy());
        }
        assert_eq!(scene.deliver(&all), Code::Retry, "{}", service.name);
        scene.deliver_until_ok(&all);
        assert_eq!((scene.taken(service).len(), scene.letters().len()), (1, 0), "{}", service.name);
        scene.host.quit();
    }
}

#[test]
fn a_rejection_of_all_records_dead_letters_none() {
    let cases = [
        ("splunk_hec", (200, r#"{"text":"HEC is healthy","code":17}"#), "whose path should be"),
        (
            "splunk_hec",
            (400, r#"{"text":"Incorrect index","code":7,"invalid-event-number":1}"#),
            "look at splunk_index",
        ),
        ("splunk_hec", (400, r#"{"text":"Data channel is missing","code":10}"#), "X-Splunk-Request-Channel"),
        ("loki", (260, "ingestion is blocked"), "block_ingestion_until"),
        ("loki", (400, "see `limits_config.allow_structured_metadata`"), "structured metadata"),
        ("pagerduty", (400, r#"{"errors":["Invalid routing key"]}"#), "look at api_key_file"),
    ];
    for (name, words, remedy) in cases {
        let service = Service::named(name);
        let mut scene = Scene::new(service, &[]);
        let all = [event("u", 1, 1), event("v", 1, 1)];
        scene.gateway.answer(answer(words));
        assert_eq!(scene.deliver(&all), Code::Retry, "{name} {words:?}");
        let line = scene.host.wait_log(remedy);
        assert_eq!(line.level, 1, "an ERROR: {line:?}");
        assert_eq!(scene.gateway.request_count(), 1, "{name} {words:?}");
        scene.deliver_until_ok(&all);
        assert!(scene.letters().is_empty(), "{name} {words:?}: {:?}", scene.letters());
        let requests = scene.gateway.requests();
        let after = requests[1..].iter().flat_map(|request| service.records(request).expect("its form"));
        assert_eq!(after.count(), 2, "{name} {words:?}");
        scene.host.quit();
    }
}
