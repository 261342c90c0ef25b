//! Does what the gateway will never take lie in the file, whole, and is the file left alone otherwise?
#![allow(clippy::unwrap_used, reason = "a test may fail, and reads the clock")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use event_gateway::config::DeadLetters;
use event_gateway::gateway::{DeadLetterError, DeadLetterFile, DeadLetterLine};
use serde_json::{Value, json};
use testkit::rerun;

fn open(path: &Path, max_bytes: u64) -> DeadLetterFile {
    let settings = DeadLetters { file: Some(path.to_owned()), max_bytes };
    DeadLetterFile::open(&settings).unwrap().unwrap()
}

fn letter(record: &str) -> DeadLetterLine<'_> {
    DeadLetterLine {
        time: "2026-01-02T03:04:05Z",
        id: "uid.7",
        status: Some(422),
        reason: "rejected",
        answer: "no \"such\"\nfield",
        record,
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.ndjson");
    (folder, path)
}

#[test]
fn a_letter_is_one_line_with_all_there_is_to_know() {
    let (_folder, path) = folder();
    let mut file = open(&path, 1 << 20);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "for its owner only");
    file.write(&letter(r#"{"reason":"BackOff","count":3}"#)).unwrap();
    file.write(&DeadLetterLine { status: None, ..letter("[1]") }).unwrap();
    let expected = json!({
        "time": "2026-01-02T03:04:05Z", "id": "uid.7", "status": 422, "reason": "rejected",
        "answer": "no \"such\"\nfield", "record": {"reason": "BackOff", "count": 3},
    });
    let lines = lines(&path);
    assert_eq!(lines[0], expected);
    assert_eq!((&lines[1]["status"], &lines[1]["record"]), (&Value::Null, &json!([1])));
}

#[test]
fn the_record_is_embedded_as_it_is() {
    let (_folder, path) = folder();
    // Order, spacing and digits stay: it is evidence.
    let record = r#"{"z": 1.50, "a": 123456789012345678901234567890, "é": "\u00e9"}"#;
    open(&path, 1 << 20).write(&letter(record)).unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains(record));
}

#[test]
fn a_record_that_is_no_json_does_not_spoil_the_file() {
    let (_folder, path) = folder();
    let mut file = open(&path, 1 << 20);
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let odd = ["", "no json", "{\"a\":1", "{}{}", "a\nb\u{0}", "\"\\ud800\"", "1e999", &deep];
    for record in odd {
        file.write(&letter(record)).unwrap();
    }
    file.write(&letter("{\n  \"a\": 1,\r\n  \"b\": \"\\n\"\n}\n")).unwrap();
    let lines = lines(&path);
    assert_eq!(lines.len(), odd.len() + 1);
    for (line, record) in lines.iter().zip(odd) {
        assert_eq!(line["record"], json!(record));
    }
    assert_eq!(lines[odd.len()]["record"], json!({"a": 1, "b": "\n"}), "pretty JSON becomes one line");
}

#[test]
fn nothing_is_written_beyond_the_cap() {
    let (_folder, path) = folder();
    let mut file = open(&path, 1_000);
    let mut written = 0;
    let full = loop {
        match file.write(&letter("{}")) {
            Ok(()) => written += 1,
            Err(full) => break full,
        }
    };
    assert!(matches!(full, DeadLetterError::Full { max_bytes: 1_000, .. }), "{full:?}");
    assert!(full.to_string().contains("dead_letter_max_bytes"), "{full}");
    let len = fs::metadata(&path).unwrap().len();
    let one = len / written;
    assert!(len <= 1_000 && len + one > 1_000, "{written} letters in {len} bytes");
    assert_eq!(lines(&path).len() as u64, written);
    // A person makes room, in one way or the other.
    fs::File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    file.write(&letter("{}")).unwrap();
    assert_eq!(lines(&path).len(), 1);
}

#[test]
fn the_cap_counts_what_is_there_already_and_fits_exactly() {
    let (_folder, path) = folder();
    open(&path, 1 << 20).write(&letter("{}")).unwrap();
    let one = fs::metadata(&path).unwrap().len();
    let mut file = open(&path, one * 3);
    file.write(&letter("{}")).unwrap();
    file.write(&letter("{}")).unwrap();
    assert!(matches!(file.write(&letter("{}")), Err(DeadLetterError::Full { .. })));
    assert_eq!(fs::metadata(&path).unwrap().len(), one * 3);
}

#[test]
fn a_file_taken_away_is_made_again() {
    let (folder, path) = folder();
    let mut file = open(&path, 1 << 20);
    file.write(&letter("1")).unwrap();
    let moved = folder.path().join("moved.ndjson");
    fs::rename(&path, &moved).unwrap();
    file.write(&letter("2")).unwrap();
    assert_eq!(lines(&moved).len(), 1);
    assert_eq!(lines(&path)[0]["record"], 2);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    fs::remove_file(&path).unwrap();
    file.write(&letter("3")).unwrap();
    assert_eq!(lines(&path)[0]["record"], 3);

    // Renamed, and another made by logrotate's `create`.
    fs::rename(&path, &moved).unwrap();
    fs::write(&path, "").unwrap();
    file.write(&letter("4")).unwrap();
    assert_eq!(lines(&path)[0]["record"], 4);
    assert_eq!(lines(&moved)[0]["record"], 3);
}

#[test]
fn a_folder_taken_away_is_an_error_until_it_is_back() {
    let (folder, _) = folder();
    let path = folder.path().join("sub/dead.ndjson");
    fs::create_dir(folder.path().join("sub")).unwrap();
    let mut file = open(&path, 1 << 20);
    fs::remove_dir_all(folder.path().join("sub")).unwrap();
    let error = file.write(&letter("1")).unwrap_err();
    assert!(matches!(error, DeadLetterError::Io { .. }), "{error:?}");
    assert!(error.to_string().contains("dead.ndjson"), "{error}");
    fs::create_dir(folder.path().join("sub")).unwrap();
    file.write(&letter("2")).unwrap();
    assert_eq!(lines(&path)[0]["record"], 2);
}

#[test]
fn half_a_line_from_a_crash_swallows_no_letter() {
    let (_folder, path) = folder();
    fs::write(&path, "{\"time\":\"20").unwrap();
    let mut file = open(&path, 1 << 20);
    file.write(&letter("1")).unwrap();
    file.write(&letter("2")).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1..].iter().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}

#[test]
fn what_cannot_be_opened_is_an_error() {
    let (folder, path) = folder();
    fs::write(&path, "").unwrap();
    let below_a_file = path.join("dead.ndjson");
    let missing_folder = folder.path().join("no/such/dead.ndjson");
    let bad = [
        Path::new("/proc/dead.ndjson"),
        Path::new("/dev/null"),
        folder.path(),
        &below_a_file,
        &missing_folder,
    ];
    for path in bad {
        let settings = DeadLetters { file: Some(path.to_owned()), max_bytes: 1 << 20 };
        let error = DeadLetterFile::open(&settings).unwrap_err();
        assert_eq!(error.key, "dead_letter_file");
        assert!(error.problem.contains(&path.display().to_string()), "{error}");
    }
    assert!(DeadLetterFile::open(&DeadLetters { file: None, max_bytes: 1 }).unwrap().is_none());
}

/// Run by the test below, in a process that may write small files only.
#[test]
#[ignore = "a part of a_write_cut_short_leaves_nothing"]
fn a_limit_on_the_size_of_files_loses_no_letter() {
    let (_folder, path) = folder();
    let mut file = open(&path, 1 << 20);
    file.write(&letter("1")).unwrap();
    let before = fs::read(&path).unwrap();
    for _ in 0..3 {
        // The first part of the line fits below the limit, and is written.
        let error = file.write(&letter(&format!("\"{}\"", "x".repeat(100_000)))).unwrap_err();
        assert!(matches!(error, DeadLetterError::Io { .. }), "{error:?}");
        assert_eq!(fs::read(&path).unwrap(), before, "half a letter stayed");
    }
    file.write(&letter("2")).unwrap();
    assert_eq!(lines(&path).len(), 2);
}

#[test]
fn a_write_cut_short_leaves_nothing() {
    // A full disk, as far as a process can tell. The signal that goes with the limit is ignored.
    let limited = rerun::command(module_path!(), "a_limit_on_the_size_of_files_loses_no_letter");
    let script = "trap '' XFSZ; ulimit -f 4; exec \"$0\" \"$@\"";
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg(limited.get_program()).args(limited.get_args());
    rerun::assert_passed(&shell.output().unwrap());
}
