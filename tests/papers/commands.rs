//! Does every command that a text names run something: the test program and what its filter matches, the bench, the example,
//! the target of make?

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::documents::{code, comments, documents, files, root};

#[test]
fn every_command_runs_something() {
    let makefile = fs::read_to_string(root().join("Makefile")).expect("the Makefile");
    let lines = makefile.replace("\\\n", " ");
    let of_make = lines.lines().filter(|line| !line.starts_with('#')).map(expanded).collect();
    let texts = documents().into_iter().chain(comments());
    let mut all: Vec<(String, Vec<String>)> = texts.map(|(file, text)| (file, code(&text))).collect();
    all.push(("Makefile".to_owned(), of_make));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (file, commands) in all {
        for command in commands {
            seen += usize::from(command.contains("--test "));
            wrong.extend(idle(&command, &makefile).into_iter().map(|what| format!("{file}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= 50, "{seen} commands with --test");
}

/// A check that cannot fail checks nothing.
#[test]
fn a_command_that_runs_nothing_is_found() {
    let found = |command: &str| idle(command, "all: ## x\nfoo-bar: all\n").len();
    for good in [
        "X=1 cargo test --locked --test papers -- --nocapture",
        "cargo test --test papers commands",
        "cargo test --test papers -- --exact --nocapture commands::every_command_runs_something",
        "cargo test --test papers --test demo third_party",
        "$(CARGO) bench --bench journey --bench host",
        "cargo run --quiet --example doctor -- URL",
        "make foo-bar ARGS=1",
        "make && make all foo-bar",
    ] {
        assert_eq!(found(good), 0, "{good}");
    }
    for bad in [
        "cargo test --test nothing",
        "cargo test --test papers no_such_test",
        "cargo test --test papers -- commands no_such_test",
        "cargo test --test papers -- --exact every_command_runs_something",
        "cargo bench --bench nothing",
        "cargo run --example nothing",
        "make nothing",
        "make all nothing",
    ] {
        assert_eq!(found(bad), 1, "{bad}");
    }
}

/// A line of the Makefile with the words that `patsubst` makes.
fn expanded(line: &str) -> String {
    let parts = line.split_once("$(patsubst %,").and_then(|(before, rest)| {
        let (pattern, rest) = rest.split_once(',')?;
        let (names, after) = rest.split_once(')')?;
        let words: Vec<String> = names.split_whitespace().map(|name| pattern.replace('%', name)).collect();
        Some(format!("{before}{}{after}", words.join(" ")))
    });
    parts.unwrap_or_else(|| line.to_owned())
}

/// What a command names and what is not there.
fn idle(command: &str, makefile: &str) -> Vec<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let behind = |option: &str| -> Vec<&str> {
        let pairs = words.windows(2).filter(|pair| pair[0] == option);
        pairs.map(|pair| pair[1]).filter(|name| name.starts_with(char::is_alphabetic)).collect()
    };
    let (programs, benches, examples) = (behind("--test"), behind("--bench"), behind("--example"));
    let mut wrong: Vec<String> = Vec::new();
    let missing = |names: &[&str], folder: &str| -> Vec<String> {
        let missing = names.iter().filter(|name| program(folder, name).is_none());
        missing.map(|name| format!("{command}: no {name} in {folder}")).collect()
    };
    wrong.extend(missing(&programs, "tests"));
    wrong.extend(missing(&benches, "benches"));
    wrong.extend(missing(&examples, "examples"));
    if wrong.is_empty() && !programs.is_empty() {
        let tests: BTreeSet<String> = programs.iter().flat_map(|program| tests(program)).collect();
        let is_exact = words.contains(&"--exact");
        let matches =
            |test: &String, filter: &str| if is_exact { test == filter } else { test.contains(filter) };
        let idle =
            filters(&words).into_iter().filter(|filter| !tests.iter().any(|test| matches(test, filter)));
        wrong.extend(idle.map(|filter| format!("{command}: no test matches {filter}")));
    }
    wrong.extend(
        targets(&words)
            .filter(|target| {
                !makefile.contains(&format!("\n{target}:")) && !makefile.starts_with(&format!("{target}:"))
            })
            .map(|target| format!("{command}: make has no {target}")),
    );
    wrong
}

/// The words that choose tests: those behind the last test program, and behind `--`, that are no options.
fn filters<'t>(words: &[&'t str]) -> Vec<&'t str> {
    let Some(last) = words.iter().rposition(|word| *word == "--test") else { return Vec::new() };
    let chosen = words.iter().skip(last + 2).take_while(|word| !["|", "&&", ";", "#"].contains(word));
    chosen.copied().filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_')).collect()
}

/// The targets that `make` is asked for.
fn targets<'t>(words: &'t [&'t str]) -> impl Iterator<Item = &'t str> {
    let mut is_make = false;
    words.iter().copied().filter(move |word| {
        let is_target = is_make && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        is_make = *word == "make" || is_target;
        is_target && !word.starts_with('-')
    })
}

/// The file or the folder of a program.
fn program(folder: &str, name: &str) -> Option<std::path::PathBuf> {
    let folder = root().join(folder);
    let file = folder.join(format!("{name}.rs"));
    let main = folder.join(name).join("main.rs");
    if file.is_file() { Some(file) } else { main.is_file().then(|| folder.join(name)) }
}

/// The paths of the tests of a program, as far as the source shows them.
fn tests(name: &str) -> Vec<String> {
    let Some(place) = program("tests", name) else { return Vec::new() };
    let sources = if place.is_dir() { files(&place, &["rs"]) } else { vec![place.clone()] };
    let mut found = Vec::new();
    for source in sources {
        let path = source.strip_prefix(&place).unwrap_or(Path::new("")).with_extension("");
        let parts =
            path.iter().filter_map(|part| part.to_str()).filter(|part| !["main", "mod"].contains(part));
        let module = parts.collect::<Vec<_>>().join("::");
        let text = fs::read_to_string(&source).expect("a readable source");
        for rest in text.split("#[test]").skip(1) {
            let name = rest.split("fn ").nth(1).and_then(|rest| rest.split(['(', '<']).next());
            found.extend(name.map(|name| format!("{module}::{name}")));
        }
    }
    found
}
