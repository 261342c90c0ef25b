//! Runs one test of a program once more, in a process of its own: with another environment or another limit.

use std::process::{Command, Output};

/// The test as `--exact` names it. `module` is the caller's `module_path!()`.
#[must_use]
pub fn named(module: &str, test: &str) -> String {
    // The name of the program comes first, and no test has it in its own.
    let (_, inside) = module.split_once("::").expect("a module of a test program");
    format!("{inside}::{test}")
}

/// This program with that one test, also if it is ignored.
#[must_use]
pub fn command(module: &str, test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the path of this program"));
    command.args(["--include-ignored", "--exact", &named(module, test)]);
    command
}

/// Whether the test ran and passed. A program that has no such test succeeds, too, and shows nothing.
///
/// # Panics
/// If it did not.
pub fn assert_passed(output: &Output) {
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}\n{stderr}");
}
