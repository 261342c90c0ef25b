//! Does the text that people read keep to the words of the field?
//!
//! It reads the sources and tests with their comments and names, the documents, the sample configurations and the
//! header. A word also counts within a name, between underscores. It skips what others wrote (test data, golden files)
//! and itself.

use std::fs;
use std::path::{Path, PathBuf};

/// Private words, each with the one to use. `*` stands for any ending.
const PRIVATE: [(&str, &str); 19] = [
    ("told", "says, logs, reports"),
    ("heard", "receives"),
    ("grave*", "tombstone"),
    ("bury", "dead-letter"),
    ("buried", "dead-letter"),
    ("culprit*", "dead letter entry"),
    ("fate*", "outcome"),
    ("bell*", "waker"),
    ("clapper*", "wake flag"),
    ("rope*", "signal"),
    ("trip wire*", "failpoint"),
    ("journal*", "log"),
    ("courier*", "delivery worker"),
    ("mend*", "fix"),
    ("put away", "dead-letter"),
    ("for ever", "indefinitely"),
    ("far end*", "remote endpoint"),
    ("mistake*", "error"),
    ("house*", "tree"),
];

/// Where such a word means what everybody means by it.
const MEANT: [(&str, &str); 3] =
    [("docs/sources.md", "journal"), ("docs/logs.md", "journal"), ("src/secrets/stream.rs", "grave")];

/// Written by others, or made of these words.
const SKIPPED: [&str; 3] = ["tests/data", "tests/golden", "tests/papers/words.rs"];

fn read_by_people() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let folders = [
        "src",
        "examples",
        "docs",
        "fluent-bit-conf",
        "include",
        "tests",
        "testkit",
        "benches",
        "fuzz/bodies",
    ];
    for folder in folders {
        collect(&root.join(folder), &mut files);
    }
    files.retain(|path| !SKIPPED.iter().any(|skipped| path.starts_with(root.join(skipped))));
    files.extend(["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root.join(name)));
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => collect(&path, files),
            Some("rs" | "c" | "md" | "conf" | "yaml" | "json" | "h") => files.push(path),
            _ => {}
        }
    }
}

/// The private words of a text, each with its line.
fn found(text: &str) -> Vec<(usize, &'static str, &'static str)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        // A name of several words is read as they are.
        let line = line.to_ascii_lowercase().replace('_', " ");
        for (word, better) in PRIVATE {
            let bare = word.trim_end_matches('*');
            let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic());
            let stands = line.match_indices(bare).any(|(at, _)| {
                let rest = &line[at + bare.len()..];
                let is_begun = !is_letter(line[..at].chars().next_back());
                is_begun && (word.ends_with('*') && is_ending(rest) || !is_letter(rest.chars().next()))
            });
            if stands {
                found.push((number, word, better));
            }
        }
    }
    found
}

/// Whether a word ends here as verbs and nouns do: `mends`, `mended`, and not `mendacious`.
fn is_ending(rest: &str) -> bool {
    let letters: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
    ["", "s", "d", "ed", "ing"].contains(&letters.as_str())
}

#[test]
fn no_private_word_stands_where_people_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for path in read_by_people() {
        let name = path.strip_prefix(root).expect("below the root").display().to_string();
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (number, word, better) in found(&text) {
            if !MEANT.iter().any(|(file, meant)| *file == name && word.starts_with(meant)) {
                wrong.push(format!("{name}:{number}: {word} (say {better})"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_planted_word_is_found() {
    for (text, words) in [
        ("it is Told once", &["told"][..]),
        ("fn heard_of()", &["heard"]),
        ("a mended file, for ever", &["mend*", "for ever"]),
        ("the commandment, a propeller, a journalist", &[]),
        ("let far_end = graves", &["far end*", "grave*"]),
    ] {
        let mut seen: Vec<&str> = found(text).into_iter().map(|(_, word, _)| word).collect();
        let mut words = words.to_vec();
        seen.sort_unstable();
        words.sort_unstable();
        assert_eq!(seen, words, "{text}");
    }
}
