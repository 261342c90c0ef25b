//! A host that delivers a load to a hostile gateway, with its restarts and its deaths.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_gateway::clock;
use serde_json::Value;

use super::dice::Dice;
use super::judge::{Account, Guarantee, Letter};
use super::load::Load;
use super::modes::Mode;
use super::papers::Papers;
use super::stage::Stage;
use crate::host::{Build, Code, MiniHost};

/// A trial takes seconds; whoever waits this long waits indefinitely.
const PATIENCE: Duration = Duration::from_secs(90);
/// When the host brings a chunk again. A real one waits for seconds; between them only the endpoint is closed.
const AGAIN: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_millis(20);

/// What a trial has shown.
pub struct Outcome {
    pub account: Account,
    /// What is wrong whatever the guarantee is.
    pub wrong: Vec<String>,
    /// The longest silence of the engine's input in any life.
    pub silence: Duration,
    /// How often each mode was played.
    pub played: BTreeMap<&'static str, usize>,
}

/// How a life ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The instance exits, and another starts in the same process.
    Exit,
    /// The host stops in good order.
    Quit,
    Kill,
}

/// One host after the other on one ledger.
struct Lives {
    stage: Stage,
    settings: Vec<(&'static str, String)>,
    folder: PathBuf,
    host: MiniHost,
    account: Account,
    wrong: Vec<String>,
    silence: Duration,
    /// What becomes of each chunk.
    chunks: Vec<Arrival>,
    until: Instant,
}

#[derive(Clone, Copy, PartialEq)]
enum Arrival {
    /// Not brought yet.
    ToCome,
    /// In this flush.
    UnderWay(u64),
    /// To be brought again then.
    Waits(Instant),
    Delivered,
}

/// Plays these modes at moments that the seed chooses, until everything is delivered and once more.
pub fn trial(modes: &[&'static Mode], seed: u64, guarantee: Guarantee, papers: &Arc<Papers>) -> Outcome {
    let mut dice = Dice(modes.iter().fold(seed, |seed, mode| seed.rotate_left(7) ^ hash(mode.name)));
    let folder = tempfile::tempdir().expect("a folder");
    let load = Load::roll(modes, &mut dice);
    let waits = modes.iter().any(|mode| mode.waits);
    let batch_events = [1, 2, 5, 20][dice.below(4)].min(load.wanted.len() / 6).max(1);
    let stage = Stage::set(modes, load, papers, folder.path(), &mut dice);
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let formats = ["native", "native", "raw", "cloudevents_batch", "cloudevents"];
    let mut settings = stage.settings();
    settings.extend([
        ("endpoint", stage.endpoint()),
        ("state_file", path("ledger")),
        ("dead_letter_file", path("letters")),
        ("timeout", (if waits { "150ms" } else { "60s" }).to_owned()),
        ("batch_events", batch_events.to_string()),
        ("compress", (if dice.one_in(3) { "none" } else { "gzip" }).to_owned()),
        ("format", formats[dice.below(formats.len())].to_owned()),
    ]);
    if let Guarantee::NoDuplicates { .. } = guarantee {
        settings.push(("guarantee", "no_duplicates".to_owned()));
    }
    for (index, chunk) in stage.load().chunks.iter().enumerate() {
        fs::write(folder.path().join(format!("chunk-{index}")), &chunk.bytes).expect("a chunk");
    }
    let chunks = vec![Arrival::ToCome; stage.load().chunks.len()];
    let host = start(&stage, &settings);
    let mut lives = Lives {
        settings,
        folder: folder.path().into(),
        host,
        account: Account {
            wanted: stage.load().wanted.clone(),
            doomed: stage.load().doomed(),
            in_doubt: waits || modes.iter().any(|mode| mode.doubtful),
            ..Account::default()
        },
        wrong: Vec::new(),
        silence: Duration::ZERO,
        chunks,
        until: clock::monotonic() + PATIENCE,
        stage,
    };
    lives.live(&mut dice);
    lives.once_more();
    lives.settle()
}

/// FNV-1a: a name has to be the same number everywhere.
fn hash(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn start(stage: &Stage, settings: &[(&'static str, String)]) -> MiniHost {
    let mut host = MiniHost::start_with(Build::V5_1_1, |command| stage.prepare(command));
    for (key, value) in settings {
        host.set("a", key, value);
    }
    assert!(host.init("a") > 0, "no start: {:?}", host.logs());
    host.beats();
    host
}

impl Lives {
    /// Until every chunk is delivered.
    fn live(&mut self, dice: &mut Dice) {
        let mut ends: Vec<_> =
            (0..dice.below(3)).map(|_| [End::Exit, End::Quit, End::Kill][dice.below(3)]).collect();
        let mut next_end = self.moment(dice);
        while self.chunks.iter().any(|arrival| *arrival != Arrival::Delivered) {
            assert!(clock::monotonic() < self.until, "not delivered in {PATIENCE:?}: {}", self.state());
            self.bring(dice);
            self.look();
            if !ends.is_empty() && self.has_come(next_end) {
                let end = ends.remove(0);
                self.end(end, dice);
                next_end = self.moment(dice);
            }
        }
    }

    /// After so many more requests, or that time, whichever is first.
    fn moment(&self, dice: &mut Dice) -> (usize, Instant) {
        let requests = self.stage.gateway.request_count() + 1 + dice.below(4);
        (requests, clock::monotonic() + Duration::from_millis(dice.below(1_500) as u64))
    }

    fn has_come(&self, (requests, instant): (usize, Instant)) -> bool {
        self.stage.gateway.request_count() >= requests || clock::monotonic() > instant
    }

    /// Starts the flushes that are due; new chunks come one by one, or several at once.
    fn bring(&mut self, dice: &mut Dice) {
        let now = clock::monotonic();
        let mut new = dice.below(3);
        for index in 0..self.chunks.len() {
            let due = match self.chunks[index] {
                Arrival::ToCome => {
                    new = new.saturating_sub(1);
                    new > 0
                }
                Arrival::Waits(again) => again <= now,
                Arrival::UnderWay(_) | Arrival::Delivered => false,
            };
            if due {
                let id = self.flush(index);
                self.chunks[index] = Arrival::UnderWay(id);
            }
        }
    }

    /// From a file that is written once.
    fn flush(&mut self, index: usize) -> u64 {
        self.host.flush_file("a", "kube.events", &self.folder.join(format!("chunk-{index}")), 0, 0)
    }

    /// Takes note of the flushes that have come back.
    fn look(&mut self) {
        let mut bound = LOOK;
        for index in 0..self.chunks.len() {
            let Arrival::UnderWay(id) = self.chunks[index] else { continue };
            let answer = self.host.wait_within(id, bound);
            bound = Duration::ZERO;
            match answer {
                None => {}
                Some(Code::Ok) => self.delivered(index),
                Some(Code::Retry) => self.chunks[index] = Arrival::Waits(clock::monotonic() + AGAIN),
                Some(code) => panic!("a chunk was answered {code:?}"),
            }
        }
        if bound == LOOK {
            std::thread::sleep(LOOK);
        }
    }

    /// OK means that each record has arrived by now, or lies in the dead letter file.
    fn delivered(&mut self, index: usize) {
        self.chunks[index] = Arrival::Delivered;
        let taken: BTreeSet<String> = self.stage.gateway.accepted_ids().into_iter().collect();
        let letters = self.letters();
        for id in &self.stage.load().chunks[index].ids {
            if !taken.contains(id) && !letters.iter().any(|letter| letter.id == *id) {
                self.wrong.push(format!("chunk {index} was answered OK, and {id} had not arrived"));
            }
        }
    }

    fn end(&mut self, end: End, dice: &mut Dice) {
        self.listen();
        match end {
            End::Exit => {
                self.host.exit("a");
                self.count();
                assert!(self.host.init("a") > 0, "no start after an exit: {:?}", self.host.logs());
                self.host.beats();
            }
            End::Quit => {
                self.host.quit();
                self.count();
                self.host = start(&self.stage, &self.settings);
            }
            End::Kill => {
                self.host.kill();
                self.account.kills += 1;
                self.host = start(&self.stage, &self.settings);
            }
        }
        // What was not answered the host has kept; a source without a memory is read again from its start.
        let all = dice.one_in(2);
        for arrival in &mut self.chunks {
            match arrival {
                Arrival::ToCome => {}
                Arrival::Delivered if !all => {}
                _ => *arrival = Arrival::Waits(clock::monotonic()),
            }
        }
    }

    /// Whether the engine was silent in this life.
    fn listen(&mut self) {
        self.silence = self.silence.max(self.host.beats().max_gap);
    }

    /// Adds what the instance that has exited counted.
    fn count(&mut self) {
        let logs = self.host.logs();
        let total = logs.iter().rev().find_map(|line| {
            let rest = &line.text[line.text.find("delivered ")? + "delivered ".len()..];
            rest.split_once(" of ")
                .filter(|(_, rest)| rest.contains(" records in "))
                .and_then(|(n, _)| n.parse().ok())
        });
        self.account.delivered.push(total.unwrap_or_else(|| panic!("no totals at the exit: {logs:?}")));
    }

    /// Everything again after a restart, to a gateway that is well: there is nothing left to send.
    fn once_more(&mut self) {
        self.listen();
        self.host.exit("a");
        self.count();
        assert!(self.host.init("a") > 0, "no start after an exit: {:?}", self.host.logs());
        let ids: Vec<_> = (0..self.chunks.len()).map(|index| self.flush(index)).collect();
        for id in ids {
            assert_eq!(self.host.wait(id), Code::Ok, "a chunk that was delivered is in no ledger");
        }
        self.host.exit("a");
        let before = self.account.delivered.len();
        self.count();
        if self.account.delivered[before] > 0 {
            self.wrong.push("a further pass delivered what was delivered".to_owned());
        }
        self.host.quit();
    }

    fn settle(mut self) -> Outcome {
        self.account.sent = self.stage.sent();
        self.account.letters = self.letters();
        self.wrong.extend(self.stage.indiscretions());
        Outcome {
            account: self.account,
            wrong: self.wrong,
            silence: self.silence,
            played: self.stage.played(),
        }
    }

    /// What lies in the dead letter file. If it is just being written, or was when its host was killed,
    /// half a line may be seen: that is no letter yet.
    fn letters(&self) -> Vec<Letter> {
        let text = fs::read_to_string(self.folder.join("letters")).unwrap_or_default();
        let mut letters = Vec::new();
        for line in text.split_inclusive('\n') {
            match serde_json::from_str::<Value>(line) {
                Ok(letter) => {
                    let field = |name: &str| letter[name].as_str().unwrap_or_default().to_owned();
                    letters.push(Letter {
                        id: field("id"),
                        reason: field("reason"),
                        answer: field("answer"),
                    });
                }
                Err(error) => {
                    let may_be_half = self.account.kills > 0 || !line.ends_with('\n');
                    assert!(may_be_half, "no letter ({error}): {line}");
                }
            }
        }
        letters
    }

    fn state(&self) -> String {
        let left = self.chunks.iter().filter(|arrival| **arrival != Arrival::Delivered).count();
        let requests = self.stage.gateway.request_count();
        let logs: Vec<_> = self.host.logs().into_iter().rev().take(5).map(|line| line.text).collect();
        format!("{left} chunks left, {requests} requests so far, the last words {logs:#?}")
    }
}
