//! Drives the mini host (`tests/host/`), a small Fluent Bit that loads the plugin.
//!
//! ```ignore
//! let mut host = MiniHost::start(Build::V5_1_1);
//! host.set("a", "endpoint", &receiver.url());
//! assert_eq!(host.init("a"), 1);
//! assert_eq!(host.deliver("a", "kube.events", &chunk), Code::Ok);
//! host.quit();
//! ```
//!
//! Every wait has a bound and panics with the host's last lines. Dropping a host kills
//! it, and fails the test if the host saw the plugin break one of Fluent Bit's rules or
//! died by itself: no test has to ask.

mod build;
mod ending;
mod filters;
mod flushes;
mod full_disk;
mod lines;
mod questions;
mod trial;

pub use build::Build;
pub use ending::{Exit, Reload};
pub use filters::{Filtered, LoadedFilter, Outcome, Place};
pub use full_disk::files_of_at_most;
pub use lines::{Code, LogLine, Thread};
pub use questions::Beats;
pub use trial::Trial;

use crate::places;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use lines::Lines;

pub struct MiniHost {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Arc<Lines>,
    readers: Vec<JoinHandle<()>>,
    directory: PathBuf,
    loaded: Option<Loaded>,
    next_id: u64,
    /// The host is gone and was meant to be.
    ended: bool,
}

/// What the plugin registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    pub name: String,
    pub kind: i32,
    pub proxy: i32,
    pub flags: i32,
    /// Entries of the config_map; `None` where the release has none.
    pub keys: Option<usize>,
}

impl MiniHost {
    /// A host with the plugin loaded.
    pub fn start(build: Build) -> MiniHost {
        MiniHost::start_with(build, |_| {})
    }

    /// The same, with a say in the host's environment.
    pub fn start_with(build: Build, prepare: impl FnOnce(&mut Command)) -> MiniHost {
        let mut host = MiniHost::start_empty(build, prepare);
        host.load(&MiniHost::plugin_path());
        host
    }

    /// A host with nothing loaded.
    pub fn start_empty(build: Build, prepare: impl FnOnce(&mut Command)) -> MiniHost {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = places::temporary().join(format!("mini-host-run-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).expect("the mini host's directory");

        let mut command = build::command(build);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Tests that run in a pod have nothing to ask of its cluster.
        command.env_remove("KUBERNETES_SERVICE_HOST");
        prepare(&mut command);
        let mut child = command.spawn().expect("starting the mini host");
        let lines = Arc::new(Lines::new(directory.clone()));
        let readers = vec![
            lines::read_replies(&lines, child.stdout.take().expect("piped")),
            lines::read_stderr(&lines, child.stderr.take().expect("piped")),
        ];
        MiniHost {
            stdin: child.stdin.take(),
            child,
            lines,
            readers,
            directory,
            loaded: None,
            next_id: 1,
            ended: false,
        }
    }

    /// The plugin under test: `EVENT_GATEWAY_SO`, or what cargo built beside this test.
    pub fn plugin_path() -> PathBuf {
        build::plugin_path()
    }

    // ---- commands ----

    /// Sends a line and returns the reply to it, whatever it is.
    pub fn command(&mut self, line: impl AsRef<[u8]>) -> String {
        self.send(line.as_ref());
        self.reply(line.as_ref())
    }

    /// dlopen and Register.
    pub fn load(&mut self, path: &Path) -> &Loaded {
        let reply = self.ask("loaded", &[b"load", path.as_os_str().as_encoded_bytes()]);
        let fields: BTreeMap<&str, &str> =
            reply.split(' ').filter_map(|field| field.split_once('=')).collect();
        let number = |name: &str| fields[name].parse().expect("a number");
        self.loaded.insert(Loaded {
            name: fields["name"].to_owned(),
            kind: number("type"),
            proxy: number("proxy"),
            flags: number("flags"),
            keys: fields["keys"].parse().ok(),
        })
    }

    pub fn loaded(&self) -> &Loaded {
        self.loaded.as_ref().expect("nothing is loaded")
    }

    /// The config_map as the host read it: name and default.
    pub fn keys(&mut self) -> Vec<(String, Option<String>)> {
        self.list("keys", "key")
            .iter()
            .map(|line| {
                let (name, default) = line.split_once(' ').expect("key and default");
                (name.to_owned(), (default != "-").then(|| default.to_owned()))
            })
            .collect()
    }

    /// A property, as in the configuration file. An empty one reads as absent.
    pub fn set(&mut self, instance: &str, key: &str, value: impl AsRef<[u8]>) -> &mut Self {
        let value = lines::escape(value.as_ref(), false);
        self.send(&[b"set ", word(instance).as_slice(), b" ", &word(key), b" ", &value].concat());
        self.expect("ok", b"set");
        self
    }

    /// What FLBPluginInit returned; panics when the host refused a key.
    pub fn init(&mut self, instance: &str) -> i32 {
        match self.try_init(instance) {
            Ok(code) => code,
            Err(key) => self.fail(&format!("the host refused the key {key}")),
        }
    }

    /// The same, or the key that is not in the config_map.
    pub fn try_init(&mut self, instance: &str) -> Result<i32, String> {
        let reply = self.ask("init", &[b"init", instance.as_bytes()]);
        let words: Vec<&str> = reply.split(' ').collect();
        match words[..] {
            [_, "refused", key] => Err(key.to_owned()),
            [_, code] => Ok(code.parse().expect("a code")),
            _ => self.fail(&format!("unexpected: init {reply}")),
        }
    }

    /// The level `output_log_check` allows: 1 error to 5 trace, 3 (info) at first.
    pub fn log_level(&mut self, instance: &str, level: u8) {
        self.ask("ok", &[b"loglevel", instance.as_bytes(), level.to_string().as_bytes()]);
    }

    /// Flush threads; 0, the default, flushes on the engine.
    pub fn workers(&mut self, count: usize) {
        self.ask("ok", &[b"workers", count.to_string().as_bytes()]);
    }

    /// Stack of each later flush; 24 KiB at first.
    pub fn stack_bytes(&mut self, bytes: usize) {
        self.ask("ok", &[b"stack", bytes.to_string().as_bytes()]);
    }

    /// How long exit and reload wait for flushes in flight; not at all at first.
    pub fn grace(&mut self, grace: Duration) {
        self.ask("ok", &[b"grace", grace.as_millis().to_string().as_bytes()]);
    }

    /// Keeps the plugin's timers from firing, or lets them fire again.
    pub fn hold_timers(&mut self, hold: bool) {
        self.ask("ok", &[b"timers", if hold { b"hold" } else { b"run" }]);
    }

    /// Sets the wall clock so far ahead of the real one, or behind it; clocks for spans go on.
    pub fn clock_ahead(&mut self, seconds: i64) {
        self.ask("ok", &[b"clock", seconds.to_string().as_bytes()]);
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    // ---- inside ----

    fn send(&mut self, line: &[u8]) {
        let line = [line, b"\n"].concat();
        let sent = self.stdin.as_mut().is_some_and(|stdin| stdin.write_all(&line).is_ok());
        if !sent {
            self.fail(&format!("the host does not listen to {}", String::from_utf8_lossy(&line)));
        }
    }

    fn reply(&self, to: &[u8]) -> String {
        let reply = self.lines.wait(lines::patience(), |state| state.replies.pop_front());
        reply.unwrap_or_else(|missed| {
            self.fail(&format!("no reply to {}: {missed:?}", String::from_utf8_lossy(to)))
        })
    }

    /// Sends words, and returns what follows the expected first word of the reply.
    fn ask(&mut self, expected: &str, words: &[&[u8]]) -> String {
        let line = join(words.iter());
        self.send(&line);
        self.expect(expected, &line)
    }

    fn expect(&self, expected: &str, to: &[u8]) -> String {
        let reply = self.reply(to);
        match reply.strip_prefix(expected) {
            Some(rest) => rest.trim_start().to_owned(),
            None => self.fail(&format!("{} got: {reply}", String::from_utf8_lossy(to))),
        }
    }

    fn number(&mut self, question: &str) -> usize {
        self.ask(question, &[question.as_bytes()]).parse().expect("a number")
    }

    fn list(&mut self, command: &str, entry: &str) -> Vec<String> {
        self.send(command.as_bytes());
        let mut entries = Vec::new();
        loop {
            let reply = self.reply(command.as_bytes());
            match reply.strip_prefix(entry) {
                Some(rest) => entries.push(rest.trim_start().to_owned()),
                None if reply == "end" => return entries,
                None => self.fail(&format!("{command} got: {reply}")),
            }
        }
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        panic!("mini host: {what}\n{}", self.lines.recent());
    }
}

fn word(text: &str) -> Vec<u8> {
    lines::escape(text.as_bytes(), true)
}

fn join<'a>(words: impl Iterator<Item = &'a &'a [u8]>) -> Vec<u8> {
    words.map(|word| lines::escape(word, true)).collect::<Vec<_>>().join(&b' ')
}

fn millis(text: &str) -> Duration {
    Duration::from_secs_f64(text.parse::<f64>().expect("milliseconds") / 1e3)
}
