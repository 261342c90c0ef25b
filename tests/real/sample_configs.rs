//! Are the samples in fluent-bit-conf/ true, complete and of use: every key with its real default, and a
//! real Fluent Bit that delivers with them?
#![allow(clippy::disallowed_methods)] // a test that waits reads the clock, where the plugin may not

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{real, support};
use event_gateway::config::keys::KEYS;

use real::{BOUND, assert_once, counts, on_every_host};
use support::chunk;
use support::fluent_bit::FluentBit;
use support::gateway::TestGateway;
use support::host::MiniHost;
use support::kube_api::KubeApi;

const SAMPLES: [&str; 2] = ["fluent-bit.conf", "fluent-bit.yaml"];
/// What an output has besides our keys: the host's own.
const HOST_KEYS: &[&str] = &["name", "match", "retry_limit", "storage.total_limit_size"];

fn sample(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fluent-bit-conf").join(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A key as a sample shows it.
#[derive(Debug)]
struct Shown {
    value: String,
    commented: bool,
    /// The lines of comment right above it.
    comment: String,
}

/// The keys of one section, those that are commented out (`#key`, without a space) included. Both formats
/// are read line by line: what is looked for stands in comments, which no parser keeps.
fn section(text: &str, name: &str) -> BTreeMap<String, Shown> {
    let is_head = |line: &str| {
        let line = line.trim();
        line.starts_with('[') || ["service:", "pipeline:", "inputs:", "outputs:"].contains(&line)
    };
    let wanted = [format!("[{}]", name.to_uppercase()), format!("{name}s:"), format!("{name}:")];
    let lines = text.lines().skip_while(|line| !wanted.contains(&line.trim().to_owned())).skip(1);
    let (mut keys, mut comment) = (BTreeMap::new(), String::new());
    for line in lines.take_while(|line| !is_head(line)) {
        let line = line.trim().trim_start_matches("- ");
        if let Some(prose) = line.strip_prefix("# ") {
            comment = format!("{comment} {prose}");
            continue;
        }
        let bare = line.trim_start_matches('#');
        if let Some((key, value)) = bare.split_once(char::is_whitespace) {
            let value = value.trim().trim_matches('"').to_owned();
            let shown = Shown { value, commented: bare != line, comment: comment.clone() };
            let twice = keys.insert(key.trim_end_matches(':').to_owned(), shown);
            assert!(twice.is_none(), "{key} stands there twice");
        }
        comment.clear();
    }
    keys
}

#[test]
fn the_samples_show_every_key_with_its_true_default_and_no_other() {
    for name in SAMPLES {
        let keys = section(&sample(name), "output");
        for key in KEYS {
            let Some(shown) = keys.get(key.name) else { panic!("{name}: {} is missing", key.name) };
            let default = match key.default {
                Some(default) => format!("Default: {default}."),
                None if key.name == "endpoint" => "Required.".to_owned(),
                None => "Default: not set".to_owned(),
            };
            assert!(shown.comment.contains(&default), "{name}: no {default:?} above {}: {shown:?}", key.name);
            if let (true, Some(default)) = (shown.commented, key.default) {
                assert_eq!(shown.value, default, "{name}: {}", key.name);
            }
        }
        let known = |key: &str| HOST_KEYS.contains(&key) || KEYS.iter().any(|known| known.name == key);
        let unknown: Vec<_> = keys.keys().filter(|key| !known(key)).collect();
        assert!(unknown.is_empty(), "{name}: there are no such keys: {unknown:?}");
    }
}

#[test]
fn the_samples_hold_what_keeps_events_safe() {
    for name in SAMPLES {
        let text = sample(name);
        let (service, input) = (section(&text, "service"), section(&text, "input"));
        let output = section(&text, "output");
        let active = |keys: &BTreeMap<String, Shown>, key: &str| {
            keys.get(key).filter(|shown| !shown.commented).map(|shown| shown.value.clone())
        };
        assert_eq!(active(&input, "name").as_deref(), Some("kubernetes_events"), "{name}");
        assert!(input.keys().all(|key| !key.starts_with("db")), "{name}: with db every update is lost");
        assert_eq!(active(&input, "storage.type").as_deref(), Some("filesystem"), "{name}");
        assert!(active(&service, "storage.path").is_some(), "{name}");
        assert_eq!(active(&output, "retry_limit").as_deref(), Some("no_limits"), "{name}");
        assert!(active(&output, "state_file").is_some(), "{name}");
        assert!(!output.contains_key("workers"), "{name}");
        assert_eq!(active(&service, "hot_reload.ensure_thread_safety").as_deref(), Some("off"), "{name}");
        let cap = active(&service, "scheduler.cap").expect("a cap").parse::<u64>().expect("seconds");
        assert!(cap <= 60, "{name}: a gateway that is back would wait for {cap} s");
    }
}

#[test]
fn both_samples_say_the_same() {
    let [classic, yaml] = SAMPLES.map(sample);
    for name in ["service", "input", "output"] {
        let shown = |text| format!("{:#?}", section(text, name));
        assert_eq!(shown(&classic), shown(&yaml), "{name}");
    }
}

#[test]
fn a_real_host_delivers_with_the_samples() {
    on_every_host(|fluent_bit, folder| {
        for name in SAMPLES {
            let folder = folder.join(name);
            fs::create_dir(&folder).expect("a folder");
            let events = chunk::listed_events();
            let mut wanted: Vec<_> = events.iter().map(chunk::event_id).collect();
            let mut fresh = events[0].clone();
            fresh["metadata"]["uid"] = "fresh".into();
            let (api, gateway) = (KubeApi::holding(events), TestGateway::start());
            install(name, &folder, &api.url());

            let mut dry = Host::start(fluent_bit, &folder, name, &gateway.url(), &["--dry-run"]);
            let status = dry.wait();
            assert!(dry.log().contains("configuration test is successful"), "{}", dry.log());
            // 2.2.3 then crashes in its own kubernetes_events, with any output.
            let crashes = fluent_bit.version < (3, 0, 0);
            assert!(status.success() || crashes, "{status}; it says:\n{}", dry.log());
            let mut host = Host::start(fluent_bit, &folder, name, &gateway.url(), &[]);
            gateway.wait_for_ids(wanted.len());
            host.signal(libc::SIGHUP);
            host.wait_for_log("] delivers to ", 2);
            wanted.push(chunk::event_id(&api.add(fresh)));
            gateway.wait_for_ids(wanted.len());
            host.signal(libc::SIGTERM);
            let status = host.wait();
            assert!(status.success(), "{status}; its log:\n{}", host.log());
            let delivered: Vec<u64> = counts(&host.log()).iter().map(|count| count.delivered).collect();
            assert_eq!(
                delivered,
                [wanted.len() as u64 - 1, 1],
                "before and after the reload:\n{}",
                host.log()
            );
            assert_once(&gateway, &wanted);
            assert_eq!(gateway.accepted_records()[0]["cluster"], "test-cluster");
            for made in ["state/event-gateway.ledger", "state/storage"] {
                assert!(folder.join(made).exists(), "{name}: no {made}");
            }
        }
    });
}

/// Puts a sample into the folder as a user would: with the folder's paths, and with the API server of the
/// test, whose events are old.
fn install(name: &str, folder: &Path, api_url: &str) {
    let here = format!("{}/", folder.display());
    for file in [name, "plugins.conf"] {
        let mut text = sample(file).replace("/fluent-bit/etc/", &here).replace("/fluent-bit/", &here);
        let token = format!("{here}token");
        for (key, value) in
            [("kube_retention_time", "3650d"), ("kube_url", api_url), ("kube_token_file", &token)]
        {
            text = with_value(&text, key, value);
        }
        fs::write(folder.join(file), text).expect("a sample in place");
    }
    fs::write(folder.join("token"), "a-token").expect("a token");
    fs::create_dir(folder.join("state")).expect("the disk that stays");
    let image = fs::canonicalize(MiniHost::plugin_path()).expect("a built plugin");
    symlink(image, folder.join("out_event_gateway.so")).expect("a link to the plugin");
    symlink("out_event_gateway.so", folder.join("flb-filter_service_impact.so")).expect("its second name");
}

/// Sets a key, and uncomments it where it is commented out.
fn with_value(text: &str, key: &str, value: &str) -> String {
    let change = |line: &str| {
        let bare = line.trim_start().trim_start_matches('#');
        let rest = bare.strip_prefix(key)?;
        let colon = if rest.starts_with(':') { ":" } else { "" };
        let indent = &line[..line.len() - line.trim_start().len()];
        rest.starts_with([':', ' ']).then(|| format!("{indent}{key}{colon} {value}"))
    };
    let lines = text.lines().map(|line| change(line).unwrap_or_else(|| line.to_owned()) + "\n");
    lines.collect()
}

/// A Fluent Bit with a configuration file of any format, which `FluentBit::start` cannot give it.
struct Host {
    child: Child,
    log_file: std::path::PathBuf,
}

impl Host {
    fn start(fluent_bit: &FluentBit, folder: &Path, config: &str, endpoint: &str, more: &[&str]) -> Host {
        let log_file = folder.join(format!("log{}.txt", more.len()));
        let log = File::create(&log_file).expect("a log file");
        let child = Command::new(&fluent_bit.path)
            .arg("-c")
            .arg(folder.join(config))
            .args(more)
            .current_dir(folder)
            .env("EVENT_GATEWAY_ENDPOINT", endpoint)
            .env("CLUSTER_NAME", "test-cluster")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("a started Fluent Bit");
        Host { child, log_file }
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log_file).unwrap_or_default()).into_owned()
    }

    #[allow(unsafe_code)]
    fn signal(&mut self, signal: i32) {
        assert!(self.child.try_wait().expect("its state").is_none(), "it has ended:\n{}", self.log());
        let pid = i32::try_from(self.child.id()).expect("a pid");
        // SAFETY: kill(2) touches no memory; the child was not waited for, so the pid is its own.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    fn wait_for_log(&self, text: &str, times: usize) {
        let start = Instant::now();
        while self.log().matches(text).count() < times {
            assert!(start.elapsed() < BOUND, "no {text:?} {times} times in the log:\n{}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status;
            }
            assert!(start.elapsed() < BOUND, "it does not end; its log:\n{}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
