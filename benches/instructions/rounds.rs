//! The work that runs under callgrind: a number of rounds of one stage.

use std::process::ExitCode;

use event_gateway::config::FormatName;

use crate::stages::recorded::Recorded;
use crate::stages::work::{self, Work};

/// The argument before the stage and the number of rounds.
pub const FLAG: &str = "--rounds-of";

/// One stage, and how it is counted.
pub struct Stage {
    pub name: &'static str,
    prepare: fn(&'static Recorded) -> Work,
    /// The counted rounds. A stage with few instructions needs more rounds, because the random seeds of the ledger's tables
    /// cause variation.
    pub rounds: usize,
}

/// The stages in the order in which a record passes them; the last one is all of them together.
pub const STAGES: [Stage; 6] = [
    Stage { name: "decode", prepare: work::decode, rounds: 16 },
    Stage { name: "judge", prepare: work::judge, rounds: 320 },
    Stage { name: "render native", prepare: |events| work::render(events, FormatName::Native), rounds: 16 },
    Stage {
        name: "render cloudevents",
        prepare: |events| work::render(events, FormatName::CloudEvents),
        rounds: 16,
    },
    Stage { name: "gzip", prepare: work::pack, rounds: 16 },
    Stage { name: "chunk to gzip", prepare: work::journey, rounds: 32 },
];

/// Runs a stage and says how many events a round has.
pub fn run(stage: &str, rounds: usize) -> ExitCode {
    let recorded = Recorded::load();
    let Some(stage) = STAGES.iter().find(|known| known.name == stage) else { return ExitCode::FAILURE };
    let mut work = (stage.prepare)(recorded);
    (0..rounds).for_each(|_| work());
    println!("{}", recorded.events.len());
    ExitCode::SUCCESS
}
