//! Does SECURITY.md name tests that exist, and all that is read and written?

use std::fs;
use std::path::{Path, PathBuf};

use event_gateway::config::keys::{FILTER_KEYS, KEYS, Shows};
use event_gateway::topology::kind::ObjectKind;

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

/// Whether there is a test, and in it a module or a function that the filter names.
fn exists(named: &str) -> bool {
    let (test, filter) = named.split_once(' ').unwrap_or((named, ""));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(test);
    let is_one = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let is_module = path.file_stem().is_some_and(|stem| stem == filter) && text.contains("#[test]");
        is_module || text.contains(&format!("fn {filter}"))
    };
    folder.join("main.rs").is_file() && (filter.is_empty() || below(&folder).iter().any(is_one))
}

#[test]
fn each_test_that_it_names_exists() {
    let named = named(TEXT);
    assert!(named.len() >= 18, "{named:?}");
    for test in &named {
        assert!(exists(test), "{test}: there is none");
    }
    // A check that cannot fail checks nothing.
    assert!(exists("gateway echoes") && exists("gateway secrets_show_nowhere") && exists("mutations"));
    assert!(!exists("gateway nothing") && !exists("nothing") && !exists("gateway main"));
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
fn each_file_of_the_settings_and_each_kind_that_is_followed_is_told() {
    for key in KEYS.iter().chain(FILTER_KEYS).filter(|key| key.shows == Shows::Path) {
        assert!(TEXT.contains(&format!("`{}`", key.name)), "{} is not told", key.name);
    }
    let requests = TEXT.split("### Requests to the API server").nth(1).expect("a section");
    for kind in ObjectKind::ALL {
        assert!(requests.contains(kind.resource()), "{} are not told", kind.resource());
    }
}
