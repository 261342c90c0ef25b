//! Over millions of events, with a gateway that fails in every way, with restarts and kills: is every event
//! delivered, left out or a repetition, and does the host keep the size it had?
//!
//! SOAK_EVENTS (200,000) says how many; `make soak` takes five million, and any number by that variable. SOAK_SEED
//! repeats the choices of a run. With EVENT_GATEWAY_SO it soaks that image, such as a release build.
#![allow(clippy::disallowed_methods)] // it runs for minutes, and looks at the clock

mod load;
mod taker;

use testkit as support;
use testkit::hostile;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hostile::dice::Dice;
use load::{Load, NOISE};
use support::host::{Build, Code, MiniHost};
use support::variables::number_from;
use taker::Taker;

/// Chunks under way at a time.
const UNDER_WAY: usize = 4;
/// Restarts before memory is looked at. Each brings a new thread, to which glibc's malloc gives one of its arenas, up
/// to eight for each processor; what they keep for later adds up until all of them are in use.
const WARM_UP: u64 = 20;
/// When a chunk that was answered RETRY comes again. A real host waits for seconds.
const AGAIN: Duration = Duration::from_millis(100);
/// How much larger the host may be with the plugin at work than without.
const MOST_BYTES: f64 = 30e6;
/// Memory that an event leaves behind, where there were enough of them to tell.
const MOST_SLOPE: f64 = 0.1;
const ENOUGH_TO_TELL: u64 = 5_000_000;

/// What the host has at one moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    events: f64,
    rss_bytes: f64,
}

enum Outcome {
    UnderWay(u64),
    Waits(Instant),
}

struct Soak {
    host: MiniHost,
    taker: Taker,
    load: Load,
    dice: Dice,
    folder: PathBuf,
    /// By slot, which is also the name of its file.
    chunks: BTreeMap<usize, Outcome>,
    restarts: usize,
    kills: usize,
    repeated_chunks: u64,
    samples: Vec<Sample>,
}

impl Soak {
    fn start(seed: u64, total: u64, folder: &Path) -> Soak {
        let mut soak = Soak {
            host: MiniHost::start(Build::V5_1_1),
            // Each fault closes the endpoint for a second or more.
            taker: Taker::start(seed, usize::try_from(total / 5_000).expect("a number").clamp(60, 300)),
            load: Load::new(),
            dice: Dice(seed),
            folder: folder.to_owned(),
            chunks: BTreeMap::new(),
            restarts: 0,
            kills: 0,
            repeated_chunks: 0,
            samples: Vec::new(),
        };
        soak.init();
        soak
    }

    fn init(&mut self) {
        let file = |name: &str| self.folder.join(name).to_string_lossy().into_owned();
        let (ledger, letters) = (file("ledger"), file("letters"));
        self.host
            .set("a", "endpoint", self.taker.gateway.url())
            .set("a", "state_file", ledger)
            .set("a", "dead_letter_file", letters)
            .set("a", "exclude_reasons", NOISE)
            .set("a", "timeout", "500ms")
            .set("a", "ledger_max_entries", "20000");
        assert_eq!(self.host.init("a"), 1, "{:?}", self.host.logs());
    }

    fn file(&self, slot: usize) -> PathBuf {
        self.folder.join(format!("chunk-{slot}"))
    }

    fn flush(&mut self, slot: usize) {
        let file = self.file(slot);
        let id = self.host.flush_file("a", "kube.events", &file, 0, 0);
        self.chunks.insert(slot, Outcome::UnderWay(id));
    }

    /// Brings chunks until so many records were produced, then until all are answered OK.
    fn run(&mut self, until: u64) {
        let mut looked = Instant::now();
        loop {
            while self.load.produced < until && self.chunks.len() < UNDER_WAY {
                let slot = (0..).find(|slot| !self.chunks.contains_key(slot)).expect("a free slot");
                let most = usize::try_from(until - self.load.produced).unwrap_or(usize::MAX);
                let records = [1 + self.dice.below(3), 1 + self.dice.below(500)][self.dice.below(2)];
                let file = self.file(slot);
                self.load.write(records.min(most), &file, &mut self.dice);
                self.flush(slot);
            }
            if self.chunks.is_empty() {
                return;
            }
            self.settle_one();
            if looked.elapsed() > Duration::from_millis(500) {
                looked = Instant::now();
                self.sample();
                self.taker.gateway.forget_requests();
            }
        }
    }

    /// Waits for the chunk that has waited longest, and brings back those whose time has come.
    fn settle_one(&mut self) {
        let due = self.chunks.iter().filter_map(|(slot, outcome)| match outcome {
            Outcome::Waits(until) if *until <= Instant::now() => Some(*slot),
            _ => None,
        });
        let due: Vec<_> = due.collect();
        due.into_iter().for_each(|slot| self.flush(slot));
        let oldest = self.chunks.iter().filter_map(|(slot, outcome)| match outcome {
            Outcome::UnderWay(id) => Some((*id, *slot)),
            Outcome::Waits(_) => None,
        });
        let Some((id, slot)) = oldest.min() else {
            std::thread::sleep(Duration::from_millis(10));
            return;
        };
        match self.host.wait(id) {
            // The source brings some again at once.
            Code::Ok if self.dice.one_in(20) => {
                self.repeated_chunks += 1;
                self.flush(slot);
            }
            Code::Ok => drop(self.chunks.remove(&slot)),
            Code::Retry => drop(self.chunks.insert(slot, Outcome::Waits(Instant::now() + AGAIN))),
            code => panic!("a chunk was answered {code:?}"),
        }
    }

    fn sample(&mut self) {
        let rss_bytes = self.host.rss_kib() as f64 * 1_024.0;
        self.samples.push(Sample { events: self.load.produced as f64, rss_bytes });
    }

    /// The instance ends with chunks under way, and another takes its place in the same process.
    fn restart(&mut self) {
        self.restarts += 1;
        self.sample();
        self.host.exit("a");
        self.init();
        self.bring_back();
    }

    fn kill(&mut self) {
        self.kills += 1;
        self.host.kill();
        self.host = MiniHost::start(Build::V5_1_1);
        self.init();
        self.bring_back();
    }

    fn bring_back(&mut self) {
        let slots: Vec<_> = self.chunks.keys().copied().collect();
        slots.into_iter().for_each(|slot| self.flush(slot));
    }

    fn begin_some(&mut self) {
        for _ in 0..UNDER_WAY {
            let slot = (0..).find(|slot| !self.chunks.contains_key(slot)).expect("a free slot");
            let file = self.file(slot);
            self.load.write(200, &file, &mut self.dice);
            self.flush(slot);
        }
    }
}

/// Bytes an event, by least squares.
fn slope(samples: &[Sample]) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (events, bytes) = (mean(|sample| sample.events), mean(|sample| sample.rss_bytes));
    let above: f64 = samples.iter().map(|s| (s.events - events) * (s.rss_bytes - bytes)).sum();
    let below: f64 = samples.iter().map(|s| (s.events - events).powi(2)).sum();
    if below > 0.0 { above / below } else { 0.0 }
}

#[test]
#[allow(clippy::print_stdout)]
fn everything_arrives_and_the_host_keeps_its_size() {
    let total = number_from("SOAK_EVENTS").unwrap_or(200_000);
    let seed = number_from("SOAK_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("SOAK_SEED={seed}");
    let began = Instant::now();
    let bare_bytes = MiniHost::start_empty(Build::V5_1_1, |_| {}).rss_kib() as f64 * 1_024.0;
    let folder = tempfile::tempdir().expect("a folder");
    let mut soak = Soak::start(seed, total, folder.path());

    // Kills first, as each begins a new process.
    for part in 1..=5 {
        soak.run(total * part / 50);
        soak.begin_some();
        soak.kill();
    }
    for part in 1..=WARM_UP {
        soak.run(total / 10 + total * part / WARM_UP / 10);
        soak.begin_some();
        soak.restart();
    }
    // Warm by now.
    let warm = (soak.host.threads(), soak.host.fds());
    soak.samples.clear();
    for part in 5..=20 {
        soak.run(total * part / 20);
        soak.begin_some();
        soak.restart();
    }
    soak.taker.get_well();
    soak.run(0);

    let cold = (soak.host.threads(), soak.host.fds());
    let highest = soak.samples.iter().map(|sample| sample.rss_bytes).fold(0.0, f64::max) - bare_bytes;
    let slope = slope(&soak.samples);
    {
        let state = soak.taker.state();
        println!(
            "{} events in {:.0} s: {} taken, {} excluded, {} chunks brought twice; {} requests, {} spoiled, {} recognised \
             by their key, {} records again under another; {} kills, {} restarts; {:.1} MB above the bare host, \
             {slope:.3} bytes an event, {warm:?} threads and descriptors before, {cold:?} after",
            soak.load.produced,
            began.elapsed().as_secs_f64(),
            state.records,
            soak.load.excluded.len(),
            soak.repeated_chunks,
            state.requests,
            state.faults,
            state.known_keys,
            state.again,
            soak.kills,
            soak.restarts,
            highest / 1e6,
        );
        let missing = state.missing(soak.load.produced, &soak.load.excluded);
        assert!(missing.is_empty(), "lost, or not left out: {missing:?}");
    }
    assert_eq!(warm.0, cold.0, "threads");
    // The connection that is kept alive may be there or not.
    assert!(warm.1.abs_diff(cold.1) <= 1, "{} descriptors, and {} before", cold.1, warm.1);
    assert!(highest < MOST_BYTES, "{highest} bytes above the bare host");
    assert!(total < ENOUGH_TO_TELL || slope < MOST_SLOPE, "{slope} bytes an event");
    soak.host.quit();
}
