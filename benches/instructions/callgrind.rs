//! Runs this program under callgrind and reads the count.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::machine;
use crate::rounds::{self, Stage};

/// Uncounted rounds, in which buffers reach their size.
const WARM_UP: usize = 2;

pub fn is_installed() -> bool {
    let answer =
        Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    answer.is_ok_and(|status| status.success())
}

/// The processor's features as a program under valgrind sees them: valgrind emulates a processor.
pub fn features() -> String {
    let child = this_program(Command::new("valgrind").args(["--quiet", "--tool=none"]), &[machine::FLAG]);
    said_by(child).trim().to_owned()
}

/// The difference between a run that only warms up and a run that also has the counted rounds.
pub fn instructions_an_event(stage: &Stage) -> u64 {
    // Both run at the same time: they do not disturb each other, and most machines have two processors.
    let runs = [WARM_UP, WARM_UP + stage.rounds].map(|rounds| {
        // The name has the process id, because two of this program may run.
        let file = env::temp_dir().join(format!("instructions-{}-{rounds}.callgrind", std::process::id()));
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--tool=callgrind"]);
        valgrind.arg(format!("--callgrind-out-file={}", file.display()));
        (this_program(&mut valgrind, &[rounds::FLAG, stage.name, &rounds.to_string()]), file)
    });
    let [(_, warm_up), (events, all)] = runs.map(|(child, file)| {
        let events: u64 = said_by(child).trim().parse().expect("the number of events");
        (events, total(&file))
    });
    let events = events * stage.rounds as u64;
    (all - warm_up + events / 2) / events
}

fn this_program(valgrind: &mut Command, arguments: &[&str]) -> Child {
    let program = env::current_exe().expect("the path of this program");
    valgrind.arg(program).args(arguments).stdout(Stdio::piped()).spawn().expect("valgrind")
}

fn said_by(child: Child) -> String {
    let output = child.wait_with_output().expect("the end of valgrind");
    assert!(output.status.success(), "valgrind ended with {}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Reads the number of instructions, and removes the file.
fn total(file: &PathBuf) -> u64 {
    let text = fs::read_to_string(file).expect("what callgrind counted");
    fs::remove_file(file).expect("a file that goes away");
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total.and_then(|total| total.trim().parse().ok()).expect("a line of totals")
}
