//! The plugin's own source, for tests that hold it to something.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file below `src`, in order: its path from there, and its text.
pub fn sources() -> Vec<(String, String)> {
    let root = crate::places::repository().join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let named = files.into_iter().map(|file| {
        let name = file.strip_prefix(&root).expect("a file below src").to_str().expect("a plain name");
        (name.replace('\\', "/"), fs::read_to_string(&file).expect("a readable source"))
    });
    named.collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        match path.extension() {
            _ if path.is_dir() => collect(&path, files),
            Some(extension) if extension == "rs" => files.push(path),
            _ => {}
        }
    }
}
