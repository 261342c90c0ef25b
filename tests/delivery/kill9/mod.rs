//! kill -9 at any moment, a restart on the same ledger, the source read again from its start: does every
//! event arrive, and does nothing come twice but the one batch that was in flight at a kill, as it was? And with
//! `guarantee no_duplicates`, does nothing come twice at all, and nothing get lost without a letter?
//!
//! KILL9_ROUNDS (100, for each guarantee) and KILL9_REAL_ROUNDS (5, for each real Fluent Bit and guarantee) say how
//! often; KILL9_SEED repeats the choices of a run, though not the scheduler's. After EPOCH kills the account is
//! made, and a new source and ledger are begun.
#![allow(clippy::disallowed_methods)] // a killer waits on a thread of its own and reads the clock

mod account;
mod source;
mod taker;

use testkit as support;
use testkit::{dice, real};

use std::cell::Cell;
use std::collections::VecDeque;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};

use account::Account;
use dice::Dice;
use real::{config, on_every_host, stop};
use source::Source;
use support::chunk;
use support::fluent_bit::FluentBit;
use support::host::{Build, Code, MiniHost};
use support::kube_api::KubeApi;
use support::variables::number_from;
use taker::{Moment, Taker};

/// Records in one request: few, so that a kill has many requests to fall between.
pub const BATCH_EVENTS: usize = 20;
/// Kills between two accounts: each life reads the whole source, which grows with each.
const EPOCH: usize = 50;

/// One setting of the plugin, and what it promises.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Guarantee {
    NoEventLoss,
    NoDuplicates,
}

impl Guarantee {
    const ALL: [Guarantee; 2] = [Guarantee::NoEventLoss, Guarantee::NoDuplicates];

    fn text(self) -> &'static str {
        match self {
            Guarantee::NoEventLoss => "no_event_loss",
            Guarantee::NoDuplicates => "no_duplicates",
        }
    }

    fn judge(self, taker: &Taker, source: &Source, kills: usize, folder: &Path) -> Account {
        match self {
            Guarantee::NoEventLoss => Account::without_loss(taker, &source.ids, kills),
            Guarantee::NoDuplicates => {
                Account::without_repetition(taker, &source.ids, kills, &folder.join("letters"))
            }
        }
    }
}

fn rounds_from(variable: &str, default: usize) -> usize {
    number_from(variable).unwrap_or(default)
}

#[allow(clippy::print_stdout)]
fn seed() -> u64 {
    let seed = number_from("KILL9_SEED").unwrap_or_else(|| {
        let now = std::time::UNIX_EPOCH.elapsed().expect("a clock after 1970");
        Dice(now.as_secs() ^ u64::from(now.subsec_nanos()) << 32).roll() % 1_000_000_000
    });
    println!("KILL9_SEED={seed}");
    seed
}

/// Runs epochs until there were so many kills, two at a time: they wait as much as they work.
#[allow(clippy::print_stdout)]
fn in_epochs(what: &str, kills: usize, epoch: impl Fn(usize, usize) -> Account + Sync) {
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Account::default()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, SeqCst);
                    let left = kills.saturating_sub(number * EPOCH);
                    if left == 0 {
                        return;
                    }
                    let account = epoch(number, left.min(EPOCH));
                    let mut total = total.lock().expect("no epoch has failed");
                    *total += account;
                    if total.kills.is_multiple_of(1_000) {
                        println!("{what}: {total:?}");
                    }
                }
            });
        }
    });
    println!("{what}: {:?}", total.into_inner().expect("no epoch has failed"));
}

#[test]
fn kills_of_the_mini_host_keep_each_guarantee() {
    let (rounds, seed) = (rounds_from("KILL9_ROUNDS", 100), seed());
    for guarantee in Guarantee::ALL {
        in_epochs(&format!("mini host, {}", guarantee.text()), rounds, |number, kills| {
            mini_epoch(guarantee, Dice(seed ^ (number as u64) << 32), kills, None)
        });
    }
}

/// Every event is about a pod that the topology never sees, so that each waits, and most kills meet some that do.
#[test]
fn kills_while_events_wait_for_their_objects_keep_each_guarantee() {
    let (rounds, seed) = (rounds_from("KILL9_ROUNDS", 40), seed());
    let api = KubeApi::start();
    for guarantee in Guarantee::ALL {
        in_epochs(&format!("mini host, waiting, {}", guarantee.text()), rounds, |number, kills| {
            mini_epoch(guarantee, Dice(seed ^ (number as u64) << 32), kills, Some(&api.url()))
        });
    }
}

fn mini_epoch(guarantee: Guarantee, mut dice: Dice, kills: usize, kube_url: Option<&str>) -> Account {
    let (folder, taker) = (tempfile::tempdir().expect("a folder"), Taker::start(dice.roll(), true));
    let folder = folder.path();
    let mut source = Source::new(folder.join("source"), |event| chunk::of([event]));
    for _ in 0..kills {
        for _ in 0..=dice.below(3) {
            source.grow(1 + dice.below(60), &mut dice);
        }
        let moment = Moment::any(&mut dice, Duration::from_millis(60));
        let life = taker.next_life();
        let mut host = MiniHost::start_empty(Build::V5_1_1, |_| {});
        let (pid, done, killed) = (host.pid(), AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                moment.wait(&taker, || done.load(SeqCst));
                killed.store(true, SeqCst);
                kill9(pid);
            });
            // The driver panics when its host is gone; that is what is wanted here.
            let lived = quietly(|| live(&mut host, (guarantee, kube_url), &taker, &life, &source, folder));
            if let (Err(panic), false) = (lived, killed.load(SeqCst)) {
                panic!("nobody killed it: {}", panic.downcast_ref::<String>().map_or("", String::as_str));
            }
            done.store(true, SeqCst);
        });
        host.kill();
        assert_sound(folder);
    }

    for pass in ["the last restart", "a further pass"] {
        let mut host = MiniHost::start_empty(Build::V5_1_1, |_| {});
        live(&mut host, (guarantee, kube_url), &taker, &taker.next_life(), &source, folder);
        host.quit();
        let requests = taker.requests_in_life.load(SeqCst);
        assert!(pass != "a further pass" || requests == 0, "{pass} sent {requests} requests");
    }
    guarantee.judge(&taker, &source, kills, folder)
}

/// Loads the plugin and delivers the whole source.
fn live(
    host: &mut MiniHost,
    (guarantee, kube_url): (Guarantee, Option<&str>),
    taker: &Taker,
    life: &str,
    source: &Source,
    folder: &Path,
) {
    host.load(&MiniHost::plugin_path());
    host.set("a", "endpoint", taker.gateway.url()).set("a", "headers", life);
    host.set("a", "guarantee", guarantee.text());
    host.set("a", "state_file", folder.join("ledger").to_string_lossy().as_bytes());
    host.set("a", "dead_letter_file", folder.join("letters").to_string_lossy().as_bytes());
    host.set("a", "batch_events", BATCH_EVENTS.to_string());
    if let Some(kube_url) = kube_url {
        host.set("a", "kube_url", kube_url).set("a", "correlate_wait", "40ms");
    }
    assert!(host.init("a") > 0, "the ledger does not open again: {:?}", host.logs());
    // All at once: above 256 the plugin turns chunks away, and others overtake them.
    let flush = |host: &mut MiniHost, (offset, length)| {
        host.flush_file("a", "kube.events", &source.file, offset, length)
    };
    let mut under_way: VecDeque<_> = source.parts.iter().map(|part| (*part, flush(host, *part))).collect();
    while let Some((part, id)) = under_way.pop_front() {
        match host.wait(id) {
            Code::Ok => {}
            Code::Retry => under_way.push_back((part, flush(host, part))),
            code => panic!("a chunk was answered {code:?}"),
        }
    }
}

#[allow(unsafe_code)]
fn kill9(pid: u32) {
    // SAFETY: kill(2) touches no memory; the host is reaped only after this thread has ended.
    let sent = unsafe { libc::kill(i32::try_from(pid).expect("a pid"), libc::SIGKILL) };
    assert_eq!(sent, 0, "kill -9");
}

/// Catches a panic without a word of it.
fn quietly<T>(run: impl FnOnce() -> T) -> thread::Result<T> {
    thread_local!(static QUIET: Cell<bool> = const { Cell::new(false) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                loud(info);
            }
        }));
    });
    QUIET.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    QUIET.set(false);
    result
}

#[test]
fn kills_of_a_real_fluent_bit_keep_each_guarantee() {
    let (rounds, seed) = (rounds_from("KILL9_REAL_ROUNDS", 5), seed());
    on_every_host(|fluent_bit, _| {
        for guarantee in Guarantee::ALL {
            in_epochs(&format!("a real host, {}", guarantee.text()), rounds, |number, kills| {
                real_epoch(fluent_bit, guarantee, Dice(seed ^ (number as u64) << 32), kills)
            });
        }
    });
}

fn real_epoch(fluent_bit: &FluentBit, guarantee: Guarantee, mut dice: Dice, kills: usize) -> Account {
    let (folder, taker) = (tempfile::tempdir().expect("a folder"), Taker::start(dice.roll(), false));
    let folder = folder.path();
    let mut source = Source::new(folder.join("events.ndjson"), |event| format!("{event}\n").into_bytes());
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let start = || {
        let keys = [
            ("endpoint", &*taker.gateway.url()),
            ("headers", &taker.next_life()),
            ("guarantee", guarantee.text()),
            ("state_file", &path("ledger")),
            ("dead_letter_file", &path("letters")),
            ("batch_events", &BATCH_EVENTS.to_string()),
        ];
        let config = config(folder).service("flush", "0.1").tail(&folder.join("events.ndjson"));
        fluent_bit.start(&config.event_gateway(&keys).text(), folder)
    };
    for _ in 0..kills {
        source.grow(1 + dice.below(120), &mut dice);
        let moment = Moment::any(&mut dice, Duration::from_millis(600));
        let mut host = start();
        let since = Instant::now();
        // Load goes on while the host lives: tail follows the file.
        source.grow(1 + dice.below(60), &mut dice);
        moment.wait(&taker, || since.elapsed() > Duration::from_secs(2));
        let log = host.log();
        assert_eq!(host.exit_status(), None, "the host ended by itself:\n{log}");
        host.kill9();
        assert!(!log.contains("damaged"), "{log}");
        assert_sound(folder);
    }

    for pass in ["the last restart", "a further pass"] {
        // Lines are read in order: with one more, all before it have been judged again.
        source.grow(1, &mut dice);
        let last = source.ids.last().expect("it has grown").clone();
        let host = start();
        taker.gateway.wait_for("the last record", Duration::from_secs(60), |requests| {
            requests.iter().rev().any(|request| request.accepted() && request.ids().contains(&last))
        });
        let count = stop(host);
        assert_eq!(count.records, source.ids.len() as u64, "{pass}");
        assert!(pass != "a further pass" || count.delivered == 1, "{pass}: {count:?}");
    }
    guarantee.judge(&taker, &source, kills, folder)
}

fn assert_sound(folder: &Path) {
    let files = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    let damaged: Vec<_> = files.filter(|name| name.to_string_lossy().contains("damaged")).collect();
    assert!(damaged.is_empty(), "a kill damaged the ledger: {damaged:?}");
}
