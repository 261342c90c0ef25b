//! Compares the number of instructions from a chunk to a compressed body with the checked-in number: `make instructions`.
//!
//! Times differ between machines and runs; instructions hardly do. Each stage runs under callgrind twice, once only to
//! warm up; the difference is the cost of its rounds, because both runs include starting and loading. The result is
//! compared with the checked-in `benches/instructions.txt`. If a stage differs by more than 5 % in either direction, the
//! program ends with 1: a faster stage must be recorded too, or a later regression would go unnoticed.
//! `UPDATE_INSTRUCTIONS=1` writes the file anew.

#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]

mod callgrind;
mod kept;
mod machine;
mod rounds;
#[path = "../stages/mod.rs"]
mod stages;

use std::env;
use std::process::ExitCode;

use kept::Kept;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [flag, stage, rounds] = &arguments[..]
        && flag == rounds::FLAG
    {
        return rounds::run(stage, rounds.parse().expect("a number of rounds"));
    }
    if let [flag] = &arguments[..]
        && flag == machine::FLAG
    {
        return machine::print_features();
    }
    if !callgrind::is_installed() {
        println!("instructions: not counted, because valgrind is not installed");
        return ExitCode::SUCCESS;
    }
    let update = env::var_os("UPDATE_INSTRUCTIONS").is_some_and(|value| !value.is_empty());
    let kept = Kept::read();
    let machine = machine::text(&callgrind::features());
    if !update && kept.machine != machine {
        println!("instructions: not compared, because compiler or processor differ");
        println!("  kept with  {}\n  this is    {machine}", kept.machine);
        return ExitCode::SUCCESS;
    }
    let counted =
        rounds::STAGES.map(|stage| (stage.name.to_owned(), callgrind::instructions_an_event(&stage)));
    let now = Kept { machine, stages: counted.into() };
    let (table, agrees) = kept.compared_with(&now);
    println!("{table}");
    if update {
        now.write();
        return ExitCode::SUCCESS;
    }
    if agrees {
        return ExitCode::SUCCESS;
    }
    println!(
        "More than {} % off. If that is meant: UPDATE_INSTRUCTIONS=1 make instructions",
        kept::TOLERANCE
    );
    ExitCode::FAILURE
}
