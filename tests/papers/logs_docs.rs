//! Does docs/logs.md tell of every kind of line what the code says, and of no other?
//!
//! The source is searched for calls of the log: a kind is the literal that stands first in one, and what
//! the document quotes of a line stands in a literal, too.

use std::collections::{BTreeMap, BTreeSet};

use crate::{doc_rows, sources};
use doc_rows::rows;

const TEXT: &str = include_str!("../../docs/logs.md");

/// How lines come into a log.
const CALLS: &[(&str, &str)] =
    &[(".error(", "ERROR"), (".warn(", "WARN"), (".info(", "INFO"), (".debug(", "DEBUG")];
/// What is said past the log: the errors of a start that fails.
const PAST_THE_LOG: &[&str] = &["abi/filter.rs", "abi/output.rs"];

#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// Kinds and their levels.
    kinds: BTreeSet<(String, &'static str)>,
    wrong: Vec<String>,
}

/// The kinds in a file of the source.
fn found(file: &str, text: &str) -> Found {
    let mut found = Found::default();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    for (call, level) in CALLS {
        for (at, _) in code.match_indices(call.split_once('(').expect("a call").0) {
            // rustfmt may break a call anywhere between its arguments.
            let rest: String = code[at..].chars().filter(|c| !c.is_whitespace() || *c == ' ').collect();
            let Some(first) = without_spaces(&rest, call) else { continue };
            if let Some(literal) = first.strip_prefix('"') {
                let kind = literal.split('"').next().unwrap_or_default();
                found.kinds.insert((kind.to_owned(), level));
                continue;
            }
            let word = first.split([',', ')', '(']).next().unwrap_or_default().trim();
            found.wrong.push(format!("{file}: {call}{word}: a kind has to be a literal"));
        }
    }
    if code.contains("Line { level: Level::") && !PAST_THE_LOG.contains(&file) {
        found.wrong.push(format!("{file} says a line past the log"));
    }
    found
}

/// What follows on `call`, whose words may stand apart.
fn without_spaces<'t>(text: &'t str, call: &str) -> Option<&'t str> {
    let mut rest = text;
    for c in call.chars() {
        rest = rest.trim_start_matches(' ').strip_prefix(c)?;
    }
    Some(rest.trim_start_matches(' '))
}

/// Where a document differs from the source.
fn differences(text: &str, source: &BTreeMap<String, String>) -> Vec<String> {
    let mut all = Found::default();
    for (file, text) in source {
        let Found { kinds, wrong } = found(file, text);
        all.kinds.extend(kinds);
        all.wrong.extend(wrong);
    }
    let Found { kinds, mut wrong } = all;
    let rows = rows(text);
    let listed: BTreeSet<(String, &str)> =
        rows.iter().filter_map(|(kind, cells)| Some(((*kind).to_owned(), *cells.first()?))).collect();
    let names: BTreeSet<&String> = kinds.iter().map(|(kind, _)| kind).collect();
    if names.len() != kinds.len() {
        wrong.push(format!("one kind has one level: {kinds:?}"));
    }
    if listed.len() != rows.len() {
        wrong.push("a kind has two rows".to_owned());
    }
    wrong.extend(kinds.iter().filter(|one| !listed.contains(one)).map(|one| format!("{one:?} has no row")));
    wrong.extend(listed.iter().filter(|one| !kinds.contains(one)).map(|one| format!("there is no {one:?}")));
    // A string may go on in the next line.
    let source: Vec<String> = source.values().map(|text| joined(text)).collect();
    for (kind, cells) in &rows {
        match cells[..] {
            [_, says, happened, remedy] => {
                if says.is_empty() || !source.iter().any(|text| text.contains(says)) {
                    wrong.push(format!("{kind}: no line says {says:?}"));
                }
                if ![happened, remedy].iter().all(|cell| cell.len() >= 8 && cell.ends_with('.')) {
                    wrong.push(format!("{kind}: what happened, and what to do?"));
                }
            }
            _ => wrong.push(format!("{kind} has {} cells", cells.len() + 1)),
        }
    }
    wrong
}

/// The text with its broken string literals whole.
fn joined(text: &str) -> String {
    let mut parts = text.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.trim_start())
}

/// Every file below `src` but the log itself, by its path from there.
fn source() -> BTreeMap<String, String> {
    sources::sources().into_iter().filter(|(name, _)| name != "log.rs").collect()
}

#[test]
fn every_kind_has_its_row_and_every_row_its_kind() {
    assert_eq!(differences(TEXT, &source()), [""; 0]);
}

/// A check that cannot fail checks nothing.
#[test]
fn the_check_finds_what_it_looks_for() {
    let source = source();
    for (change, to) in [
        ("| `gateway retry` | WARN |", "| `gateway retry` | ERROR |"),
        ("| `gateway retry` |", "| `gateway tries` |"),
        ("| `topology restored` | WARN |", "| `topology restored` | INFO |"),
        ("| `other` | WARN | is of no kind", "| `other` | WARN | is no kind"),
        ("| Make `match` narrower. |", "| |"),
        ("| An outage is over. |", "| An outage is over |"),
        ("| Make `match` narrower. |", "|"),
    ] {
        let changed = TEXT.replacen(change, to, 1);
        assert_ne!(changed, TEXT, "{change} is not there");
        assert_ne!(differences(&changed, &source), [""; 0], "{change}");
    }
    let row = TEXT.lines().find(|line| line.starts_with("| `workers`")).expect("a row");
    assert_ne!(differences(&TEXT.replace(row, ""), &source), [""; 0]);
    assert_ne!(differences(&format!("{TEXT}\n{row}\n"), &source), [""; 0]);

    for code in [
        "log.warn(\"new kind\", text)",
        "self.log\n    .info(\n    \"new kind\", text)",
        "log.error(\"gateway retry\", text)",
        "log.warn(kind, text)",
        "host.log(&Line { level: Level::Warn, text })",
    ] {
        let mut source = source.clone();
        source.insert("new.rs".to_owned(), code.to_owned());
        assert_ne!(differences(TEXT, &source), [""; 0], "{code}");
    }
}
