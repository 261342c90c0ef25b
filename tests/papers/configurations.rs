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
const DOCUMENTS: [&str; 6] = [
    "README.md",
    "docs/filter.md",
    "docs/guarantees.md",
    "docs/install.md",
    "docs/metrics.md",
    "docs/sources.md",
];
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

/// The inputs of a configuration in YAML: the items of its list `inputs`, up to the next key that stands no deeper.
fn yaml_inputs(text: &str) -> Vec<String> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')).collect();
    let Some(at) = lines.iter().position(|line| line.trim() == "inputs:") else { return Vec::new() };
    let of_list = lines[at + 1..].iter().take_while(|line| {
        depth(line) > depth(lines[at])
            || depth(line) == depth(lines[at]) && line.trim_start().starts_with("- ")
    });
    let mut inputs: Vec<(usize, String)> = Vec::new();
    for line in of_list {
        match inputs.last_mut() {
            // Deeper items are a list within an input.
            Some((item, text)) if depth(line) > *item => *text += &format!("{line}\n"),
            _ => inputs.push((depth(line), format!("{line}\n"))),
        }
    }
    inputs.into_iter().map(|(_, text)| text).collect()
}

/// The inputs in YAML whose chunks are in memory.
fn yaml_in_memory(text: &str) -> Vec<String> {
    let inputs = yaml_inputs(text);
    if inputs.is_empty() {
        return vec!["no input".to_owned()];
    }
    let is_kept = |input: &String| {
        let keys = input.lines().map(|line| line.trim_start().trim_start_matches("- "));
        keys.filter(|key| *key == "storage.type: filesystem").count() == 1
    };
    inputs.into_iter().filter(|input| !is_kept(input)).collect()
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
        assert_eq!(yaml_in_memory(&text), [""; 0], "{file}");
        assert_eq!(lines("storage.type: filesystem"), yaml_inputs(&text).len(), "{file}");
    }
}

#[test]
fn there_is_one_namespace() {
    for file in DOCUMENTS
        .iter()
        .chain(&["fluent-bit-conf/kubernetes/rbac.yaml", "fluent-bit-conf/kubernetes/network-policy.yaml"])
    {
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
    let good = "pipeline:\n  inputs:\n    - name: a\n      storage.type: filesystem\n    # b\n    \
                - storage.type: filesystem\n      \
                name: b\n  outputs:\n    - name: c\n";
    assert_eq!((yaml_inputs(good).len(), yaml_in_memory(good)), (2, Vec::new()));
    for at in [0, 1] {
        let mut parts: Vec<&str> = good.split("storage.type: filesystem").collect();
        let rest = parts.split_off(at + 1).join("storage.type: filesystem");
        let one = format!("{}mem_buf_limit: 5M{rest}", parts.join("storage.type: filesystem"));
        assert_eq!(yaml_in_memory(&one).len(), 1, "{one}");
    }
    // What an output has does not count for an input.
    assert_eq!(yaml_in_memory("inputs:\n- name: a\noutputs:\n- storage.type: filesystem\n").len(), 1);
}
