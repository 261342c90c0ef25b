//! What lies in a folder of files, as whoever takes them away reads it.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::ids_of;

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let name = |entry: fs::DirEntry| entry.file_name().to_str().expect("UTF-8").to_owned();
    let mut names: Vec<_> = entries.map(|entry| name(entry.expect("a folder"))).collect();
    names.sort();
    names
}

/// Those that a glob for `*.ndjson*` finds.
pub fn complete(folder: &Path) -> Vec<String> {
    names(folder).into_iter().filter(|name| name.contains(".ndjson") && !name.starts_with('.')).collect()
}

/// Those that are being written.
pub fn parts(folder: &Path) -> Vec<String> {
    names(folder).into_iter().filter(|name| name.ends_with(".part")).collect()
}

/// The ids in the complete files, in the order of their names. Each file is read to its end.
pub fn ids_in(folder: &Path) -> Vec<String> {
    complete(folder).iter().flat_map(|name| ids_of(&content(&folder.join(name)))).collect()
}

fn content(path: &Path) -> Vec<u8> {
    let mut file = File::open(path).expect("a file");
    let mut bytes = Vec::new();
    if path.extension().is_some_and(|end| end == "gz") {
        let read = MultiGzDecoder::new(file).read_to_end(&mut bytes);
        read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    } else {
        file.read_to_end(&mut bytes).expect("a file");
    }
    bytes
}

/// The ids of whatever is whole in all files, those that are being written included.
pub fn whole_ids(folder: &Path) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names(folder) {
        let path = folder.join(&name);
        let mut bytes = Vec::new();
        if name.contains(".gz") {
            // What was read before the end is torn is there.
            let _ = MultiGzDecoder::new(File::open(&path).expect("a file")).read_to_end(&mut bytes);
        } else {
            bytes = fs::read(&path).expect("a file");
        }
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        ids.extend(ids_of(&bytes[..end]));
    }
    ids
}

pub fn letter_ids(letters: &Path) -> Vec<String> {
    let text = fs::read_to_string(letters).unwrap_or_default();
    let id = |line: &str| {
        let letter: Value = serde_json::from_str(line).expect("a letter");
        letter["id"].as_str().expect("an id").to_owned()
    };
    text.lines().map(id).collect()
}
