//! Does `cargo run --example render` show what the plugin delivers, and what docs/templates.md says it shows?

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::support;
use super::{ask, show};
use support::gateway::TestGateway;
use support::host::{Build, Code};
use support::{chunk, event};

pub fn shown(words: &[&str], input: &str) -> Result<show::Shown, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = ask::settings(words.iter().map(|word| (*word).to_owned()), folder.path())?;
    show::show(&settings, input.as_bytes())
}

pub fn bodies(words: &[&str], input: &str) -> String {
    let shown = shown(words, input).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(shown.trouble, [""; 0]);
    String::from_utf8(shown.text).expect("UTF-8")
}

#[test]
fn it_shows_what_a_gateway_gets() {
    let mut records = support::audit_log();
    records.truncate(20);
    records.push(json!({"items": [event("a", 1, 3), event("b", 2, 1)], "kind": "List", "apiVersion": "v1"}));
    records.push(json!({"log": event("c", 1, 2).to_string()}));
    // A repetition, an update, and one that the settings leave out.
    records.extend([event("a", 1, 3), event("a", 3, 5)]);
    let mut left_out = event("d", 1, 1);
    left_out["reason"] = json!("LeftOut");
    records.push(left_out);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("template.json");
    std::fs::write(&file, "{\"id\": \"{{ id }}\", \"n\": \"{{ record }}\"}").expect("a file");
    let file = file.to_str().expect("UTF-8");
    let input: String = records.iter().map(|record| format!("{record}\n")).collect();
    let heeded = [
        ("cluster_name", "c"),
        ("exclude_reasons", "Left*"),
        ("redact", "message, audit.user.extra"),
        ("redact_hash", "audit.user.name"),
        ("audit_bodies", "on"),
    ];
    for format in ["native", "raw", "cloudevents_batch", "template"] {
        let mut settings = vec![("format", format), ("compress", "none")];
        settings.extend(heeded);
        let dashed = heeded.map(|(key, _)| format!("--{}", key.replace('_', "-")));
        let mut words = vec!["--format", format];
        words.extend(dashed.iter().zip(heeded).flat_map(|(key, (_, value))| [&**key, value]));
        if format == "template" {
            settings.push(("template_file", file));
            words.extend(["--template-file", file]);
        }
        let gateway = TestGateway::start();
        let mut host = support::started(Build::V5_1_1, &gateway, &settings);
        assert_eq!(host.deliver("a", "t", &chunk::of(&records)), Code::Ok);
        host.quit();
        let requests = gateway.requests();
        let delivered = String::from_utf8_lossy(&requests[0].body);
        assert_eq!(bodies(&words, &input).trim_end(), delivered.trim_end(), "{format}");
    }
}

#[test]
fn forms_are_those_of_the_batches() {
    let input = format!("{} {}", event("a", 1, 1), event("b", 1, 1));
    let count = |words: &[&str]| bodies(words, &input).lines().count();
    assert_eq!(count(&["--format", "cloudevents"]), 2);
    assert_eq!(count(&["--format", "cloudevents_batch"]), 1);
    assert_eq!(count(&[]), 2);
}

#[test]
fn trouble_is_reported() {
    for (words, input, expected) in [
        (&["--nothing", "x"][..], "{}", "--nothing: expected --format"),
        (&["--format"], "{}", "--format: its value is not there"),
        (&["--format", "x"], "{}", "format: \"x\" is not one of the choices"),
        (&["--format", "template", "--template-file", "/no/file"], "{}", "/no/file cannot be read"),
        (&[], "", "no record"),
        (&[], "{\"a\": 1} {", "record 2 is no JSON: EOF"),
    ] {
        let why = shown(words, input).map(|_| ()).expect_err(expected);
        assert!(why.contains(expected), "{why}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("template.json");
    std::fs::write(&file, "{\"a\": \"{{ message }}{{ message }}{{ message }}\"}").expect("a file");
    let mut large = event("large", 1, 1);
    large["message"] = json!("m".repeat(500_000));
    let input = format!("{large}{}", event("small", 1, 1));
    let file = file.to_str().expect("UTF-8");
    let words = ["--format", "template", "--template-file", file, "--max-message-bytes", "1M"];
    let shown = shown(&words, &input).unwrap_or_else(|why| panic!("{why}"));
    assert!(shown.trouble[0].starts_with("large.1: the format cannot hold it ("), "{:?}", shown.trouble);
    assert_eq!(shown.trouble.len(), 1);
    assert_eq!(shown.text.split(|byte| *byte == b'\n').count(), 2);
}

/// The sample in docs/templates.md, as a shell would run it.
#[test]
fn the_document_shows_what_it_shows() {
    let root = env!("CARGO_MANIFEST_DIR");
    let page = std::fs::read_to_string(format!("{root}/docs/templates.md")).expect("the document");
    let block = page.split("```").skip(1).step_by(2).find(|block| block.contains("--example render"));
    let block = block.expect("a sample").trim_start_matches("console\n");
    let (command, said) = block
        .rsplit_once("EOF\n{")
        .map(|(command, said)| (command, format!("{{{said}")))
        .expect("its output");
    let (first, record) = command.split_once('\n').expect("a record");
    let words = first.strip_prefix("$ cargo run --example render -- ").expect("the command");
    let words: Vec<&str> = words.trim_end_matches("<<EOF").split_whitespace().collect();
    let mut cargo = Command::new(env!("CARGO"));
    // Cargo describes its package to a test in variables, and the build script of `ring` runs again where one differs: all
    // that uses TLS would be built twice, here and by the next command.
    let of_a_package = |name: &String| {
        name == "OUT_DIR"
            || ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_"].iter().any(|one| name.starts_with(one))
    };
    for (name, _) in std::env::vars().filter(|(name, _)| of_a_package(name)) {
        cargo.env_remove(name);
    }
    let mut child = cargo
        .args(["run", "--locked", "--quiet", "--example", "render", "--"])
        .args(&words)
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("cargo");
    child.stdin.take().expect("a pipe").write_all(record.as_bytes()).expect("a reader");
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success());
    let parse = |text: &str| -> Value { serde_json::from_str(text).expect("JSON") };
    assert_eq!(parse(&String::from_utf8_lossy(&output.stdout)), parse(&said));
}
