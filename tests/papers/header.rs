//! Is include/event_gateway.h what build.rs makes of the border, and does a C compiler take it?
//!
//! `make header` runs this with UPDATE_HEADER=1, which writes the file instead of complaining.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// What build.rs has just made.
const MADE: &str = include_str!(concat!(env!("OUT_DIR"), "/event_gateway.h"));

fn checked_in() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/include/event_gateway.h"))
}

#[test]
fn the_checked_in_header_is_fresh() {
    let file = checked_in();
    if env::var_os("UPDATE_HEADER").is_some() {
        fs::write(&file, MADE).expect("a header that can be written");
    }
    let text = fs::read_to_string(&file).unwrap_or_default();
    assert!(text == MADE, "include/event_gateway.h is stale: run `make header` and look at the difference");
}

#[test]
fn the_header_names_what_the_host_calls() {
    for name in ["FLBPluginRegister", "FLBPluginInit", "FLBPluginFlushCtx", "FLBPluginExitCtx"] {
        assert!(MADE.contains(&format!("int {name}(")), "{name} is not in the header");
    }
}

#[test]
fn the_header_is_good_c() {
    let output = compile("c", &["-std=c99", "-pedantic"], "#include \"event_gateway.h\"\n");
    assert_eq!(complaints(&output), "");
}

#[test]
fn the_header_is_good_cpp() {
    // A C compiler may come without its C++ half, and we ask for no more than C.
    if !compile("c++", &[], "").status.success() {
        return;
    }
    let output = compile("c++", &["-std=c++11", "-pedantic"], "#include \"event_gateway.h\"\n");
    assert_eq!(complaints(&output), "");
}

/// Has the C compiler check a text, twice included to try the guard.
fn compile(language: &str, flags: &[&str], text: &str) -> Output {
    use std::io::Write;
    let folder = checked_in().parent().expect("a folder").to_owned();
    let mut child = Command::new(env::var("CC").as_deref().unwrap_or("cc"))
        .args(["-fsyntax-only", "-Wall", "-Wextra", "-x", language])
        .args(flags)
        .arg("-I")
        .arg(folder)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("running cc (a C compiler is needed)");
    child.stdin.take().expect("piped").write_all(text.repeat(2).as_bytes()).expect("a compiler that reads");
    child.wait_with_output().expect("the end of cc")
}

/// What the compiler said; warnings count.
fn complaints(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() || !said.is_empty() { said } else { output.status.to_string() }
}
