//! Does SECURITY.md name tests that exist, and all that is read and written?

use std::fs;
use std::path::{Path, PathBuf};

use event_gateway::config::keys::{FILTER_KEYS, KEYS, Shows};
use event_gateway::topology::kind::Kind;

const TEXT: &str = include_str!("../../SECURITY.md");

/// The words behind `cargo test --test ` of every command: a test, and perhaps a filter.
fn named(text: &str) -> Vec<&str> {
    let commands = text.split("`cargo test --test ").skip(1);
    commands.filter_map(|rest| rest.split('`').next()).collect()
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}

/// Whether there is a program, and in it a test at the path that the filter names, down to a part of its name.
fn exists(named: &str) -> bool {
    let (program, filter) = named.split_once(' ').unwrap_or((named, ""));
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(program);
    let (modules, last) = filter.rsplit_once("::").unwrap_or(("", filter));
    let folder = program.join(modules.replace("::", "/"));
    let is_one = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let is_module = path.file_stem().is_some_and(|stem| stem == last) && text.contains("#[test]");
        is_module || text.contains(&format!("fn {last}"))
    };
    let is_there = || folder.join(last).is_dir() || below(&folder).iter().any(is_one);
    program.join("main.rs").is_file() && (filter.is_empty() || is_there())
}

#[test]
fn each_test_that_it_names_exists() {
    let named = named(TEXT);
    assert!(named.len() >= 18, "{named:?}");
    for test in &named {
        assert!(exists(test), "{test}: there is none");
    }
    // A check that cannot fail checks nothing.
    assert!(
        exists("delivery gateway::echoes") && exists("delivery secrets_show_nowhere") && exists("memory")
    );
    assert!(!exists("delivery gateway::nothing") && !exists("nothing") && !exists("delivery main"));
}

#[test]
fn each_row_of_the_threat_model_names_a_test() {
    let table =
        TEXT.split("## Threat model").nth(1).and_then(|rest| rest.split("###").next()).expect("a table");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 10, "{rows:?}");
    for row in rows {
        assert!(
            row.trim_end_matches(" |").rsplit(" | ").next().is_some_and(|cell| cell.contains("--test")),
            "{row}"
        );
    }
}

#[test]
fn each_file_of_the_settings_and_each_kind_that_is_followed_is_named() {
    for key in KEYS.iter().chain(FILTER_KEYS).filter(|key| key.shows == Shows::Path) {
        assert!(TEXT.contains(&format!("`{}`", key.name)), "{} is not named", key.name);
    }
    let requests = TEXT.split("### Requests to the API server").nth(1).expect("a section");
    for kind in Kind::ALL {
        assert!(requests.contains(kind.resource()), "{} are not named", kind.resource());
    }
}
