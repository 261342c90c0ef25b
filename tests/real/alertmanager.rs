//! Does a real Alertmanager have every alert that was delivered, with its labels, and none that it calls invalid?
//!
//! ALERTMANAGER names its program, else it is looked for in PATH (`alertmanager`, and `prometheus-alertmanager` as
//! Debian calls it); without one there is nothing to ask.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::real::free_port;
use crate::support;
use crate::waiting::wait_until;
use serde_json::Value;
use support::found::all_found;
use support::host::{Build, Code, MiniHost};
use support::{audit_log, chunk, violations};

fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("ALERTMANAGER") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["alertmanager", "prometheus-alertmanager"];
    std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|program| program.is_file())
}

/// A process that ends with the test.
struct Alertmanager {
    child: Child,
    url: String,
}

impl Alertmanager {
    fn start(program: &Path, folder: &Path) -> Alertmanager {
        let config = folder.join("alertmanager.yml");
        fs::write(&config, "route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n").expect("a file");
        let address = format!("127.0.0.1:{}", free_port());
        let log = fs::File::create(folder.join("log")).expect("a log");
        let child = Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let started = Alertmanager { child, url: format!("http://{address}") };
        wait_until("it is ready", || started.get("/-/ready").is_some());
        started
    }

    fn get(&self, path: &str) -> Option<String> {
        let answer = ureq::get(format!("{}{path}", self.url)).call();
        answer.ok().and_then(|mut answer| answer.body_mut().read_to_string().ok())
    }

    fn labels(&self) -> BTreeSet<String> {
        let alerts = self.get("/api/v2/alerts").expect("an answer");
        let alerts: Vec<Value> = serde_json::from_str(&alerts).expect("JSON");
        alerts.iter().map(|alert| alert["labels"].to_string()).collect()
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The labels of what goes out, as a gateway that takes everything sees them.
fn sent(records: &[u8]) -> BTreeSet<String> {
    let gateway = support::gateway::TestGateway::start();
    let mut host = support::started(Build::V5_1_1, &gateway, &[("format", "alertmanager")]);
    assert_eq!(host.deliver("a", "t", records), Code::Ok);
    host.quit();
    let bodies = gateway.requests().into_iter().map(|request| request.body.clone());
    let alerts = bodies.flat_map(|body| serde_json::from_slice::<Vec<Value>>(&body).expect("an array"));
    alerts.map(|alert| alert["labels"].to_string()).collect()
}

#[test]
#[allow(clippy::print_stdout)]
fn the_alertmanager_has_every_alert() {
    let Some(program) = program() else {
        println!("no Alertmanager here (ALERTMANAGER, PATH)");
        return;
    };
    let mut all = chunk::listed_events();
    all.extend(violations());
    all.extend(audit_log().into_iter().step_by(10));
    let mut records = chunk::of(&all);
    // A time of 2099 among them, and of the year 1.
    records.extend(all_found().iter().flat_map(|record| chunk::v2(record, 1_795_217_333)));
    let wanted = sent(&records);
    assert!(wanted.len() > 100, "{}", wanted.len());

    let folder = tempfile::tempdir().expect("a folder");
    let alertmanager = Alertmanager::start(&program, folder.path());
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", format!("{}/api/v2/alerts", alertmanager.url))
        .set("a", "format", "alertmanager")
        .set("a", "correlate", "off");
    assert_eq!(host.init("a"), 1);
    for _ in 0..2 {
        assert_eq!(host.deliver("a", "t", &records), Code::Ok);
    }
    host.quit();
    wait_until("it has them all", || alertmanager.labels().len() >= wanted.len());
    assert_eq!(alertmanager.labels(), wanted);
    let metrics = alertmanager.get("/metrics").expect("its metrics");
    let invalid = metrics.lines().filter(|line| line.starts_with("alertmanager_alerts_invalid_total{"));
    assert!(invalid.clone().count() > 0 && invalid.clone().all(|line| line.ends_with(" 0")), "{metrics}");
}
