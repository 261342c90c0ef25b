//! The checked-in figures: a line that names the machine they are for, then one line per stage.

use std::fmt::Write;
use std::fs;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");
/// How many percent a stage may differ.
pub const TOLERANCE: f64 = 5.0;

/// Instructions per event, by stage.
#[derive(Default)]
pub struct Kept {
    pub machine: String,
    pub stages: Vec<(String, u64)>,
}

impl Kept {
    /// Empty if there is no file.
    pub fn read() -> Self {
        let text = fs::read_to_string(FILE).unwrap_or_default();
        let mut lines = text.lines();
        let machine = lines.next().unwrap_or_default().to_owned();
        let stage = |line: &str| {
            let (stage, count) = line.rsplit_once(' ')?;
            Some((stage.trim_end().to_owned(), count.parse().ok()?))
        };
        Self { machine, stages: lines.filter_map(stage).collect() }
    }

    pub fn write(&self) {
        let mut text = format!("{}\n", self.machine);
        for (stage, count) in &self.stages {
            writeln!(text, "{stage:<20} {count:>8}").expect("a string");
        }
        fs::write(FILE, text).expect("a file that can be written");
    }

    /// A table of both, and whether all stages are within the tolerance.
    pub fn compared_with(&self, now: &Self) -> (String, bool) {
        let mut table =
            format!("{:<22}{:>8}{:>10}{:>11}\n", "instructions an event", "kept", "now", "change");
        let mut agrees = self.stages.len() == now.stages.len();
        for (stage, count) in &now.stages {
            let kept = self.stages.iter().find(|(name, _)| name == stage).map(|(_, kept)| *kept);
            let change = kept.map(|kept| (*count as f64 / kept as f64 - 1.0) * 100.0);
            let within = change.is_some_and(|change| change.abs() <= TOLERANCE);
            let kept = kept.map_or_else(|| "–".to_owned(), |kept| kept.to_string());
            let change = change.map_or_else(|| "new".to_owned(), |change| format!("{change:+.2} %"));
            let mark = if within { "" } else { "  <" };
            writeln!(table, "{stage:<22}{kept:>8}{count:>10}{change:>11}{mark}").expect("a string");
            agrees &= within;
        }
        (table, agrees)
    }
}
