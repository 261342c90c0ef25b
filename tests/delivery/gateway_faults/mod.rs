//! Whatever the gateway, its certificates, its name or its token do, and whenever the host restarts or dies:
//! does every event arrive, does nothing come again that was acknowledged, and does the engine go on?
//!
//! GATEWAY_FAULT_SEEDS (2) says on how many seeds each mode is tried, alone and mixed with others. A trial that
//! fails tells its mode and its seed: GATEWAY_FAULT_SEED=<seed> GATEWAY_FAULT_SEEDS=1 GATEWAY_FAULT_MODE=<part
//! of its first mode's name> repeat it, but for the scheduler's choices.

mod the_judge;

use testkit as support;
use testkit::hostile;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use event_gateway::clock;
use hostile::dice::Dice;
use hostile::{Guarantee, MODES, Metronome, Mode, Outcome, Papers, judge, trial};
use support::variables::number_from;

/// The engine's input is called every 10 ms. A machine that stands still stops it too: that long is added.
const LONGEST_SILENCE: Duration = Duration::from_secs(1);
/// How often a trial is tried again in which the engine was silent for longer.
const SECOND_LOOKS: usize = 3;
/// So many trials of a run may need one: a scheduler's choice is rare, and what is often is a fault of the plugin.
fn most_looked_at_again(trials: usize) -> usize {
    3 + trials / 100
}
/// Trials of a test at a time. They mostly wait.
const AT_A_TIME: usize = 20;
/// A kill may take the only request that was to be spoiled, and a seed may have none of the size that a mode
/// waits for: a mode that was not played is tried on so many seeds more before it counts as one that cannot be.
const FURTHER_SEEDS: u64 = 20;

/// The first seed, which is printed.
#[allow(clippy::print_stdout)]
fn first_seed() -> u64 {
    let seed = number_from("GATEWAY_FAULT_SEED").unwrap_or_else(|| {
        let now = clock::wall().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
        Dice(now.as_secs() ^ u64::from(now.subsec_nanos()) << 32).roll() % 1_000_000_000
    });
    println!("GATEWAY_FAULT_SEED={seed}");
    seed
}

#[derive(Clone)]
struct Trial {
    mode: &'static Mode,
    others: Vec<&'static Mode>,
    seed: u64,
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Trial { mode, others, seed } = self;
        let others: Vec<_> = others.iter().map(|mode| mode.name).collect();
        write!(f, "GATEWAY_FAULT_SEED={seed} {:?} with {others:?}", mode.name)
    }
}

/// Every mode on every seed, with so many others at the most.
fn trials(most_others: usize) -> Vec<Trial> {
    let (first, seeds) = (first_seed(), number_from("GATEWAY_FAULT_SEEDS").unwrap_or(2));
    let part = std::env::var("GATEWAY_FAULT_MODE").unwrap_or_default();
    let of_mode = |(place, mode): (usize, &'static Mode)| {
        (first..first + seeds).map(move |seed| {
            let mut dice = Dice(seed ^ (place as u64) << 32);
            let count = if most_others > 0 { 1 + dice.below(most_others) } else { 0 };
            let others =
                (0..count).map(|_| &MODES[dice.below(MODES.len())]).filter(|other| other.name != mode.name);
            Trial { mode, others: others.collect(), seed }
        })
    };
    // Seed by seed, so that slow modes do not all come together.
    let mut trials: Vec<_> =
        MODES.iter().enumerate().filter(|(_, mode)| mode.name.contains(&part)).flat_map(of_mode).collect();
    trials.sort_by_key(|trial| trial.seed);
    trials
}

/// Runs them all, and fails with all that was wrong.
fn run(trials: &[Trial], guarantee: Guarantee) {
    let (papers, began) = (Arc::new(Papers::new()), clock::monotonic());
    let mut seen = Figures::default();
    play(trials, guarantee, &papers, &mut seen);
    let idle = |seen: &Figures| {
        // A run that repeats a mode or a seed asks about that alone.
        let asked = trials.len() >= 2 * MODES.len();
        let idle = trials.iter().filter(|trial| asked && !seen.played.contains_key(trial.mode.name));
        idle.map(|trial| (trial.mode.name, trial.clone())).collect::<BTreeMap<_, _>>()
    };
    let last = trials.iter().map(|trial| trial.seed).max().unwrap_or_default();
    for seed in last + 1..=last + FURTHER_SEEDS {
        let again: Vec<_> = idle(&seen).into_values().map(|trial| Trial { seed, ..trial }).collect();
        play(&again, guarantee, &papers, &mut seen);
    }
    seen.print(clock::monotonic() - began);
    assert!(seen.trials >= trials.len());
    assert!(seen.failures.is_empty(), "{} trials failed:\n{}", seen.failures.len(), seen.failures.join("\n"));
    assert!(idle(&seen).is_empty(), "never played: {:?}", idle(&seen).keys());
    let most = most_looked_at_again(seen.trials);
    assert!(
        seen.looked_at_again <= most,
        "{} trials, not {most}, needed a second look",
        seen.looked_at_again
    );
}

/// Plays these trials, several at a time.
fn play(trials: &[Trial], guarantee: Guarantee, papers: &Arc<Papers>, figures: &mut Figures) {
    let (next, metronome, seen) = (AtomicUsize::new(0), Metronome::start(), Mutex::new(figures));
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(trials.len()) {
            scope.spawn(|| {
                while let Some(one) = trials.get(next.fetch_add(1, SeqCst)) {
                    let modes: Vec<_> = [one.mode].into_iter().chain(one.others.iter().copied()).collect();
                    let try_it = || {
                        let since = clock::monotonic();
                        let outcome =
                            catch_unwind(AssertUnwindSafe(|| trial(&modes, one.seed, guarantee, papers)));
                        (outcome, metronome.longest_since(since))
                    };
                    let (mut outcome, mut standstill) = try_it();
                    // An engine that gets no turn is silent, too; but one that is held up is so each time.
                    for look in 1..=SECOND_LOOKS {
                        let Ok(silent) = &outcome else { break };
                        if !is_silent(silent, standstill) {
                            break;
                        }
                        seen.lock().expect("no panic within").look_again(
                            one,
                            look,
                            silent.silence,
                            standstill,
                        );
                        (outcome, standstill) = try_it();
                    }
                    seen.lock().expect("no panic within").add(one, outcome, guarantee, standstill);
                }
            });
        }
    });
}

fn is_silent(outcome: &Outcome, standstill: Duration) -> bool {
    outcome.silence > LONGEST_SILENCE + standstill
}

fn verdict(outcome: &Outcome, guarantee: Guarantee, standstill: Duration) -> Vec<String> {
    let mut wrong = judge(&outcome.account, guarantee);
    wrong.extend(outcome.wrong.iter().cloned());
    if is_silent(outcome, standstill) {
        wrong
            .push(format!("the engine was silent for {:?}, the machine for {standstill:?}", outcome.silence));
    }
    wrong
}

#[derive(Default)]
struct Figures {
    trials: usize,
    failures: Vec<String>,
    /// In which the engine was silent for too long the first time.
    looked_at_again: usize,
    ids: usize,
    letters: usize,
    requests: usize,
    kills: usize,
    /// Records that the gateway took again, and those of them that came in the very same batch.
    repeated: usize,
    in_the_same_batch: usize,
    silence: Duration,
    standstill: Duration,
    played: BTreeMap<&'static str, usize>,
}

impl Figures {
    #[allow(clippy::print_stdout)]
    fn look_again(&mut self, trial: &Trial, look: usize, silence: Duration, standstill: Duration) {
        self.looked_at_again += usize::from(look == 1);
        println!(
            "look {} at {trial}: the engine was silent for {silence:?}, the machine for {standstill:?}",
            look + 1
        );
    }

    fn add(
        &mut self,
        trial: &Trial,
        outcome: thread::Result<Outcome>,
        guarantee: Guarantee,
        standstill: Duration,
    ) {
        self.trials += 1;
        self.standstill = self.standstill.max(standstill);
        let wrong = match outcome {
            Ok(outcome) => {
                self.count(&outcome);
                verdict(&outcome, guarantee, standstill)
            }
            Err(panic) => {
                vec![panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "it panicked".to_owned())]
            }
        };
        if !wrong.is_empty() {
            self.failures.push(format!("{trial}: {wrong:#?}"));
        }
    }

    fn count(&mut self, outcome: &Outcome) {
        let account = &outcome.account;
        self.ids += account.wanted.len();
        self.letters += account.letters.len();
        self.requests += account.sent.len();
        self.kills += account.kills;
        let mut keys: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (sent, id) in
            account.sent.iter().filter(|sent| sent.taken).flat_map(|s| s.ids.iter().map(move |id| (s, id)))
        {
            let known = keys.entry(id).or_default();
            self.repeated += usize::from(!known.is_empty());
            self.in_the_same_batch += usize::from(!known.insert(&sent.key));
        }
        self.silence = self.silence.max(outcome.silence);
        for (name, count) in &outcome.played {
            *self.played.entry(name).or_default() += count;
        }
    }

    #[allow(clippy::print_stdout)]
    fn print(&self, took: Duration) {
        let Figures {
            trials,
            ids,
            letters,
            requests,
            kills,
            repeated,
            in_the_same_batch,
            silence,
            standstill,
            played,
            failures,
            looked_at_again,
        } = self;
        println!(
            "{trials} trials of {} modes in {:.1} s, {} failed, {looked_at_again} looked at again: {ids} records, {requests} requests, {} faults \
             played, {kills} kills; {letters} dead letters, {repeated} records taken again, \
             {in_the_same_batch} of them in the same batch, longest silence of the \
             engine {} ms, of the machine {} ms",
            MODES.len(),
            took.as_secs_f64(),
            failures.len(),
            played.values().sum::<usize>(),
            silence.as_millis(),
            standstill.as_millis()
        );
    }
}

#[test]
fn each_fault_alone_loses_nothing() {
    run(&trials(0), Guarantee::NoEventLoss);
}

#[test]
fn mixed_faults_lose_nothing() {
    run(&trials(3), Guarantee::NoEventLoss);
}

/// With `no_duplicates`.
const TWICE_NEVER: Guarantee = Guarantee::NoDuplicates { ambiguous: "ambiguous" };

#[test]
fn each_fault_alone_duplicates_nothing() {
    run(&trials(0), TWICE_NEVER);
}

#[test]
fn mixed_faults_duplicate_nothing() {
    run(&trials(3), TWICE_NEVER);
}

#[test]
fn every_mode_has_a_name_of_its_own() {
    let names: BTreeSet<_> = MODES.iter().map(|mode| mode.name).collect();
    assert_eq!(names.len(), MODES.len());
    assert!(names.len() >= 25, "{} modes", names.len());
}
