//! kill -9 at any moment, a restart on the same ledger, the source read again from its start: does every
//! event arrive, and does nothing come twice but the one batch that was in flight at a kill?
//!
//! KILL9_ROUNDS (200) and KILL9_REAL_ROUNDS (5, for each real Fluent Bit) say how often; KILL9_SEED repeats
//! the choices of a run, though not the scheduler's.
#![allow(clippy::disallowed_methods)] // a killer waits on a thread of its own and reads the clock

#[path = "support/real.rs"]
mod real;
mod support;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Once};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use real::{config, on_every_host, stop};
use support::chunk;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};

/// Records in one request: small, so that a kill has many of them to fall between.
const BATCH_EVENTS: &str = "20";
/// One request in so many fails where the host brings chunks again at once; what fails is overtaken.
const FAILURES: u64 = 12;

/// SplitMix64: a seed is all there is to it.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0) % bound
    }
}

fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

#[allow(clippy::print_stdout)]
fn seed() -> u64 {
    let seed = number_from("KILL9_SEED").unwrap_or_else(|| {
        let now = std::time::UNIX_EPOCH.elapsed().expect("a clock after 1970");
        mixed(now.as_secs() ^ u64::from(now.subsec_nanos()) << 32) % 1_000_000_000
    });
    println!("KILL9_SEED={seed}");
    seed
}

/// What the host reads from the start again and again. It only grows; a fifth of it are updates.
struct Source {
    file: PathBuf,
    encode: fn(&Value) -> Vec<u8>,
    ids: Vec<String>,
    uids: u64,
    length: u64,
    /// Where each growth begins, and its length: the chunks of the mini host.
    parts: Vec<(u64, u64)>,
}

impl Source {
    fn new(file: PathBuf, encode: fn(&Value) -> Vec<u8>) -> Source {
        fs::write(&file, "").expect("an empty source");
        Source { file, encode, ids: Vec::new(), uids: 0, length: 0, parts: Vec::new() }
    }

    fn grow(&mut self, records: u64, dice: &mut Dice) {
        let mut bytes = Vec::new();
        for _ in 0..records {
            let version = 1_000 + self.ids.len() as u64;
            let uid = if self.uids > 0 && dice.below(5) == 0 { dice.below(self.uids) } else { self.uids };
            self.uids = self.uids.max(uid + 1);
            let event = support::event(&format!("uid-{uid}"), version, version);
            self.ids.push(chunk::event_id(&event));
            bytes.extend((self.encode)(&event));
        }
        let mut file = OpenOptions::new().append(true).open(&self.file).expect("the source");
        file.write_all(&bytes).expect("a longer source");
        self.parts.push((self.length, bytes.len() as u64));
        self.length += bytes.len() as u64;
    }
}

/// A gateway that takes everything in the end, after a moment that is long enough to be killed in. Requests say in a
/// header which life of the host they are from, as some are read only after its end.
struct Taker {
    gateway: TestGateway,
    life: Arc<AtomicUsize>,
    requests_in_life: Arc<AtomicUsize>,
}

impl Taker {
    fn start(seed: u64, fails: bool) -> Taker {
        let gateway = TestGateway::start();
        let (life, requests_in_life) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (now, count, pauses) = (Arc::clone(&life), Arc::clone(&requests_in_life), AtomicU64::new(seed));
        gateway.respond_with(move |request| {
            if life_of(request.header("x-life")) == now.load(SeqCst) {
                count.fetch_add(1, SeqCst);
            }
            let chance = mixed(pauses.fetch_add(1, SeqCst));
            let answer = if fails && chance.is_multiple_of(FAILURES) {
                Answer::status(503).header("Retry-After", "0")
            } else {
                Answer::ok()
            };
            answer.delay_before(Duration::from_micros(chance % 3_000))
        });
        Taker { gateway, life, requests_in_life }
    }

    fn next_life(&self) -> String {
        self.requests_in_life.store(0, SeqCst);
        format!("X-Life: {}", self.life.fetch_add(1, SeqCst) + 1)
    }
}

fn life_of(header: Option<&str>) -> usize {
    header.and_then(|text| text.parse().ok()).expect("a life in every request")
}

/// When to kill.
#[derive(Clone, Copy)]
struct Moment {
    /// Not before so many requests of this life have come …
    requests: usize,
    /// … and then so much later.
    later: Duration,
}

impl Moment {
    /// A third at any time from the start on, the rest around a request and what follows its answer.
    fn any(dice: &mut Dice, life: Duration) -> Moment {
        let (requests, span) = if dice.below(3) == 0 { (0, life) } else { (1 + dice.below(5), SHORT) };
        let later = Duration::from_micros(dice.below(u64::try_from(span.as_micros()).expect("a short life")));
        Moment { requests: usize::try_from(requests).expect("a few"), later }
    }

    /// Returns when it has come, or when there is nothing more to wait for.
    fn wait(self, taker: &Taker, over: impl Fn() -> bool) {
        while taker.requests_in_life.load(SeqCst) < self.requests && !over() {
            thread::sleep(Duration::from_micros(50));
        }
        thread::sleep(self.later);
    }
}

/// Longer than the pause of the gateway, so that a kill also meets the commit and the next request.
const SHORT: Duration = Duration::from_millis(5);

#[test]
fn of_the_mini_host() {
    let (rounds, mut dice) = (number_from("KILL9_ROUNDS").unwrap_or(200), Dice(seed()));
    let (folder, taker) = (tempfile::tempdir().expect("a folder"), Taker::start(dice.0, true));
    let mut source = Source::new(folder.path().join("source"), |event| chunk::of([event]));
    for _ in 0..rounds {
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
            let lived = quietly(|| live(&mut host, &taker, &life, &source, folder.path()));
            if let (Err(panic), false) = (lived, killed.load(SeqCst)) {
                panic!("nobody killed it: {}", panic.downcast_ref::<String>().map_or("", String::as_str));
            }
            done.store(true, SeqCst);
        });
        host.kill();
        assert_sound(folder.path());
    }

    for pass in ["the last restart", "a further pass"] {
        let mut host = MiniHost::start_empty(Build::V5_1_1, |_| {});
        live(&mut host, &taker, &taker.next_life(), &source, folder.path());
        host.quit();
        let requests = taker.requests_in_life.load(SeqCst);
        assert!(pass != "a further pass" || requests == 0, "{pass} sent {requests} requests");
    }
    judge(&taker, &source, rounds);
}

/// Loads the plugin and delivers the whole source.
fn live(host: &mut MiniHost, taker: &Taker, life: &str, source: &Source, folder: &Path) {
    host.load(&MiniHost::plugin_path());
    host.set("a", "endpoint", taker.gateway.url()).set("a", "headers", life);
    host.set("a", "state_file", folder.join("ledger").to_string_lossy().as_bytes());
    host.set("a", "batch_events", BATCH_EVENTS);
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
fn of_a_real_fluent_bit() {
    let (rounds, seed) = (number_from("KILL9_REAL_ROUNDS").unwrap_or(5), seed());
    on_every_host(|fluent_bit, folder| {
        let (mut dice, taker) = (Dice(seed), Taker::start(seed, false));
        let line = |event: &Value| format!("{event}\n").into_bytes();
        let mut source = Source::new(folder.join("events.ndjson"), line);
        let start = || {
            let (url, life, ledger) = (taker.gateway.url(), taker.next_life(), folder.join("ledger"));
            let keys = [
                ("endpoint", &*url),
                ("headers", &life),
                ("state_file", &ledger.to_string_lossy()),
                ("batch_events", BATCH_EVENTS),
            ];
            let config = config(folder).service("flush", "0.1").tail(&folder.join("events.ndjson"));
            fluent_bit.start(&config.event_gateway(&keys).text(), folder)
        };
        for _ in 0..rounds {
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
            let host = start();
            taker.gateway.wait_for_ids(source.ids.len());
            let count = stop(host);
            assert_eq!(count.records, source.ids.len() as u64, "{pass}");
            assert!(pass != "a further pass" || count.delivered == 1, "{pass}: {count:?}");
        }
        judge(&taker, &source, rounds);
    });
}

fn assert_sound(folder: &Path) {
    let files = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    let damaged: Vec<_> = files.filter(|name| name.to_string_lossy().contains("damaged")).collect();
    assert!(damaged.is_empty(), "a kill damaged the ledger: {damaged:?}");
}

/// Every id came; and whatever came again was in the last request that its life got acknowledged.
#[allow(clippy::print_stdout)]
fn judge(taker: &Taker, source: &Source, kills: u64) {
    let requests = taker.gateway.requests();
    let mut lives: BTreeMap<usize, Vec<&[String]>> = BTreeMap::new();
    for request in requests.iter().filter(|request| request.accepted()) {
        lives.entry(life_of(request.header("x-life"))).or_default().push(request.ids());
    }
    let mut deliveries: BTreeMap<&str, Vec<(usize, bool)>> = BTreeMap::new();
    for (life, batches) in &lives {
        for (index, ids) in batches.iter().enumerate() {
            for id in *ids {
                deliveries.entry(id).or_default().push((*life, index + 1 == batches.len()));
            }
        }
    }
    let wanted: BTreeSet<&str> = source.ids.iter().map(String::as_str).collect();
    let missing: Vec<_> = wanted.iter().filter(|id| !deliveries.contains_key(*id)).take(20).collect();
    assert!(missing.is_empty(), "{} of {} ids came, without {missing:?} …", deliveries.len(), wanted.len());
    assert_eq!(deliveries.len(), wanted.len(), "ids came that nobody sent");

    let mut repeating_lives = BTreeSet::new();
    let mut repeated = 0;
    for (id, times) in deliveries.iter().filter(|(_, times)| times.len() > 1) {
        repeated += 1;
        for pair in times.windows(2) {
            let ((life, in_last), (next, _)) = (pair[0], pair[1]);
            assert!(life < next, "{id} came twice in life {life}, where nobody was killed");
            assert!(
                in_last,
                "{id} came in life {life} and again in {next}, and was not in flight at the kill"
            );
            repeating_lives.insert(life);
        }
    }
    println!(
        "{kills} kills, {} records in {} requests: {} lives got through to the gateway, {repeated} ids came twice, \
         all from the batch in flight at {} of the kills",
        wanted.len(),
        requests.len(),
        lives.len(),
        repeating_lives.len(),
    );
}
