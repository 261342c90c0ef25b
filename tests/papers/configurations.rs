//! Does every configuration that is shown keep its chunks on the disk, and is there one namespace throughout?
//!
//! Chunks in memory die with the process, and the API server does not have all of them again.

use std::fs;
use std::path::Path;

const NAMESPACE: &str = "event-gateway";

fn text(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a file of the repository")
}

/// Documents, and files that are configurations as a whole.
const DOCUMENTS: [&str; 4] = ["README.md", "docs/sources.md", "docs/guarantees.md", "docs/metrics.md"];
const CLASSIC: [&str; 2] = ["fluent-bit-conf/fluent-bit.conf", "fluent-bit-conf/service-impact.conf"];
const YAML: [&str; 2] = ["fluent-bit-conf/fluent-bit.yaml", "fluent-bit-conf/service-impact.yaml"];

/// The configurations with an input, each with where it is shown.
fn classic() -> Vec<(String, String)> {
    let of_document = |file: &str| {
        let text = text(file);
        let blocks: Vec<String> = text
            .split("```ini\n")
            .skip(1)
            .map(|block| block.split("```").next().unwrap_or_default().to_owned())
            .collect();
        blocks.into_iter().map(|block| (file.to_owned(), block)).collect::<Vec<_>>()
    };
    let whole = CLASSIC.iter().map(|file| ((*file).to_owned(), text(file)));
    let all = DOCUMENTS.iter().flat_map(|file| of_document(file)).chain(whole);
    all.filter(|(_, text)| text.contains("[INPUT]")).collect()
}

/// What keeps a configuration's chunks from the disk.
fn in_memory(config: &str) -> Vec<String> {
    let sections = config.split("\n[").map(|section| section.trim_start_matches('['));
    let has = |section: &str, key: &str, value: &str| {
        section.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(key) && words.next().is_some_and(|word| value.is_empty() || word == value)
        })
    };
    let mut wrong = Vec::new();
    let mut is_kept = false;
    for section in sections {
        is_kept |= section.starts_with("SERVICE]") && has(section, "storage.path", "");
        if section.starts_with("INPUT]") && !has(section, "storage.type", "filesystem") {
            wrong.push(format!("an input without storage.type filesystem: [{section}"));
        }
    }
    if !is_kept {
        wrong.push(format!("no storage.path: {config}"));
    }
    wrong
}

#[test]
fn every_configuration_keeps_its_chunks_on_the_disk() {
    let configurations = classic();
    assert!(configurations.len() >= 18, "{} configurations", configurations.len());
    for (file, config) in configurations {
        assert_eq!(in_memory(&config), [""; 0], "{file}");
    }
    for file in YAML {
        let text = text(file);
        let lines = |key: &str| text.lines().filter(|line| line.trim_start().starts_with(key)).count();
        assert_eq!(lines("storage.path:"), 1, "{file}");
        assert!(lines("storage.type: filesystem") >= 1, "{file}");
    }
}

#[test]
fn there_is_one_namespace() {
    for file in DOCUMENTS.iter().chain(&["fluent-bit-conf/kubernetes/rbac.yaml"]) {
        let text = text(file);
        let named = [
            ("kubectl -n ", ' '),
            ("fluent-bit.", '.'),
            ("\n  namespace: ", '\n'),
            ("\n    namespace: ", '\n'),
        ];
        for (before, after) in named {
            for rest in text.split(before).skip(1) {
                let name = rest.split(after).next().unwrap_or_default();
                let is_service = before != "fluent-bit." || rest[name.len()..].starts_with(".svc");
                assert!(!is_service || name == NAMESPACE, "{file}: {before}{name}");
            }
        }
    }
}

/// A check that cannot fail checks nothing.
#[test]
fn the_check_finds_chunks_in_memory() {
    let good = "[SERVICE]\n    storage.path /x\n[INPUT]\n    name a\n    storage.type filesystem\n\
                [OUTPUT]\n    name b\n";
    assert_eq!(in_memory(good), [""; 0]);
    for line in ["    storage.path /x\n", "    storage.type filesystem\n"] {
        assert_eq!(in_memory(&good.replace(line, "")).len(), 1, "{line}");
    }
    assert_eq!(in_memory(&good.replace("filesystem", "memory")).len(), 1);
}
