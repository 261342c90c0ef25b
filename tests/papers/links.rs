//! Does every link lead to a file and to a heading in it, and is every path that a text names there?

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::documents::{code, comments, documents, files, root, samples};

/// A path that begins with one of these is one of ours, wherever it stands.
const FOLDERS: [&str; 11] = [
    ".ci",
    ".devcontainer",
    ".github",
    "benches",
    "docs",
    "examples",
    "fluent-bit-conf",
    "include",
    "src",
    "testkit",
    "tests",
];
/// In backticks one is known by its ending as well.
const ENDINGS: [&str; 10] = ["c", "conf", "h", "json", "lua", "md", "rs", "svg", "toml", "yaml"];
/// Files of others, and those that a run writes.
const NOT_OURS: [&str; 2] = ["docs/bench/outages", "config/confighttp/README.md"];

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let all = documents().into_iter().chain(comments());
    assert_none(all.flat_map(|(file, text)| dead_links(&file, &text)).collect());
}

#[test]
fn every_path_that_is_named_is_there() {
    let all = documents().into_iter().chain(comments()).chain(samples());
    assert_none(all.flat_map(|(file, text)| missing_paths(&file, &text)).collect());
}

/// A check that cannot fail checks nothing.
#[test]
fn each_check_finds_what_it_looks_for() {
    let links = |text: &str| dead_links("docs/files.md", text).len();
    assert_eq!(links("[a](logs.md) ![b](../README.md) [c](https://x/y) [d](#the-folder)"), 0);
    assert_eq!(links("[a](guarantees.md#the-promises) [b](../SECURITY.md#not-held)"), 0);
    assert_eq!(links("[a](nothing.md) [b](../nothing#x)"), 2, "no file");
    assert_eq!(links("[a](logs.md#nothing) [b](#nothing)"), 2, "no heading");
    assert_eq!(links("[a b](nothing.md\n#x)"), 1, "broken over two lines");

    let paths = |text: &str| missing_paths("docs/files.md", text).len();
    assert_eq!(
        paths("`src/abi`, `src/abi/mod.rs`, `abi/mod.rs`, `mod.rs`, `bench/host.json`, docs/logs.md."),
        0
    );
    assert_eq!(paths("`src/nothing`, see tests/nothing.rs, (docs/nothing.md)"), 3);
    assert_eq!(paths("`abi/nothing.rs`, `nothing.rs`"), 2);
    assert_eq!(
        paths("`pkg/x.go`, `app/x`, `src/*/x.rs`, https://x/docs/y.md, `pods/exec`"),
        0,
        "none of ours"
    );

    let text = "# A `b` and: c_d\n\n## [Who](x.md)'s\n\n```\n# no\n```\n## Who's\n";
    let expected = ["a-b-and-c_d", "whos", "whos-1"].map(str::to_owned);
    assert_eq!(anchors(text), BTreeSet::from(expected));
}

/// The links of a text that lead nowhere.
fn dead_links(file: &str, text: &str) -> Vec<String> {
    let folder = root().join(file).parent().expect("a folder").to_owned();
    let dead = |link: &String| {
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = if path.is_empty() { root().join(file) } else { folder.join(path) };
        let has_anchor = || {
            let text = fs::read_to_string(&target).unwrap_or_default();
            anchor.is_empty() || anchors(&text).contains(anchor)
        };
        !target.exists() || !has_anchor()
    };
    links(text).iter().filter(|link| dead(link)).map(|link| format!("{file}: {link} leads nowhere")).collect()
}

/// The relative links of a text, images included.
fn links(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let links = targets.map(|(target, _)| target.split_whitespace().collect::<String>());
    // In comments such a link may be a path of Rust.
    links.filter(|link| !link.contains(":")).collect()
}

/// The headings of a document as GitHub makes anchors of them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let prose: String = text.split("```").step_by(2).collect();
    for heading in prose.lines().filter_map(|line| line.strip_prefix('#')) {
        let heading = heading.trim_start_matches('#').trim();
        let shown = heading.split("](").map(|part| part.split_once(')').map_or(part, |(_, rest)| rest));
        let first = heading.split("](").next().unwrap_or_default();
        let shown: String = [first].into_iter().chain(shown.skip(1)).collect();
        let kept = shown.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        let anchor = kept.collect::<String>().to_lowercase().replace(' ', "-");
        let numbered = (1..).map(|number| format!("{anchor}-{number}"));
        let free = [anchor.clone()].into_iter().chain(numbered).find(|one| !found.contains(one));
        found.extend(free);
    }
    found
}

/// The paths of ours that a text names and that are not there.
fn missing_paths(file: &str, text: &str) -> Vec<String> {
    let between = |c: char| c.is_whitespace() || "()[]\"'`,;|=<>".contains(c);
    let words = text.split(between).filter(|word| FOLDERS.contains(&first_part(word)));
    let spans = code(text).into_iter().filter(|span| is_path_by_its_ending(span));
    let named: BTreeSet<String> = words.map(str::to_owned).chain(spans).collect();
    let plain = |path: &String| {
        path.contains(['/', '.']) && !path.contains(['*', '{', '…', '$', ':']) && !path.ends_with('-')
    };
    let files = named.iter().filter_map(|path| path.split('#').next());
    let ours = files.map(|path| path.trim_end_matches(['.', '/', ':', '?']).to_owned());
    let ours = ours.filter(plain).filter(|path| !NOT_OURS.iter().any(|one| path.starts_with(one)));
    ours.filter(|path| !is_there(file, path)).map(|path| format!("{file}: {path} is not there")).collect()
}

fn first_part(path: &str) -> &str {
    path.split_once('/').map_or("", |(first, _)| first)
}

/// A source or a document, or a path with another ending of ours.
fn is_path_by_its_ending(span: &str) -> bool {
    let is_plain = span.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.".contains(c));
    let ending = Path::new(span).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let is_source = ["rs", "md"].contains(&ending);
    is_plain
        && !span.starts_with(['/', '.'])
        && (is_source || span.contains('/') && ENDINGS.contains(&ending))
}

/// Named from the root, from where the text is, or from a crate's own folder; a name alone may be that of any file.
fn is_there(file: &str, path: &str) -> bool {
    let beside = Path::new(file).parent().expect("a folder");
    let from = [Path::new(""), beside, Path::new("src"), Path::new("testkit/src"), Path::new("tests")];
    from.iter().any(|folder| root().join(folder).join(path).exists())
        || !path.contains('/') && names().contains(path)
}

fn names() -> BTreeSet<String> {
    let all: Vec<PathBuf> = files(root(), &["rs", "md"]);
    all.iter().filter_map(|file| Some(file.file_name()?.to_str()?.to_owned())).collect()
}

#[track_caller]
fn assert_none(found: Vec<String>) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}
