//! Do README, CHANGELOG and docs say what is so: every key with its default, no key and no metric that
//! does not exist?

use std::collections::BTreeSet;
use std::fs;

use event_gateway::config::keys::{FILTER_KEYS, KEYS, Key};
use event_gateway::metrics::{MetricType, Metrics};

use crate::documents::{documents, root};

/// What an output may have besides our keys: the host's own, up to a dot.
const HOST_KEYS: &[&str] = &[
    "alias",
    "log_level",
    "log_suppress_interval",
    "match",
    "match_regex",
    "name",
    "net",
    "retry_limit",
    "storage",
    "workers",
];

#[test]
fn each_plugin_has_a_document_that_lists_every_key_with_its_default() {
    for (file, keys) in [("docs/settings.md", KEYS), ("docs/filter.md", FILTER_KEYS)] {
        let (_, text) = documents().into_iter().find(|(name, _)| name == file).expect("the document");
        let missing: Vec<String> =
            keys.iter().filter_map(|key| unlisted(&text, key.name, key.default)).collect();
        assert!(missing.is_empty(), "{file}: {}", missing.join("\n"));
    }
}

/// What is on the first page has to be read on the first day.
#[test]
fn the_readme_is_one_page() {
    let readme = fs::read(root().join("README.md")).expect("a README");
    assert!(readme.len() <= 8 * 1024, "README.md has {} bytes", readme.len());
}

#[test]
fn keys_of_one_name_have_one_default() {
    // The filter's start waits, and with it the whole host; the output's records wait, and nobody else.
    for key in FILTER_KEYS.iter().filter(|key| key.name != "topology_wait") {
        let other = KEYS.iter().find(|other| other.name == key.name);
        assert!(other.is_none_or(|other| other.default == key.default), "{}", key.name);
    }
}

#[test]
fn no_document_names_a_key_that_is_not_there() {
    assert_each(|_, text| {
        let unknown = sample_keys(text).chain(table_keys(text)).chain(words_like_keys(text));
        unknown.filter(|word| !known(word)).map(|word| format!("there is no key {word}")).collect()
    });
}

#[test]
fn no_document_names_a_metric_that_is_not_there() {
    assert_each(|_, text| {
        let metrics = code_words(text).filter_map(|word| word.strip_prefix("event_gateway_"));
        let unknown = metrics.filter(|name| !is_metric(name));
        unknown.map(|name| format!("there is no metric event_gateway_{name}")).collect()
    });
}

/// A check that cannot fail checks nothing.
#[test]
fn each_check_finds_what_it_looks_for() {
    let table =
        "| key | default |\n|---|---|\n| `timeout`, `format` | `10s`, native | a |\n| `oops` | – | b |\n";
    assert_eq!(unlisted(table, "timeout", Some("10s")), None);
    assert_eq!(unlisted(table, "format", Some("native")), None);
    assert!(unlisted(table, "timeout", Some("1s")).is_some(), "another default");
    assert!(unlisted(table, "compress", Some("gzip")).is_some(), "no row");
    assert_eq!(unlisted(table, "oops", None), None);
    assert_eq!(table_keys(table).filter(|key| !known(key)).collect::<Vec<_>>(), ["oops"]);

    let classic =
        "```\n[OUTPUT]\n    name event_gateway\n    match *\n    #endpont http://x\n[OUTPUT]\n    x y\n```\n";
    assert_eq!(sample_keys(classic).filter(|key| !known(key)).collect::<Vec<_>>(), ["endpont"]);
    let yaml = "```yaml\n  outputs:\n    - name: event_gateway\n      tipes: Warning\n    - name: x\n      y: z\n```\n";
    assert_eq!(sample_keys(yaml).filter(|key| !known(key)).collect::<Vec<_>>(), ["tipes"]);

    let words = "`ledger_size` and `ledger_ttl 3h`, `ledger_entries`, `new_thing`, ledger_x";
    assert_eq!(words_like_keys(words).filter(|key| !known(key)).collect::<Vec<_>>(), ["ledger_size"]);
}

/// Why a key is not listed as it should be: in the first cell of a row, with its default in the second.
fn unlisted(text: &str, name: &str, default: Option<&str>) -> Option<String> {
    let row =
        rows(text).find(|cells| cells.first().is_some_and(|cell| in_backticks(cell).any(|key| key == name)));
    let Some(row) = row else { return Some(format!("no row for the key {name}")) };
    let second = row.get(1).copied().unwrap_or_default();
    let says = second.split([',', ' ', '`']).any(|word| Some(word) == default);
    let wrong = default.is_some_and(|_| !says);
    wrong.then(|| {
        format!("{name}: the second cell is {second:?}, the default {}", default.unwrap_or_default())
    })
}

/// The cells of every row of a table.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = text.lines().filter_map(|line| line.trim().strip_prefix('|'));
    rows.map(|row| row.split('|').map(str::trim).collect())
}

/// What stands in the first column of the tables whose head begins with "key".
fn table_keys(text: &str) -> impl Iterator<Item = &str> {
    let mut of_keys = false;
    let lines = text.lines().filter(move |line| {
        let line = line.trim().to_ascii_lowercase();
        of_keys = line.starts_with('|') && (of_keys || line.starts_with("| key |"));
        of_keys
    });
    lines.flat_map(|line| {
        in_backticks(line.trim().trim_start_matches('|').split('|').next().unwrap_or_default())
    })
}

/// The keys of our outputs and filters in sample configurations, classic and YAML, those behind a `#` included.
fn sample_keys(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("```").skip(1).step_by(2);
    let mut keys = Vec::new();
    for block in code {
        let mut section = Vec::new();
        for line in block.lines().chain(["[END]"]) {
            let line = line.trim();
            if line.starts_with(['[', '-']) || line.ends_with(':') {
                let ours = [("name", "event_gateway"), ("name", "service_impact")];
                if ours.iter().any(|name| section.contains(name)) {
                    keys.extend(section.iter().map(|(key, _)| *key));
                }
                section.clear();
            }
            let line = line.trim_start_matches(['-', ' ']);
            let line = line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line);
            section.extend(line.split_once([' ', ':']).map(|(key, value)| (key, value.trim())));
        }
    }
    keys.into_iter().filter(|key| !key.starts_with(['#', '[']))
}

/// Code words that begin as one of our keys of two or more words does: `ledger_…`, `dead_letter_…`.
fn words_like_keys(text: &str) -> impl Iterator<Item = &str> {
    let stems: BTreeSet<&str> =
        all_keys().filter_map(|key| key.name.split_once('_')).map(|(stem, _)| stem).collect();
    code_words(text).filter(move |word| word.split_once('_').is_some_and(|(stem, _)| stems.contains(stem)))
}

/// The first word of everything in backticks outside of samples.
fn code_words(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(in_backticks).filter_map(|code| code.split([' ', ':', '=', '{', '(']).next())
}

fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn known(word: &str) -> bool {
    let host = word.split('.').next().unwrap_or_default();
    all_keys().any(|key| key.name == word || is_a_choice(key, word))
        || HOST_KEYS.contains(&host)
        || is_metric(word)
}

/// A value that the help of the key names.
fn is_a_choice(key: &Key, word: &str) -> bool {
    key.help.split(|c: char| !c.is_alphanumeric() && c != '_').any(|choice| choice == word)
}

/// Those of the output and those of the filter.
fn all_keys() -> impl Iterator<Item = &'static Key> {
    // One row for both plugins, with the output's default.
    KEYS.iter().chain(FILTER_KEYS.iter().filter(|key| KEYS.iter().all(|other| other.name != key.name)))
}

/// With the parts of a histogram, which have names of their own in the text format.
fn is_metric(name: &str) -> bool {
    Metrics::DESCRIBED.iter().any(|metric| {
        let part = name.strip_prefix(metric.name);
        part == Some("")
            || metric.metric_type == MetricType::Histogram
                && part.is_some_and(|part| ["_bucket", "_sum", "_count"].contains(&part))
    })
}

#[track_caller]
fn assert_each(check: impl Fn(&str, &str) -> Vec<String>) {
    let wrong: Vec<String> = documents()
        .iter()
        .flat_map(|(file, text)| {
            check(file, text).into_iter().map(|what| format!("{file}: {what}")).collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
