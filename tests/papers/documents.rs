//! The texts of the repository that people read, for tests that hold them to something.

use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Markdown file of the repository, by its path from the root.
pub fn documents() -> Vec<(String, String)> {
    texts(&files(root(), &["md"]))
}

/// The sample configurations and manifests.
pub fn samples() -> Vec<(String, String)> {
    texts(&files(&root().join("fluent-bit-conf"), &["conf", "yaml", "json"]))
}

/// The comments of our sources, without the slashes; a literal may name a document, too.
pub fn comments() -> Vec<(String, String)> {
    let places = ["src", "testkit/src", "examples", "benches", "tests"];
    let files: Vec<PathBuf> = places.iter().flat_map(|place| files(&root().join(place), &["rs"])).collect();
    texts(&files).into_iter().map(|(file, text)| (file, of_comments(&text))).collect()
}

pub fn of_comments(text: &str) -> String {
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("//"));
    lines.map(|line| format!("{}\n", line.trim_start_matches(['/', '!']))).collect()
}

/// The code of a document: what is in backticks, on one line, and each line of a block.
pub fn code(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, part) in text.split("```").enumerate() {
        if number % 2 == 1 {
            found.extend(part.replace("\\\n", " ").lines().map(str::to_owned));
        } else {
            let spans = part.split('`').skip(1).step_by(2);
            found.extend(spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
    }
    found
}

/// The files below a folder with one of these endings, in order; neither what is built nor test data.
pub fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_hidden = name.starts_with('.') && ![".github", ".devcontainer"].contains(&name);
        let is_ours = !is_hidden && !["target", "dist", "corpus", "artifacts", "data"].contains(&name);
        match path.extension().and_then(|ending| ending.to_str()) {
            _ if is_ours && path.is_dir() => found.extend(files(&path, endings)),
            Some(ending) if endings.contains(&ending) => found.push(path),
            _ => {}
        }
    }
    found.sort();
    found
}

fn texts(files: &[PathBuf]) -> Vec<(String, String)> {
    let name = |file: &PathBuf| file.strip_prefix(root()).expect("below the root").display().to_string();
    let text = |file: &PathBuf| fs::read_to_string(file).expect("a readable file");
    files.iter().map(|file| (name(file), text(file))).collect()
}
