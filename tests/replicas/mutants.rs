//! Does the model find each change that breaks the protocol?
//!
//! Each mutant is a copy of the protocol's files with one change. All copies are compiled into one program together with the
//! model, and each is explored until a promise is broken.

mod changes;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use changes::{CHANGES, Change};

/// How many walks through a mutant are tried at most. A mutant that survives them is not caught.
const MOST: u64 = 2_000_000;
/// A run of all tests tries so many mutants; `MUTANTS` says how many, `make replicas` tries all.
const FEW: usize = 3;

#[test]
fn the_model_catches_every_mutant() {
    let count = std::env::var("MUTANTS").ok().and_then(|text| text.parse().ok()).unwrap_or(FEW);
    let changes: Vec<&Change> = CHANGES.iter().take(count).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let program = compile(folder.path(), &changes);
    let output = Command::new(program).output().expect("the program of the mutants runs");
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{said}");
    let caught = said.lines().filter(|line| line.starts_with("caught")).count();
    assert_eq!(caught, changes.len(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// Each change must find the text that it replaces, exactly once.
#[test]
fn each_change_finds_its_text() {
    for change in CHANGES {
        let found = fs::read_to_string(change.source()).expect("a source file").matches(change.from).count();
        assert_eq!(found, 1, "{}: {} times in {}", change.name, found, change.file);
    }
}

/// Writes the program and compiles it.
fn compile(folder: &Path, changes: &[&Change]) -> std::path::PathBuf {
    let mut main = String::from("#![allow(dead_code, unused, unknown_lints)]\n");
    for (number, change) in changes.iter().enumerate() {
        let copy = folder.join(format!("m{number}"));
        for room in ["protocol", "model"] {
            fs::create_dir_all(copy.join(room)).expect("a folder");
            for file in changes::files(room) {
                let mut text = fs::read_to_string(&file).expect("a source file");
                if file == change.source() {
                    text = text.replace(change.from, change.to);
                }
                let name = file.file_name().expect("a file's name");
                fs::write(copy.join(room).join(name), text).expect("a copy");
            }
        }
        let path = |room: &str| copy.join(room).join("mod.rs").display().to_string();
        writeln!(
            main,
            "mod m{number} {{ #[path = {:?}] pub mod protocol; #[path = {:?}] pub mod model; }}",
            path("protocol"),
            path("model")
        )
        .expect("text");
    }
    main.push_str("fn main() {\n");
    for (number, change) in changes.iter().enumerate() {
        writeln!(
            main,
            "    match m{number}::model::search(0..{MOST}) {{ Some((seed, broken, _)) => println!(\"caught by seed {{seed}}: {{}}: \
             {{broken}}\", {:?}), None => println!(\"SURVIVES: {{}}\", {:?}) }}",
            change.name, change.name
        )
        .expect("text");
    }
    main.push_str("}\n");
    let source = folder.join("main.rs");
    fs::write(&source, main).expect("the program");
    let program = folder.join("mutants");
    let status = Command::new("rustc")
        .args(["--edition", "2024", "-C", "opt-level=1", "-o"])
        .arg(&program)
        .arg(&source)
        .status()
        .expect("rustc");
    assert!(status.success(), "the mutants do not compile");
    program
}
