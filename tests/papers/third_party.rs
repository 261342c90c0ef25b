//! Does THIRD_PARTY.md list every crate that is in the plugin, with its version and its licence, and no other?
//!
//! `make licences` runs this with UPDATE_THIRD_PARTY=1, which writes the file instead of complaining.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The plugin is the same on both architectures, but for what the compiler makes of it.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

const HEAD: &str = "\
# Third-party crates

The crates that are linked into the plugin, from `Cargo.lock`. What only builds or tests it is not in it. `make licences`
writes this file, and a test keeps it true. Their texts are in the sources of each crate.

| crate | version | licence | source |
|---|---|---|---|
";

fn metadata() -> Value {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", PLATFORM])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A crate that runs in the compiler is not in what it makes.
fn is_macro(package: &Value) -> bool {
    list(package, "targets").iter().any(|target| list(target, "kind").iter().any(|kind| kind == "proc-macro"))
}

/// All that the plugin is made of: what it depends on, and what that depends on, but for building and testing.
fn shipped(metadata: &Value) -> BTreeMap<(String, String), Value> {
    let by_id = |all: &[Value]| -> BTreeMap<String, Value> {
        all.iter().map(|one| (text(one, "id").to_owned(), one.clone())).collect()
    };
    let (packages, nodes) = (by_id(list(metadata, "packages")), by_id(list(&metadata["resolve"], "nodes")));
    let root = text(&metadata["resolve"], "root").to_owned();
    let (mut waiting, mut seen) = (vec![root.clone()], BTreeSet::from([root.clone()]));
    while let Some(id) = waiting.pop() {
        for dependency in list(&nodes[&id], "deps") {
            let is_linked = list(dependency, "dep_kinds").iter().any(|kind| kind["kind"].is_null());
            let id = text(dependency, "pkg");
            if is_linked && !is_macro(&packages[id]) && seen.insert(id.to_owned()) {
                waiting.push(id.to_owned());
            }
        }
    }
    seen.remove(&root);
    let named = |id: &String| {
        ((text(&packages[id], "name").into(), text(&packages[id], "version").into()), packages[id].clone())
    };
    seen.iter().map(named).collect()
}

fn page(metadata: &Value) -> String {
    let mut page = HEAD.to_owned();
    for ((name, version), package) in shipped(metadata) {
        let licence = text(&package, "license").replace('/', " OR ");
        assert!(!licence.is_empty(), "{name} names no licence");
        let _ = writeln!(page, "| {name} | {version} | {licence} | {} |", text(&package, "repository")); // a String takes everything
    }
    page
}

#[test]
fn the_list_is_fresh() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("THIRD_PARTY.md");
    let page = page(&metadata());
    if env::var_os("UPDATE_THIRD_PARTY").is_some() {
        fs::write(&file, &page).expect("a list that can be written");
    }
    let text = fs::read_to_string(&file).unwrap_or_default();
    assert!(text == page, "THIRD_PARTY.md is stale: run `make licences` and look at the difference");
}

#[test]
fn it_names_what_is_linked_and_not_what_builds_or_tests() {
    let shipped = shipped(&metadata());
    let names: BTreeSet<&str> = shipped.keys().map(|(name, _)| name.as_str()).collect();
    for linked in ["ring", "rustls", "ureq", "redb", "serde", "libc", "zlib-rs"] {
        assert!(names.contains(linked), "{linked}");
    }
    for other in ["serde_derive", "cbindgen", "proptest", "rcgen", "fluent-bit-event-gateway"] {
        assert!(!names.contains(other), "{other}");
    }
}
