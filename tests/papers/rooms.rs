//! Does every file of `src` stay in its room, and does every arrow point down?
//!
//! The source is read as tokens, comments and literals left out: that needs no parser and sees every path.

use std::collections::BTreeSet;

use crate::sources;

/// The rooms and their ranks. A room may use rooms of a lower rank only; inside one anything goes.
pub const RANKS: &[(&str, u8)] = &[
    ("disk", 0),
    ("kind", 0),
    ("metrics", 0),
    ("pattern", 0),
    ("secrets", 0),
    ("sync", 0),
    ("time", 0),
    ("config", 1),
    ("log", 1),
    ("response", 1),
    ("record", 1),
    ("select", 3),
    ("ledger", 2),
    ("replicas", 2),
    ("topology", 2),
    ("correlate", 3),
    ("format", 4),
    ("clock", 5),
    ("job", 5),
    ("failpoint", 5),
    ("net", 6),
    ("cluster", 7),
    ("gateway", 7),
    ("delivery", 8),
    ("verification", 8),
    ("lease", 8),
    ("pipeline", 9),
    ("worker", 10),
    ("enrich", 10),
    ("abi", 11),
];

/// Up to this rank nothing touches the world and nothing reads a clock, so that tests need neither.
const PURE_RANK: u8 = 4;
/// What touches the world, by the beginning of a path.
const WORLDLY: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "Instant::now",
    "SystemTime::now",
    "getrandom",
    "redb",
    "rustix",
    "rustls_native_certs",
    "ureq",
];
/// The types of the crate `http` under ureq's name, and addresses: values, no network.
const HARMLESS: [&str; 2] = ["ureq::http", "std::net::IpAddr"];
/// These open files or hold the ledger's, and read no clock either: the time is an argument.
const HOLDERS_OF_FILES: &[(&str, &[&str])] = &[
    ("disk/folder.rs", &["std::fs"]),
    ("disk/id.rs", &["std::fs"]),
    ("disk/own.rs", &["std::fs", "rustix"]),
    ("disk/read.rs", &["std::fs"]),
    ("disk/replace.rs", &["std::fs"]),
    ("ledger/disk.rs", &["redb"]),
    ("ledger/file/aside.rs", &["std::fs"]),
    ("ledger/key.rs", &["getrandom"]),
    ("ledger/store/error.rs", &["redb"]),
    ("ledger/store/mark.rs", &["redb"]),
    ("ledger/store/mod.rs", &["redb"]),
    ("ledger/store/tables.rs", &["redb"]),
];

/// The one room with unsafe code.
const UNSAFE_ROOM: &str = "abi";
const MAX_LINES: usize = 350;

#[test]
fn every_arrow_points_down() {
    assert_none(each_file(arrows_up));
}

#[test]
fn the_lower_ranks_touch_nothing() {
    assert_none(each_file(worldly));
}

#[test]
fn unsafe_code_stays_at_the_border() {
    assert_none(each_file(unsafe_code));
}

#[test]
fn every_file_says_its_idea_and_keeps_it_short() {
    assert_none(each_file(head_and_length));
}

#[test]
fn the_table_lists_the_rooms_there_are() {
    let there: BTreeSet<String> = rooms().iter().map(|(path, _)| room(path).to_owned()).collect();
    let listed: BTreeSet<String> = RANKS.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(listed.len(), RANKS.len(), "a room is listed twice");
    assert_eq!(there, listed, "the rooms of src (left) and the table of ranks (right) differ");
    for (file, _) in HOLDERS_OF_FILES {
        assert!(rooms().iter().any(|(path, _)| path == file), "{file} is excused and not there");
    }
}

/// A check that cannot fail checks nothing.
#[test]
fn each_check_finds_what_it_looks_for() {
    let up = |path: &str, text: &str| arrows_up(path, text).len();
    assert_eq!(up("ledger/table.rs", "use crate::worker::Worker;"), 1);
    assert_eq!(up("ledger/table.rs", "use crate::{time::Stamp, gateway::{Backoff, http}, job};"), 2);
    assert_eq!(up("select.rs", "fn f() { super::correlate::kind_of() }"), 1, "a neighbour of the same rank");
    assert_eq!(up("config/mod.rs", "mod tests { use super::super::abi; }"), 1);
    assert_eq!(up("config/mod.rs", "use crate::*;"), 1, "nobody sees what that uses");
    assert_eq!(up("config/units.rs", "macro_rules! m { () => { $crate::abi::x() } }"), 1);
    assert_eq!(up("config/units.rs", "mod tests { use super::super::keys; use super::*; }"), 0);
    assert_eq!(up("pattern.rs", "fn f<'a>(c: &'a str) { c == '\'' || c == '\"' } use crate::abi;"), 1);
    assert_eq!(up("worker.rs", "// crate::abi\nuse crate::job; const X: &str = \"crate::abi\";"), 0);

    let world = |path: &str, text: &str| worldly(path, text).len();
    assert_eq!(world("format/mod.rs", "use std::{fmt, fs::{self, File}};"), 1);
    assert_eq!(world("time.rs", "let now = std::time::Instant::now();"), 1);
    assert_eq!(world("ledger/file/aside.rs", "use std::fs; use std::thread;"), 1);
    assert_eq!(world("gateway/http.rs", "use std::net::TcpStream;"), 0);
    assert_eq!(world("record/cursor.rs", "#[cfg(test)] mod tests { use std::fs; }"), 0);

    assert_eq!(unsafe_code("job.rs", "unsafe { x() }").len(), 1);
    assert_eq!(
        unsafe_code("job.rs", "// unsafe\n#![deny(unsafe_code)] const X: &str = r#\"unsafe\"#;").len(),
        0
    );
    assert_eq!(unsafe_code("abi/wait.rs", "unsafe { x() }").len(), 0);

    assert_eq!(head_and_length("job.rs", "use x;\n").len(), 1);
    assert_eq!(head_and_length("job.rs", &format!("//! A job.\n{}", "\n".repeat(MAX_LINES))).len(), 1);
}

// ---- the checks: a file in, what is wrong with it out ----

fn arrows_up(path: &str, text: &str) -> Vec<String> {
    let own = rank(room(path));
    let targets = paths(&tokens(text), path);
    let rooms: BTreeSet<&str> = targets.iter().filter_map(|path| path.strip_prefix("crate::")).collect();
    let first = |path: &str| path.split("::").next().unwrap_or_default().to_owned();
    let rooms: BTreeSet<String> = rooms.into_iter().map(first).collect();
    let other = rooms.into_iter().filter(|target| target != room(path) && target != "self");
    let up = other.filter(|target| own.is_none() || rank(target).is_none_or(|rank| Some(rank) >= own));
    up.map(|target| format!("{path} uses {target}, which has no lower rank")).collect()
}

fn worldly(path: &str, text: &str) -> Vec<String> {
    if rank(room(path)).is_none_or(|rank| rank > PURE_RANK) {
        return Vec::new();
    }
    let excused = HOLDERS_OF_FILES.iter().find(|(file, _)| *file == path).map_or(&[][..], |(_, what)| what);
    let used = paths(&without_tests(tokens(text)), path);
    let reaches = |used: &str, what: &str| format!("::{used}::").contains(&format!("::{what}::"));
    let used: Vec<&String> =
        used.iter().filter(|path| !HARMLESS.iter().any(|value| path.starts_with(value))).collect();
    let found = WORLDLY.iter().filter(|what| used.iter().any(|used| reaches(used, what)));
    found.filter(|what| !excused.contains(what)).map(|what| format!("{path} uses {what}")).collect()
}

fn unsafe_code(path: &str, text: &str) -> Vec<String> {
    let found = room(path) != UNSAFE_ROOM && tokens(text).iter().any(|token| token == "unsafe");
    found.then(|| format!("{path} has unsafe code")).into_iter().collect()
}

fn head_and_length(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    let head = (!text.starts_with("//! ")).then(|| format!("{path} does not begin with //! and its idea"));
    let length = (lines > MAX_LINES).then(|| format!("{path} has {lines} lines, more than {MAX_LINES}"));
    head.into_iter().chain(length).collect()
}

// ---- the source ----

/// The room of a file: `ledger` for `ledger/table.rs`, `job` for `job.rs`.
pub(crate) fn room(path: &str) -> &str {
    path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

fn rank(room: &str) -> Option<u8> {
    RANKS.iter().find(|(name, _)| *name == room).map(|(_, rank)| *rank)
}

/// Every file below `src` but `lib.rs`, which is the list of the rooms.
pub(crate) fn rooms() -> Vec<(String, String)> {
    sources::sources().into_iter().filter(|(name, _)| name != "lib.rs").collect()
}

fn each_file(check: fn(&str, &str) -> Vec<String>) -> Vec<String> {
    rooms().iter().flat_map(|(path, text)| check(path, text)).collect()
}

#[track_caller]
fn assert_none(found: Vec<String>) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

// ---- tokens ----

/// Words, `::` and single signs, without comments and literals.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let skipped = literal(rest).or_else(|| comment(rest));
        let length = match skipped {
            Some(length) => length,
            None if word > 0 => word,
            None if rest.starts_with("::") => 2,
            None => next.len_utf8(),
        };
        if skipped.is_none() && !next.is_whitespace() {
            tokens.push(rest[..length].to_owned());
        }
        rest = &rest[length..];
    }
    tokens
}

/// The length of the comment that the text begins with. Block comments nest.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let (mut depth, mut at) = (0usize, 0);
    while text.starts_with("/*") && at < text.len() {
        let (step, length) = match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (1, 2),
            [b'*', b'/', ..] => (-1, 2),
            _ => (0, 1),
        };
        depth = depth.saturating_add_signed(step);
        at += length;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The length of the string or character that the text begins with, if it is one. Lifetimes are none.
fn literal(text: &str) -> Option<usize> {
    let prefix = text.find(|c| !matches!(c, 'b' | 'c' | 'r')).filter(|length| *length <= 2)?;
    let raw = text[..prefix].contains('r');
    let hashes = text[prefix..].bytes().take_while(|byte| raw && *byte == b'#').count();
    let quote = text[prefix + hashes..].chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let start = prefix + hashes + 1;
    if raw {
        let end = format!("\"{}", "#".repeat(hashes));
        return text[start..].find(&end).map(|at| start + at + end.len());
    }
    let inside = &text[start..];
    // 'a is a lifetime, 'a' a character.
    if quote == '\'' && !inside.starts_with('\\') && inside.chars().nth(1) != Some(quote) {
        return None;
    }
    let mut signs = inside.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\\' => drop(signs.next()),
            _ if sign == quote => return Some(start + at + 1),
            _ => {}
        }
    }
    None
}

/// Every path in the tokens, with the braces of `use` resolved, and `super` as far as it leaves the room.
pub(crate) fn paths(tokens: &[String], file: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut depth = file.trim_end_matches("/mod.rs").split('/').count();
    let mut braces: Vec<bool> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let word = |at: usize| tokens.get(at).map_or("", String::as_str);
        match word(at) {
            "{" => {
                let module = at >= 2 && word(at - 2) == "mod";
                braces.push(module);
                depth += usize::from(module);
            }
            "}" => depth -= usize::from(braces.pop().unwrap_or(false)),
            start if word(at + 1) == "::" && start.starts_with(|c: char| c.is_alphabetic()) => {
                let mut here = Vec::new();
                at = path(tokens, at, "", &mut here);
                found.extend(here.iter().map(|path| from_the_root(path, depth)));
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads one path, or one tree of a `use`, from `at`; returns where it ends.
fn path(tokens: &[String], mut at: usize, prefix: &str, found: &mut Vec<String>) -> usize {
    let mut path = prefix.to_owned();
    loop {
        match tokens.get(at).map_or("", String::as_str) {
            "{" => {
                at += 1;
                while !matches!(tokens.get(at).map_or("}", String::as_str), "}") {
                    at = self::path(tokens, at, &path, found).max(at + 1);
                    if tokens.get(at).is_some_and(|token| token == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            word => path += word,
        }
        at += 1;
        if tokens.get(at).is_none_or(|token| token != "::") {
            found.push(path);
            return at;
        }
        path += "::";
        at += 1;
    }
}

/// `super::super::x` in a module this deep below the root becomes `crate::x` if it gets there.
fn from_the_root(path: &str, depth: usize) -> String {
    let supers = path.split("::").take_while(|part| *part == "super").count();
    let rest = path.split("::").skip(supers).collect::<Vec<_>>().join("::");
    if supers > 0 && supers >= depth { format!("crate::{rest}") } else { path.to_owned() }
}

/// Tests may use files; they stand at the end of a file.
pub(crate) fn without_tests(mut tokens: Vec<String>) -> Vec<String> {
    let gate = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    if let Some(at) = tokens.windows(gate.len()).position(|window| window == gate) {
        tokens.truncate(at);
    }
    tokens
}
