//! The summary of each variant over all rounds: the median, and the spread.

use crate::run::Measured;
use crate::variant::Variant;

/// The median, the minimum and the maximum of the rounds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    pub fn of(mut numbers: Vec<f64>) -> Self {
        numbers.sort_unstable_by(f64::total_cmp);
        let (count, at) = (numbers.len(), |place: usize| numbers[place]);
        assert!(count > 0, "no round, no numbers");
        Spread { median: (at((count - 1) / 2) + at(count / 2)) / 2.0, least: at(0), most: at(count - 1) }
    }
}

/// A variant in all rounds, minus the bare host in the same round.
pub struct Row {
    pub variant: Variant,
    /// Processor time, in microseconds per event.
    pub cpu_us: Spread,
    /// Memory in MiB after the start, after the work, and at its peak.
    pub at_start_mib: Spread,
    pub at_end_mib: Spread,
    pub peak_mib: Spread,
    pub sent_bytes: f64,
    /// The share of events that name a Service.
    pub matched: f64,
}

/// All rounds with their variants; the first variant is the bare host.
pub struct Rounds {
    pub events: usize,
    pub passes: usize,
    pub event_bytes: usize,
    pub rounds: Vec<Vec<Measured>>,
}

impl Rounds {
    pub fn lines(&self) -> f64 {
        (self.events * self.passes) as f64
    }

    pub fn cpu_us(&self, measured: &Measured) -> f64 {
        measured.cpu.as_secs_f64() * 1e6 / self.lines()
    }

    /// The cost of an event in the bare host.
    pub fn bare_cpu_us(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|round| self.cpu_us(&round[0])).collect())
    }

    pub fn bare_mib(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|round| mib(round[0].before.now_kib)).collect())
    }

    pub fn rows(&self) -> Vec<Row> {
        (1..Variant::ALL.len()).map(|place| self.row(place)).collect()
    }

    fn row(&self, place: usize) -> Row {
        let over_bare = |of: &dyn Fn(&Measured) -> f64| {
            Spread::of(self.rounds.iter().map(|round| of(&round[place]) - of(&round[0])).collect())
        };
        let alone = |of: &dyn Fn(&Measured) -> f64| {
            Spread::of(self.rounds.iter().map(|round| of(&round[place])).collect())
        };
        Row {
            variant: Variant::ALL[place],
            cpu_us: over_bare(&|measured| self.cpu_us(measured)),
            at_start_mib: over_bare(&|measured| mib(measured.before.now_kib)),
            at_end_mib: over_bare(&|measured| mib(measured.after.now_kib)),
            peak_mib: over_bare(&|measured| mib(measured.after.peak_kib)),
            sent_bytes: alone(&|measured| measured.arrived.sent_bytes as f64).median / self.lines(),
            matched: alone(&|measured| measured.matched as f64).median / self.events as f64,
        }
    }
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1_024.0
}
