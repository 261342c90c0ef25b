//! The host's lines, sorted as they come: replies, flush results, logs, violations.

use std::collections::{HashMap, VecDeque};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use event_gateway::clock;

/// Lines shown when a test fails.
const RECENT: usize = 60;

/// What a flush returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// FLB_ERROR: Fluent Bit drops the chunk.
    Error,
    /// FLB_OK: the chunk is delivered.
    Ok,
    /// FLB_RETRY: the chunk comes again.
    Retry,
    /// The instance exited first; Fluent Bit would keep the chunk if it is on disk.
    Abandoned,
}

/// Where the plugin called `log_print`, or `flb_log_print`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thread {
    Engine,
    Worker,
    Main,
    /// The thread of an input, where processors run.
    Input,
    /// A thread of the plugin's own: in Fluent Bit such a line misses the log.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// 1 error, 2 warn, 3 info, 4 debug, 5 trace.
    pub level: u8,
    pub thread: Thread,
    pub text: String,
}

/// Why a wait ended without what it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    Late,
    /// The host closed its stdout: it is dead.
    Closed,
}

#[derive(Default)]
pub struct State {
    pub replies: VecDeque<String>,
    pub flushes: HashMap<u64, Result<Code, String>>,
    pub logs: Vec<LogLine>,
    pub violations: Vec<String>,
    pub stderr: Vec<String>,
    recent: VecDeque<String>,
    closed: bool,
}

pub struct Lines {
    state: Mutex<State>,
    changed: Condvar,
    /// Holds flush data by id, removed with the result.
    directory: PathBuf,
}

impl Lines {
    pub fn new(directory: PathBuf) -> Lines {
        Lines { state: Mutex::default(), changed: Condvar::new(), directory }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn with<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    /// Looks after every line until `pick` finds something.
    pub fn wait<T>(
        &self,
        bound: Duration,
        mut pick: impl FnMut(&mut State) -> Option<T>,
    ) -> Result<T, Missed> {
        let end = clock::monotonic() + bound;
        let mut state = self.lock();
        loop {
            if let Some(found) = pick(&mut state) {
                return Ok(found);
            }
            if state.closed {
                return Err(Missed::Closed);
            }
            let left = end.saturating_duration_since(clock::monotonic());
            if left.is_zero() {
                return Err(Missed::Late);
            }
            state = match self.changed.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// The last lines, for a panic's text.
    pub fn recent(&self) -> String {
        self.with(|state| state.recent.iter().map(|line| format!("  | {line}\n")).collect())
    }

    fn take_in(&self, line: String) {
        let mut state = self.lock();
        state.remember(line.clone());
        if let Some(id) = state.sort(line) {
            drop(fs::remove_file(self.directory.join(id.to_string())));
        }
        drop(state);
        self.changed.notify_all();
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

impl State {
    fn remember(&mut self, line: String) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(line);
    }

    /// Puts a line where it belongs; returns the id of a flush that ended.
    fn sort(&mut self, line: String) -> Option<u64> {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let ended = match words[..] {
            ["violation", ..] => {
                self.violations.push(line["violation ".len()..].to_owned());
                return None;
            }
            ["log", level, thread, text] => {
                self.logs.push(log_line(level, thread, text));
                return None;
            }
            ["flushed", id, "0"] => (id, Ok(Code::Error)),
            ["flushed", id, "1"] => (id, Ok(Code::Ok)),
            ["flushed", id, "2"] => (id, Ok(Code::Retry)),
            ["abandoned", id] => (id, Ok(Code::Abandoned)),
            ["error", "flush", id, ..] => (id.trim_end_matches(':'), Err(line.clone())),
            _ => {
                self.replies.push_back(line);
                return None;
            }
        };
        let (id, result) = (ended.0.parse().ok()?, ended.1);
        self.flushes.insert(id, result);
        Some(id)
    }
}

fn log_line(level: &str, thread: &str, text: &str) -> LogLine {
    LogLine {
        level: level.parse().unwrap_or(0),
        thread: match thread {
            "engine" => Thread::Engine,
            "worker" => Thread::Worker,
            "main" => Thread::Main,
            "input" => Thread::Input,
            _ => Thread::Other,
        },
        text: unescape(text),
    }
}

/// How long to wait for the host; longer under a wrapper such as valgrind. It is no measure of anything: whoever
/// waits so long waits in vain, also beside others that take the processors and the disk.
pub fn patience() -> Duration {
    match env::var_os("MINI_HOST_WRAPPER") {
        Some(_) => Duration::from_secs(600),
        None => Duration::from_secs(120),
    }
}

pub fn read_replies(lines: &Arc<Lines>, stdout: impl Read + Send + 'static) -> JoinHandle<()> {
    let lines = Arc::clone(lines);
    reader("mini-host-stdout", move || {
        each_line(stdout, |line| lines.take_in(line));
        lines.close();
    })
}

pub fn read_stderr(lines: &Arc<Lines>, stderr: impl Read + Send + 'static) -> JoinHandle<()> {
    let lines = Arc::clone(lines);
    reader("mini-host-stderr", move || {
        each_line(stderr, |line| {
            let mut state = lines.lock();
            state.remember(format!("stderr: {line}"));
            state.stderr.push(line);
            drop(state);
            lines.changed.notify_all();
        });
    })
}

fn reader(name: &str, read: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    thread::Builder::new().name(name.into()).spawn(read).expect("a thread for a reader")
}

/// The plugin may log bytes that are no UTF-8.
fn each_line(from: impl Read, mut take: impl FnMut(String)) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        take(String::from_utf8_lossy(&line).into_owned());
        line.clear();
    }
}

/// As the host reads a word (`spaces` too), or the rest of a line.
pub fn escape(text: &[u8], spaces: bool) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            0 => panic!("a C string holds no NUL"),
            b'\\' => escaped.extend(b"\\\\"),
            b' ' if !spaces => escaped.push(b' '),
            b'!'..=b'~' => escaped.push(byte),
            _ => escaped.extend(format!("\\x{byte:02x}").bytes()),
        }
    }
    escaped
}

/// What the host escaped.
pub fn unescape(text: &str) -> String {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'\\', [b'n', tail @ ..]) => {
                plain.push(b'\n');
                rest = tail;
            }
            (b'\\', [b'\\', tail @ ..]) => {
                plain.push(b'\\');
                rest = tail;
            }
            (b'\\', [b'x', high, low, tail @ ..]) => {
                plain.push(hex_digit(*high) << 4 | hex_digit(*low));
                rest = tail;
            }
            _ => plain.push(byte),
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).saturating_sub(b'a' - 10) & 15,
    }
}
