//! Records made after what others reported, in `tests/data/found`.

use std::fs;

use serde_json::Value;

use super::chunk::data_file;

/// The records of one file, one a line.
pub fn found(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(data_file("found").join(name)).expect("test data");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Those of all files, in their order.
pub fn all_found() -> Vec<Value> {
    let folder = fs::read_dir(data_file("found")).expect("test data");
    let mut names: Vec<_> = folder.map(|file| file.expect("a file").file_name()).collect();
    names.sort();
    names.iter().flat_map(|name| found(name.to_str().expect("UTF-8"))).collect()
}
