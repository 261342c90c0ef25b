//! What a test may ask of the host and of what the plugin showed it.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use event_gateway::clock;

use super::lines::{self, LogLine};
use super::{MiniHost, millis};

/// The engine's 10 ms input timer since the last question.
#[derive(Clone, Copy, Debug)]
pub struct Beats {
    pub count: u64,
    pub max_gap: Duration,
}

impl MiniHost {
    /// The deepest stack of any flush that has returned, in bytes.
    pub fn highwater(&mut self) -> usize {
        self.number("highwater")
    }

    /// Threads of the host process: 2 with a plugin loaded that has none of its own.
    pub fn threads(&mut self) -> usize {
        self.number("threads")
    }

    /// The same, once the number stays: the kernel still counts a thread for a moment after it was joined.
    pub fn settled_threads(&mut self) -> usize {
        const READINGS: usize = 10;
        let (mut last, mut same) = (self.threads(), 0);
        while same < READINGS {
            thread::sleep(Duration::from_millis(20));
            let now = self.threads();
            same = if now == last { same + 1 } else { 0 };
            last = now;
        }
        last
    }

    pub fn fds(&mut self) -> usize {
        self.number("fds")
    }

    pub fn rss_kib(&mut self) -> usize {
        self.number("rss")
    }

    /// Bytes that malloc has given out and not taken back, the host's own included.
    pub fn heap_bytes(&mut self) -> usize {
        self.number("heap")
    }

    /// Whether the engine was alive since the last call.
    pub fn beats(&mut self) -> Beats {
        let reply = self.ask("beats", &[b"beats"]);
        let (count, gap) = reply.split_once(' ').expect("count and gap");
        Beats { count: count.parse().expect("a count"), max_gap: millis(gap) }
    }

    /// Waits until the engine has beaten so often, and is not being held up.
    pub fn wait_for_beats(&mut self, count: u64) {
        let end = clock::monotonic() + lines::patience();
        self.beats();
        let mut seen = 0;
        while seen < count {
            if clock::monotonic() > end {
                self.fail(&format!("the engine has beaten {seen} times of {count}"));
            }
            thread::sleep(Duration::from_millis(20));
            seen += self.beats().count;
        }
    }

    /// All live instances' metrics, as `name` or `name{value,value}`.
    pub fn metrics(&mut self) -> BTreeMap<String, f64> {
        self.metrics_of("")
    }

    /// One instance's metrics.
    pub fn metrics_of(&mut self, instance: &str) -> BTreeMap<String, f64> {
        self.list(&format!("metrics {instance}"), "metric")
            .iter()
            .map(|line| {
                let (rest, value) = line.rsplit_once(' ').expect("value");
                let (name, labels) = rest.split_once(' ').expect("labels");
                let name = match labels {
                    "-" => name.to_owned(),
                    _ => format!("{name}{{{}}}", lines::unescape(labels)),
                };
                (name, value.parse().expect("a number"))
            })
            .collect()
    }

    /// All live instances' metrics as the host's endpoint gives them: Prometheus text.
    pub fn exposition(&mut self) -> String {
        self.list("exposition", "text").into_iter().map(|line| line + "\n").collect()
    }

    /// Waits until `ready` likes the metrics, and returns them.
    pub fn metrics_when(
        &mut self,
        mut ready: impl FnMut(&BTreeMap<String, f64>) -> bool,
    ) -> BTreeMap<String, f64> {
        let end = clock::monotonic() + lines::patience();
        loop {
            let metrics = self.metrics();
            if ready(&metrics) {
                return metrics;
            }
            if clock::monotonic() > end {
                self.fail(&format!("the metrics never came right: {metrics:#?}"));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the plugin logged so far.
    pub fn logs(&self) -> Vec<LogLine> {
        self.lines.with(|state| state.logs.clone())
    }

    /// Waits for a logged line that contains `text`.
    pub fn wait_log(&self, text: &str) -> LogLine {
        let found = self.lines.wait(lines::patience(), |state| {
            state.logs.iter().find(|line| line.text.contains(text)).cloned()
        });
        found.unwrap_or_else(|_| self.fail(&format!("nobody logged {text:?}")))
    }

    /// What came on the host's stderr so far.
    pub fn stderr(&self) -> Vec<String> {
        self.lines.with(|state| state.stderr.clone())
    }

    /// The host's rules the plugin broke so far.
    pub fn violations(&self) -> Vec<String> {
        self.lines.with(|state| state.violations.clone())
    }

    /// Waits for a violation that contains `text`, and forgives it.
    pub fn expect_violation(&self, text: &str) -> String {
        let found = self.lines.wait(lines::patience(), |state| {
            let at = state.violations.iter().position(|line| line.contains(text))?;
            Some(state.violations.remove(at))
        });
        found.unwrap_or_else(|_| self.fail(&format!("no violation {text:?}")))
    }
}
