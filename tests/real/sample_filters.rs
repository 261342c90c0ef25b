//! Are the samples with the filter true and complete, and does a real Fluent Bit run with them?
#![allow(clippy::disallowed_methods)] // a test that waits reads the clock, where the plugin may not

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::{real, support};
use event_gateway::config::keys::FILTER_KEYS;

use real::{BOUND, on_every_host};
use support::chunk;
use support::fluent_bit::FluentBit;
use support::host::MiniHost;
use support::kube_api::KubeApi;

const SAMPLES: [&str; 2] = ["service-impact.conf", "service-impact.yaml"];

fn sample(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fluent-bit-conf").join(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The keys of the filter as a sample shows them: name, value, and the comment above.
fn shown(text: &str) -> Vec<(String, String, String)> {
    let mut lines = text.lines().map(|line| line.trim().trim_start_matches("- "));
    let _ = lines.find(|line| line.starts_with("name") && line.ends_with("service_impact"));
    let (mut keys, mut comment) = (Vec::new(), String::new());
    for line in lines.take_while(|line| !line.starts_with('[') && !line.ends_with("outputs:")) {
        if let Some(prose) = line.strip_prefix("# ") {
            comment = format!("{comment} {prose}");
        } else if let Some((key, value)) = line.trim_start_matches('#').split_once(' ') {
            let key = key.trim_end_matches(':').to_owned();
            keys.push((key, value.trim().trim_matches('"').to_owned(), std::mem::take(&mut comment)));
        }
    }
    keys
}

#[test]
fn the_samples_show_every_key_with_its_true_default_and_no_other() {
    for name in SAMPLES {
        let keys = shown(&sample(name));
        for key in FILTER_KEYS {
            let Some((_, value, comment)) = keys.iter().find(|(known, _, _)| known == key.name) else {
                panic!("{name}: {} is missing", key.name)
            };
            let default =
                key.default.map_or("Default: not set.".to_owned(), |default| format!("Default: {default}."));
            assert!(comment.contains(&default), "{name}: no {default:?} above {}: {comment}", key.name);
            assert!(key.default.is_none_or(|default| default == value), "{name}: {}", key.name);
        }
        let unknown: Vec<_> = keys
            .iter()
            .filter(|(key, _, _)| key != "match" && FILTER_KEYS.iter().all(|known| known.name != key))
            .collect();
        assert!(unknown.is_empty(), "{name}: there are no such keys: {unknown:?}");
        assert!(!sample(name).contains("\n    db "), "{name}: with db every update is lost");
    }
}

/// The sample without the section of one output.
fn without(text: &str, output: &str) -> String {
    let sections = text.split("\n\n");
    let of_it = |section: &&str| {
        section.lines().any(|line| {
            let words: Vec<&str> = line.split([' ', ':', '-']).filter(|word| !word.is_empty()).collect();
            words == ["name", output]
        })
    };
    let kept: Vec<&str> = sections
        .map(|section| match section.strip_prefix("  outputs:\n").filter(|rest| of_it(rest)) {
            Some(_) => "  outputs:",
            None => section,
        })
        .filter(|section| !of_it(section))
        .collect();
    kept.join("\n\n")
}

fn knows(fluent_bit: &FluentBit, output: &str) -> bool {
    let help = Command::new(&fluent_bit.path).arg("--help").output().expect("its help");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let outputs = help.split("Outputs").nth(1).unwrap_or_default();
    outputs.lines().any(|line| line.split_whitespace().next() == Some(output))
}

/// Puts a sample into the folder as a user would, with the test's API server, whose events are old.
fn install(text: &str, folder: &Path, api_url: &str) -> String {
    let here = format!("{}/", folder.display());
    fs::create_dir_all(folder.join("state")).expect("the disk that stays");
    let in_place = |text: &str| text.replace("/fluent-bit/etc/", &here).replace("/fluent-bit/", &here);
    fs::write(folder.join("plugins.conf"), in_place(&sample("plugins.conf"))).expect("plugins.conf");
    fs::write(folder.join("token"), "a-token").expect("a token");
    let image = fs::canonicalize(MiniHost::plugin_path()).expect("a built plugin");
    for (target, name) in [
        (image.as_path(), "out_event_gateway.so"),
        (Path::new("out_event_gateway.so"), "flb-filter_service_impact.so"),
    ] {
        let _ = fs::remove_file(folder.join(name));
        symlink(target, folder.join(name)).expect("a link");
    }
    let lines = in_place(text).replace("kube_retention_time 1h", "kube_retention_time 3650d");
    let lines = lines.replace("kube_retention_time: 1h", "kube_retention_time: 3650d");
    let lines = lines.replacen("#kube_url https://kubernetes.default.svc", &format!("kube_url {api_url}"), 1);
    let lines =
        lines.replacen("#kube_url: https://kubernetes.default.svc", &format!("kube_url: {api_url}"), 1);
    let token = format!("{here}token");
    let set = |line: &str| match line.trim().strip_prefix("#kube_token_file") {
        Some(rest) => {
            let colon = if rest.starts_with(':') { ":" } else { "" };
            let indent = &line[..line.len() - line.trim_start().len()];
            format!("{indent}kube_token_file{colon} {token}\n")
        }
        None => format!("{line}\n"),
    };
    lines.lines().map(set).collect()
}

#[test]
fn a_real_host_runs_with_the_samples() {
    on_every_host(|fluent_bit, folder| {
        for name in SAMPLES {
            let folder = folder.join(name);
            fs::create_dir(&folder).expect("a folder");
            let events = chunk::listed_events();
            let api = KubeApi::holding(events.clone());
            // Kafka needs a library that not every build has; and S3 asks the network for credentials.
            let mut text = sample(name);
            if !knows(fluent_bit, "kafka") {
                text = without(&text, "kafka");
            }
            // Not the exit code: a dry run of 2.2 with a processor crashes behind its verdict, in
            // flb_input_exit_all.
            let (_, said) = fluent_bit.dry_run_of(name, &install(&text, &folder, &api.url()), &folder);
            assert!(said.contains("configuration test is successful"), "{name}: {said}");

            let text = without(&without(&text, "kafka"), "s3");
            assert!(!text.contains("s3\n"), "{text}");
            let mut host = fluent_bit.start_of(name, &install(&text, &folder, &api.url()), &folder);
            for event in &events {
                let uid = event["metadata"]["uid"].as_str().expect("a uid");
                host.wait_for_log(&format!("\"uid\":\"{uid}\""), BOUND);
            }
            host.sigterm();
            assert!(host.wait_for_exit(BOUND).success(), "{}", host.log());
            let log = host.log();
            assert!(!log.contains("managedFields"), "{name}");
            assert!(log.contains("[filter:service_impact:"), "{log}");
        }
    });
}
