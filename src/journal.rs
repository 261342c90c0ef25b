//! What the plugin has to say, until the host's own thread comes to fetch it.
//!
//! The host's logger may be called from the host's threads only (elsewhere it falls back to stderr and
//! misses `log_file`), and it puts 4 to 8 KiB on the stack. So every thread writes here, and the border
//! hands the lines over from the engine's timer. WARN means that nothing was lost; ERROR means that data
//! was lost or that a person is needed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The host's levels (`flb_log.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Level {
    Error = 1,
    Warn = 2,
    Info = 3,
    Debug = 4,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub level: Level,
    pub text: String,
}

/// So many lines of one kind are passed on in one window; the rest is counted.
const LINES_A_WINDOW: u64 = 5;
const WINDOW: Duration = Duration::from_secs(10);
/// Lines kept for a host that does not come to fetch them.
const LINES_KEPT: usize = 256;
/// The host cuts lines at about 4 KiB.
const BYTES_A_LINE: usize = 3_000;

#[derive(Debug, Default)]
pub struct Journal {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Line>,
    window_began: Option<Instant>,
    kinds: BTreeMap<&'static str, Kind>,
}

#[derive(Debug)]
struct Kind {
    level: Level,
    said: u64,
}

impl Journal {
    /// Data was lost, or a person is needed.
    pub fn error(&self, kind: &'static str, text: impl Into<String>) {
        self.say(Level::Error, kind, text.into());
    }

    /// Something is wrong; nothing was lost.
    pub fn warn(&self, kind: &'static str, text: impl Into<String>) {
        self.say(Level::Warn, kind, text.into());
    }

    pub fn info(&self, kind: &'static str, text: impl Into<String>) {
        self.say(Level::Info, kind, text.into());
    }

    pub fn debug(&self, kind: &'static str, text: impl Into<String>) {
        self.say(Level::Debug, kind, text.into());
    }

    /// Notes a line. `kind` names the occurrence for the rate limit, not for the reader.
    fn say(&self, level: Level, kind: &'static str, text: String) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = state.kinds.entry(kind).or_insert(Kind { level, said: 0 });
        entry.said += 1;
        if entry.said <= LINES_A_WINDOW && state.lines.len() < LINES_KEPT {
            state.lines.push_back(Line { level, text: one_line(text) });
        }
    }

    /// Takes the lines that wait. When a window is over, a kind that said more than its share gets one
    /// line that says how many were left out.
    pub fn drain(&self, now: Instant) -> Vec<Line> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let began = *state.window_began.get_or_insert(now);
        if now.saturating_duration_since(began) >= WINDOW {
            state.window_began = Some(now);
            let kinds = std::mem::take(&mut state.kinds);
            for (kind, Kind { level, said }) in kinds {
                if said > LINES_A_WINDOW {
                    let text =
                        format!("{} more lines of this kind were left out: {kind}", said - LINES_A_WINDOW);
                    state.lines.push_back(Line { level, text });
                }
            }
        }
        state.lines.drain(..).collect()
    }
}

/// Control characters would let a hostile record or answer forge log lines.
fn one_line(text: String) -> String {
    let mut line = if text.contains(char::is_control) {
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    } else {
        text
    };
    if line.len() > BYTES_A_LINE {
        let cut = (0..=BYTES_A_LINE).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        line.truncate(cut);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noisy_kind_is_cut_and_the_rest_counted() {
        let journal = Journal::default();
        let start = clock();
        assert!(journal.drain(start).is_empty());
        for n in 0..100 {
            journal.warn("bad record", format!("record {n}"));
        }
        journal.error("other", "other");
        assert_eq!(journal.drain(start).len(), 6);
        let later = journal.drain(start + WINDOW);
        assert_eq!(later.len(), 1);
        assert!(later[0].text.starts_with("95 more"), "{later:?}");
        journal.warn("bad record", "again");
        assert_eq!(journal.drain(start + WINDOW).len(), 1);
    }

    #[test]
    fn a_line_is_one_line_of_bounded_length() {
        let journal = Journal::default();
        journal.info("x", format!("a\nb\u{1b}[31m{}", "é".repeat(5_000)));
        let lines = journal.drain(clock());
        assert!(lines[0].text.starts_with("a b [31m"));
        assert!(lines[0].text.len() < BYTES_A_LINE + 8);
    }

    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn clock() -> Instant {
        Instant::now()
    }
}
