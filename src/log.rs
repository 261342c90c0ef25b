//! The log of one instance: it keeps lines until a thread of the host writes them.
//!
//! Only the host's threads may call the host's logger (elsewhere it falls back to stderr and ignores `log_file`), and it
//! needs 4 to 8 KiB of stack. So every thread adds its lines here, and the engine's timer passes them to the host. WARN
//! means that nothing was lost; ERROR means that data was lost or that a person is needed.

use std::any::Any;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::secrets::Secrets;
use crate::secrets::plain::plain;

/// The host's levels (`flb_log.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Level {
    /// Data was lost, or a person is needed.
    Error = 1,
    /// Something is wrong; nothing was lost.
    Warn = 2,
    /// All is well: a start, an exit, a recovery.
    Info = 3,
    /// Helps to find a fault.
    Debug = 4,
}

/// A line for the host's logger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// A line above the instance's `log_level` is not written.
    pub level: Level,
    /// One line of at most about 3,000 bytes, without secrets and without control characters.
    pub text: String,
}

/// At most this many lines of one kind are written in any window of this length; the rest is counted.
const LINES_A_WINDOW: usize = 5;
const WINDOW: Duration = Duration::from_secs(10);
/// The host cuts lines at about 4 KiB.
const BYTES_A_LINE: usize = 3_000;

/// The lines of one instance. It reads no clock: a line's time is when the host's thread takes it.
#[derive(Debug, Default)]
pub struct HostLog {
    state: Mutex<State>,
    secrets: Arc<Secrets>,
}

#[derive(Debug, Default)]
struct State {
    /// The waiting lines in order, with their kinds. At most [`LINES_A_WINDOW`] of a kind wait, so memory is bounded even
    /// if the host never takes them.
    waiting: Vec<(&'static str, Line)>,
    kinds: BTreeMap<&'static str, LineKind>,
}

#[derive(Debug)]
struct LineKind {
    level: Level,
    waiting: usize,
    /// When the last lines were taken; at most as many as a window allows.
    logged: VecDeque<Instant>,
    left_out: u64,
    /// When lines were first left out since the last count was logged.
    left_out_since: Option<Instant>,
}

impl HostLog {
    /// The secrets that are hidden in every line.
    #[must_use]
    pub fn secrets(&self) -> &Arc<Secrets> {
        &self.secrets
    }

    /// Data was lost, or a person is needed.
    pub fn error(&self, kind: &'static str, text: impl Into<String>) {
        self.push(Level::Error, kind, text.into());
    }

    /// Something is wrong; nothing was lost.
    pub fn warn(&self, kind: &'static str, text: impl Into<String>) {
        self.push(Level::Warn, kind, text.into());
    }

    /// Notes a line that says that all is well.
    pub fn info(&self, kind: &'static str, text: impl Into<String>) {
        self.push(Level::Info, kind, text.into());
    }

    /// Notes a line that helps to find a fault.
    pub fn debug(&self, kind: &'static str, text: impl Into<String>) {
        self.push(Level::Debug, kind, text.into());
    }

    /// A text as a line would show it, for lines that do not go through this log.
    #[must_use]
    pub fn shown(&self, text: String) -> String {
        one_line(self.secrets.hide_in_line(text))
    }

    /// Adds a line. `kind` names the occurrence for the rate limit and for `docs/logs.md`.
    fn push(&self, level: Level, kind: &'static str, text: String) {
        let mut state = self.lock();
        let entry = state.kinds.entry(kind).or_insert_with(|| LineKind::new(level));
        if entry.waiting == LINES_A_WINDOW {
            entry.left_out += 1;
            return;
        }
        entry.waiting += 1;
        state.waiting.push((kind, Line { level, text: self.shown(text) }));
    }

    /// Takes the waiting lines, except for kinds that have reached their limit. Lines that are left out are counted, and
    /// the count is logged after a window's time.
    pub fn drain(&self, now: Instant) -> Vec<Line> {
        self.lock().take(now)
    }

    /// As [`Self::drain`], for the last time: it also logs every count, because no later call will.
    pub fn finish(&self, now: Instant) -> Vec<Line> {
        let mut state = self.lock();
        let mut lines = state.take(now);
        lines.extend(state.sums(|_| true));
        lines
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, now: Instant) -> Vec<Line> {
        let is_over = |since: Instant| now.saturating_duration_since(since) >= WINDOW;
        // The counts come first, because they are about earlier lines.
        let mut lines = self.sums(|kind| kind.left_out_since.is_some_and(is_over));
        for (name, line) in std::mem::take(&mut self.waiting) {
            let Some(kind) = self.kinds.get_mut(name) else { continue };
            while kind.logged.front().is_some_and(|logged| is_over(*logged)) {
                kind.logged.pop_front();
            }
            if kind.logged.len() < LINES_A_WINDOW {
                kind.logged.push_back(now);
                lines.push(line);
            } else {
                kind.left_out += 1;
            }
        }
        for kind in self.kinds.values_mut() {
            kind.waiting = 0;
            if kind.left_out > 0 {
                kind.left_out_since.get_or_insert(now);
            }
        }
        lines
    }

    /// One line for each kind that left lines out and `is_due`.
    fn sums(&mut self, is_due: impl Fn(&LineKind) -> bool) -> Vec<Line> {
        let due = self.kinds.iter_mut().filter(|(_, kind)| kind.left_out > 0 && is_due(kind));
        due.map(|(name, kind)| {
            kind.left_out_since = None;
            let left_out = std::mem::take(&mut kind.left_out);
            let text = format!("{left_out} more lines of this kind were left out: {name}");
            Line { level: kind.level, text }
        })
        .collect()
    }
}

impl LineKind {
    fn new(level: Level) -> Self {
        Self { level, waiting: 0, logged: VecDeque::new(), left_out: 0, left_out_since: None }
    }
}

/// One line without invisible characters, with which a hostile record or response could forge log lines.
fn one_line(text: String) -> String {
    let mut line = match plain(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(line) => line,
    };
    if line.len() > BYTES_A_LINE {
        line.truncate(line.floor_char_boundary(BYTES_A_LINE));
        line.push('…');
    }
    line
}

/// The message of a panic, for a log line.
#[must_use]
pub fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noisy_kind_is_cut_and_the_rest_counted() {
        let log = HostLog::default();
        let start = clock();
        assert!(log.drain(start).is_empty());
        for n in 0..100 {
            log.warn("bad record", format!("record {n}"));
        }
        log.error("other", "other");
        assert_eq!(log.drain(start).len(), 6);
        let later = log.drain(start + WINDOW);
        assert_eq!(later, [left_out(Level::Warn, 95, "bad record")]);
        log.warn("bad record", "again");
        assert_eq!(log.drain(start + WINDOW).len(), 1);
        assert_eq!(log.finish(start + WINDOW), [], "all was logged");
    }

    #[test]
    fn no_stretch_of_ten_seconds_has_more_than_its_share() {
        let log = HostLog::default();
        let start = clock();
        let (mut logged, mut said, mut summed) = (Vec::new(), 0, 0);
        // Bursts at odd times, among them just before and just after the tenth second.
        for at_ms in (0..60_000).step_by(100) {
            let burst =
                if at_ms % 9_900 == 0 || at_ms % 10_100 == 0 { 7 } else { u64::from(at_ms % 1_700 == 0) };
            for _ in 0..burst {
                log.warn("k", "line");
            }
            said += burst;
            for line in log.drain(start + Duration::from_millis(at_ms)) {
                match line.text.split_once(" more lines") {
                    Some((count, _)) => summed += count.parse::<u64>().unwrap(),
                    None => logged.push(at_ms),
                }
            }
        }
        for six in logged.windows(LINES_A_WINDOW + 1) {
            assert!(six[LINES_A_WINDOW] - six[0] >= 10_000, "{six:?}");
        }
        assert!(logged.len() > 25, "{logged:?}");
        let last = log.finish(start + Duration::from_secs(60));
        let left: u64 =
            last.iter().map(|line| line.text.split(' ').next().unwrap().parse::<u64>().unwrap()).sum();
        assert_eq!(logged.len() as u64 + summed + left, said, "each line is logged or counted");
    }

    #[test]
    fn a_burst_around_the_tenth_second_gets_what_is_left_of_both() {
        let log = HostLog::default();
        let start = clock();
        let logged = |count, at_ms| {
            for _ in 0..count {
                log.warn("k", "line");
            }
            let lines = log.drain(start + Duration::from_millis(at_ms));
            lines.iter().filter(|line| line.text == "line").count()
        };
        assert_eq!((logged(1, 0), logged(4, 9_900), logged(7, 10_100), logged(7, 19_899)), (1, 4, 1, 0));
        assert_eq!((logged(7, 19_900), logged(7, 20_100)), (4, 1));
    }

    #[test]
    fn the_last_lines_count_what_was_left_out() {
        let log = HostLog::default();
        let start = clock();
        for _ in 0..8 {
            log.error("a", "a");
            log.warn("b", "b");
        }
        assert_eq!(log.drain(start).len(), 10);
        log.warn("b", "b");
        log.info("exit", "the totals");
        let last = log.finish(start);
        let totals = Line { level: Level::Info, text: "the totals".to_owned() };
        assert_eq!(last, [totals, left_out(Level::Error, 3, "a"), left_out(Level::Warn, 4, "b")]);
    }

    #[test]
    fn a_host_that_takes_no_lines_gets_a_count_of_them_later() {
        let log = HostLog::default();
        for _ in 0..100_000 {
            log.warn("a", "a");
            log.warn("b", "b");
        }
        assert_eq!(log.lock().waiting.len(), 2 * LINES_A_WINDOW, "memory is bounded");
        let start = clock();
        assert_eq!(log.drain(start).len(), 2 * LINES_A_WINDOW);
        let sums = log.drain(start + WINDOW);
        assert_eq!(sums, [left_out(Level::Warn, 99_995, "a"), left_out(Level::Warn, 99_995, "b")]);
    }

    fn left_out(level: Level, count: u64, kind: &str) -> Line {
        Line { level, text: format!("{count} more lines of this kind were left out: {kind}") }
    }

    #[test]
    fn a_line_is_one_line_of_bounded_length() {
        let log = HostLog::default();
        log.info("x", format!("a\nb\u{1b}[31m{}", "é".repeat(5_000)));
        let lines = log.drain(clock());
        assert!(lines[0].text.starts_with("a b [31m"));
        assert!(lines[0].text.len() < BYTES_A_LINE + 8);
    }

    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn clock() -> Instant {
        Instant::now()
    }
}
