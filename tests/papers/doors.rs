//! Does the workflow run what people run, with pinned actions and no more rights than it needs, and is one Rust named throughout?

use std::fs;

use crate::documents::{documents, files, root};

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What is wrong with a workflow.
fn faults(workflow: &str) -> Vec<String> {
    let lines = || workflow.lines().map(str::trim);
    let mut wrong = Vec::new();
    let is_version = |text: &str| {
        let parts: Vec<&str> = text.split('.').collect();
        parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok())
    };
    for action in lines().filter_map(|line| line.trim_start_matches("- ").strip_prefix("uses: ")) {
        if !action.split_once("@v").is_some_and(|(_, version)| is_version(version)) {
            wrong.push(format!("{action} has no whole version"));
        }
    }
    let permissions: Vec<&str> = workflow
        .lines()
        .skip_while(|line| *line != "permissions:")
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .collect();
    if permissions != ["  contents: read"] {
        wrong.push(format!("permissions: {permissions:?}"));
    }
    if !lines().any(|line| line == "run: .ci/run") {
        wrong.push("it does not run .ci/run".to_owned());
    }
    if !lines().any(|line| line.starts_with("timeout-minutes: ")) {
        wrong.push("it may run indefinitely".to_owned());
    }
    wrong
}

#[test]
fn the_workflow_runs_what_people_run() {
    assert_eq!(faults(&text(".github/workflows/ci.yml")), [""; 0]);
}

/// A check that cannot fail checks nothing.
#[test]
fn each_check_finds_what_it_looks_for() {
    let good = text(".github/workflows/ci.yml");
    for (change, to) in [
        ("checkout@v4.2.2", "checkout@v4"),
        ("checkout@v4.2.2", "checkout@main"),
        ("contents: read", "contents: write"),
        ("permissions:", "other:"),
        ("run: .ci/run", "run: make test"),
        ("timeout-minutes: 60", "name: x"),
    ] {
        let bad = good.replacen(change, to, 1);
        assert_ne!(bad, good, "{change} is not there");
        assert_eq!(faults(&bad).len(), 1, "{change} → {to}");
    }
}

#[test]
fn one_rust_is_pinned_and_it_is_new_enough() {
    let between = |text: &str, before: &str, after: char| -> String {
        let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("no {before}"));
        rest.split(after).next().unwrap_or_default().to_owned()
    };
    let pinned = between(&text(".github/workflows/ci.yml"), "RUSTUP_TOOLCHAIN: \"", '"');
    assert_eq!(between(&text(".devcontainer/Dockerfile"), "FROM rust:", '-'), pinned);
    let oldest = between(&text("Cargo.toml"), "rust-version = \"", '"');
    let number =
        |version: &str| version.split('.').map(|part| part.parse().expect("a number")).collect::<Vec<u32>>();
    assert!(number(&pinned) >= number(&oldest), "{pinned} is older than {oldest}");
    let (_, readme) = documents().into_iter().find(|(file, _)| file == "README.md").expect("a README");
    assert!(readme.contains(&format!("Rust {oldest}")), "README.md names another Rust than {oldest}");
}

#[test]
fn the_doors_are_there() {
    for file in [".editorconfig", ".devcontainer/devcontainer.json", ".github/pull_request_template.md"] {
        assert!(!text(file).is_empty(), "{file}");
    }
    let forms = files(&root().join(".github/ISSUE_TEMPLATE"), &["yml"]);
    assert_eq!(forms.len(), 3, "{forms:?}");
    let container = text(".devcontainer/devcontainer.json");
    assert!(serde_json::from_str::<serde_json::Value>(&container).is_ok(), "{container}");
}
