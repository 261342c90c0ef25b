//! Is there no circle between the files of a room?
//!
//! A file uses another one if it names the other's module path, outside its tests. `mod child;` and `pub use` in a `mod.rs`
//! do not count as a use; a path through such a re-export counts as a use of the file that defines the name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::rooms::{paths, room, rooms, tokens, without_tests};

#[test]
fn no_circle_between_the_files_of_a_room() {
    let circles = circles(&rooms());
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn a_planted_circle_is_found() {
    let files = |sources: &[(&str, &str)]| -> Vec<String> {
        let files: Vec<_> =
            sources.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        circles(&files).into_iter().collect()
    };
    let used = ("record/b.rs", "use crate::record::c::C;");
    assert_eq!(
        files(&[("record/a.rs", "use super::b::B;"), used, ("record/c.rs", "fn c() { super::a::f() }")]),
        ["record::a -> record::b -> record::c -> record::a"]
    );
    let tests = "#[cfg(test)] mod tests { use super::super::a::f; }";
    assert_eq!(files(&[("record/a.rs", "use super::b::B;"), used, ("record/c.rs", tests)]), [""; 0]);
    let parent = ("record/mod.rs", "mod a; mod b; pub use self::b::B; pub(super) use a::A;");
    assert_eq!(
        files(&[parent, ("record/a.rs", "use super::B;"), ("record/b.rs", "use super::MAX;")]),
        [""; 0]
    );
    assert_eq!(
        files(&[parent, ("record/a.rs", "use super::B;"), ("record/b.rs", "use super::{MAX, A};")]),
        ["record::a -> record::b -> record::a"]
    );
    assert_eq!(
        files(&[("record/mod.rs", "mod a; fn f() { a::g() }"), ("record/a.rs", "use super::MAX;")]),
        ["record -> record::a -> record"]
    );
}

/// The shortest circle through each file that is on one, each circle once.
fn circles(files: &[(String, String)]) -> BTreeSet<String> {
    let uses = uses(files);
    uses.keys().filter_map(|start| circle(&uses, start)).collect()
}

/// The shortest way from a module back to itself, written from its first module on.
fn circle(uses: &BTreeMap<String, BTreeSet<String>>, start: &str) -> Option<String> {
    let mut ways = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in uses.get(*way.last()?).into_iter().flatten() {
            if next == start {
                let first = way.iter().enumerate().min_by_key(|(_, module)| **module)?.0;
                let ring = [&way[first..], &way[..=first]].concat();
                return Some(ring.join(" -> "));
            }
            if seen.insert(next) {
                ways.push_back([&way[..], &[next]].concat());
            }
        }
    }
    None
}

/// Which modules of its own room each file uses.
fn uses(files: &[(String, String)]) -> BTreeMap<String, BTreeSet<String>> {
    let modules: BTreeSet<String> = files.iter().map(|(file, _)| module(file)).collect();
    let mut exports = BTreeMap::new();
    let mut named = Vec::new();
    for (file, text) in files {
        let (rest, exported) = without_exports(&without_tests(tokens(text)));
        let here = module(file);
        for path in paths(&exported, file).iter().filter_map(|path| absolute(path, &here, &modules)) {
            let name = path.rsplit("::").next().unwrap_or_default();
            exports.insert(format!("{here}::{name}"), path.clone());
        }
        named.push((file, here, paths(&rest, file)));
    }
    let mut uses = BTreeMap::new();
    for (file, here, paths) in named {
        let absolute = paths.iter().filter_map(|path| absolute(path, &here, &modules));
        let targets = absolute.filter_map(|path| defined_in(&path, &modules, &exports));
        let in_room = |target: &String| *target != here && target.split("::").next() == Some(room(file));
        let targets: BTreeSet<String> = targets.filter(in_room).collect();
        uses.insert(here, targets);
    }
    uses
}

/// `record::redact` for `record/redact/mod.rs`.
fn module(file: &str) -> String {
    file.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::")
}

/// A path from the root, if it begins with `crate`, `self`, `super` or the name of a child.
fn absolute(path: &str, here: &str, modules: &BTreeSet<String>) -> Option<String> {
    let mut base: Vec<&str> = here.split("::").collect();
    let mut parts: Vec<&str> = path.split("::").collect();
    match parts[0] {
        "crate" => base.clear(),
        "self" => {}
        "super" => {
            let levels = parts.iter().take_while(|part| **part == "super").count();
            base.truncate(base.len().saturating_sub(levels));
            parts.drain(..levels - 1);
        }
        child if modules.contains(&format!("{here}::{child}")) => parts.insert(0, "self"),
        _ => return None,
    }
    Some([&base[..], &parts[1..]].concat().join("::"))
}

/// The module in which the last name of a path is defined.
fn defined_in(path: &str, modules: &BTreeSet<String>, exports: &BTreeMap<String, String>) -> Option<String> {
    let parts: Vec<&str> = path.split("::").collect();
    for end in (1..=parts.len()).rev() {
        let start = parts[..end].join("::");
        if modules.contains(&start) {
            return Some(start);
        }
        if let Some(origin) = exports.get(&start) {
            let rest: String = parts[end..].iter().map(|part| format!("::{part}")).collect();
            return defined_in(&format!("{origin}{rest}"), modules, exports);
        }
    }
    None
}

/// The tokens without `pub use …;`, and those of the `pub use` alone.
fn without_exports(tokens: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut rest, mut exported, mut at) = (Vec::new(), Vec::new(), 0);
    let word = |at: usize| tokens.get(at).map_or("", String::as_str);
    while at < tokens.len() {
        let scope = if word(at) == "pub" && word(at + 1) == "(" {
            tokens[at..].iter().position(|token| token == ")").unwrap_or(0)
        } else {
            0
        };
        if word(at) == "pub" && word(at + scope + 1) == "use" {
            let end = tokens[at..].iter().position(|token| token == ";").map_or(tokens.len(), |end| at + end);
            exported.extend_from_slice(&tokens[at..end]);
            at = end;
        } else {
            rest.push(tokens[at].clone());
            at += 1;
        }
    }
    (rest, exported)
}
