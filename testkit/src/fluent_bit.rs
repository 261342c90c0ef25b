//! Real Fluent Bit processes, wherever a binary is at hand: one or several, separated by ':', in
//! FLUENT_BIT, else `fluent-bit` in PATH, else none, which `say_once` then tells.

mod config;

pub use config::Config;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Once, OnceLock};
use std::thread;
use std::time::Duration;

use event_gateway::clock;

/// How often a wait looks again.
const LOOK: Duration = Duration::from_millis(10);
/// How long `--version` and `--dry-run` may take.
const COMMAND_BOUND: Duration = Duration::from_secs(30);

/// A binary, and which version it says it is.
#[derive(Clone, Debug, PartialEq)]
pub struct FluentBit {
    pub path: PathBuf,
    pub version: (u32, u32, u32),
}

impl FluentBit {
    /// All binaries of this machine. A name in FLUENT_BIT that cannot be run is an error, not a
    /// reason to test less.
    pub fn all() -> Vec<FluentBit> {
        static FOUND: OnceLock<Vec<FluentBit>> = OnceLock::new();
        let find = || {
            let named = std::env::var_os("FLUENT_BIT").unwrap_or_default();
            let named: Vec<PathBuf> =
                std::env::split_paths(&named).filter(|path| !path.as_os_str().is_empty()).collect();
            if !named.is_empty() {
                return named.into_iter().map(Self::at).collect();
            }
            let folders = std::env::var_os("PATH").unwrap_or_default();
            let mut candidates = std::env::split_paths(&folders).map(|folder| folder.join("fluent-bit"));
            candidates.find(|path| path.is_file()).map(Self::at).into_iter().collect()
        };
        FOUND.get_or_init(find).clone()
    }

    fn at(path: PathBuf) -> FluentBit {
        let folder = tempfile::tempdir().expect("a folder for the answer of --version");
        let (_, answer) = run(Command::new(&path).arg("--version"), folder.path());
        let version = answer.split_once("Fluent Bit v").and_then(|(_, rest)| {
            let number = rest.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
            let mut parts = number.split('.').map(|part| part.parse().ok());
            Some((parts.next()??, parts.next()??, parts.next()??))
        });
        let version = version.unwrap_or_else(|| panic!("{} is no Fluent Bit: {answer}", path.display()));
        FluentBit { path, version }
    }

    /// As file name and version, for the text of an assertion.
    pub fn name(&self) -> String {
        let (major, minor, patch) = self.version;
        let file = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!("{file} ({major}.{minor}.{patch})")
    }

    /// Before 3.1 `kubernetes_events` only lists, again and again; from then on it watches.
    pub fn watches_events(&self) -> bool {
        self.version >= (3, 1, 0)
    }

    /// Starts with this configuration in classic mode, in this folder, where it finds and leaves
    /// its files: `fluent-bit.conf`, and `fluent-bit-1.log`, `-2.log` … for each start.
    pub fn start(&self, config: &str, folder: &Path) -> Running {
        self.start_of("fluent-bit.conf", config, folder)
    }

    /// The same with a configuration in YAML, the only one that knows processors.
    pub fn start_yaml(&self, config: &str, folder: &Path) -> Running {
        self.start_of("fluent-bit.yaml", config, folder)
    }

    /// The same with a configuration of this file name, whose extension tells its format.
    pub fn start_of(&self, name: &str, config: &str, folder: &Path) -> Running {
        let mut names = (1..).map(|start| folder.join(format!("fluent-bit-{start}.log")));
        let log_file = names.find(|file| !file.exists()).expect("a name for the log");
        Running::start(&mut self.command(name, config, folder), self.name(), log_file)
    }

    /// What `--dry-run` says: the exit code (none when it was killed) and its output.
    pub fn dry_run(&self, config: &str, folder: &Path) -> (Option<i32>, String) {
        self.dry_run_of("fluent-bit.conf", config, folder)
    }

    pub fn dry_run_of(&self, name: &str, config: &str, folder: &Path) -> (Option<i32>, String) {
        run(self.command(name, config, folder).arg("--dry-run"), folder)
    }

    fn command(&self, name: &str, config: &str, folder: &Path) -> Command {
        let file = folder.join(name);
        fs::write(&file, config).expect("a configuration file");
        let mut command = Command::new(&self.path);
        command.arg("-c").arg(file).current_dir(folder);
        // What the samples ask for.
        command.env("KAFKA_BROKERS", "127.0.0.1:9092").env("S3_BUCKET", "events");
        // Tests that run in a pod have nothing to ask of its cluster.
        command.env_remove("KUBERNETES_SERVICE_HOST");
        command
    }
}

/// Runs to the end, with a bound, and returns the exit code and the output of both streams.
fn run(command: &mut Command, folder: &Path) -> (Option<i32>, String) {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut running = Running::start(command, program, folder.join("command-output.txt"));
    let status = running.wait_for_exit(COMMAND_BOUND);
    (status.code(), running.log())
}

/// Prints the one line that says why the tests on a real host did nothing; once a process.
#[allow(clippy::print_stdout)]
pub fn say_once() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        println!("no real Fluent Bit here (FLUENT_BIT, PATH): ran on the mini host only");
    });
}

/// A running process. Dropping it kills it, and shows the end of its log if the test has failed.
pub struct Running {
    child: Child,
    name: String,
    log_file: PathBuf,
    ended: Option<ExitStatus>,
}

impl Running {
    /// Both streams go to a file, as a pipe that nobody reads could stop the process.
    fn start(command: &mut Command, name: String, log_file: PathBuf) -> Running {
        let log = File::create(&log_file).expect("a log file");
        let stdout = log.try_clone().expect("a second handle");
        let child = command.stdin(Stdio::null()).stdout(stdout).stderr(log).spawn();
        let child = child.unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        Running { child, name, log_file, ended: None }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the process has written so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log_file).unwrap_or_default()).into_owned()
    }

    pub fn wait_for_log(&mut self, text: &str, bound: Duration) {
        self.wait_for_log_times(text, 1, bound);
    }

    /// Waits until the log contains the text so many times: the second reload, say.
    pub fn wait_for_log_times(&mut self, text: &str, count: usize, bound: Duration) {
        let start = clock::monotonic();
        loop {
            let ended = self.exit_status();
            // Looked at after the state, as a process may write its last line and end.
            let log = self.log();
            if log.matches(text).count() >= count {
                return;
            }
            let name = &self.name;
            assert!(ended.is_none(), "{name} ended ({ended:?}) without {text:?}; its log:\n{log}");
            assert!(start.elapsed() < bound, "waited {bound:?} for {text:?} from {name}; its log:\n{log}");
            thread::sleep(LOOK);
        }
    }

    /// How the process ended, if it did.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("the state of a child");
        }
        self.ended
    }

    pub fn wait_for_exit(&mut self, bound: Duration) -> ExitStatus {
        let start = clock::monotonic();
        loop {
            if let Some(status) = self.exit_status() {
                return status;
            }
            let (name, log) = (&self.name, self.log());
            assert!(start.elapsed() < bound, "{name} did not end in {bound:?}; its log:\n{log}");
            thread::sleep(LOOK);
        }
    }

    /// Asks for a hot reload; needs `hot_reload on`, see `Config::hot_reload`. Without that, the
    /// signal is only remarked upon.
    pub fn sighup(&mut self) {
        self.signal(libc::SIGHUP);
    }

    /// Asks for a hot reload until one begins: the host turns a signal away while the reload before it is not
    /// quite over.
    pub fn reload(&mut self, bound: Duration) {
        let begun = |host: &Self| host.log().matches("[reload] stop everything").count();
        let refused = |host: &Self| host.log().matches("reloading in progress").count();
        let (before, start) = (begun(self), clock::monotonic());
        while begun(self) == before {
            assert!(start.elapsed() < bound, "the host does not reload; its log:\n{}", self.log());
            let turned_away = refused(self);
            self.sighup();
            while begun(self) == before && refused(self) == turned_away && start.elapsed() < bound {
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Asks the process to stop; it flushes and retries for up to `grace` seconds.
    pub fn sigterm(&mut self) {
        self.signal(libc::SIGTERM);
    }

    /// Kills the process and waits for its end.
    pub fn kill9(&mut self) {
        if self.exit_status().is_none() {
            self.child.kill().expect("to kill a child");
            self.ended = Some(self.child.wait().expect("the end of a killed child"));
        }
    }

    #[allow(unsafe_code)]
    fn signal(&mut self, signal: i32) {
        let ended = self.exit_status();
        assert!(ended.is_none(), "{} has ended: {ended:?}; its log:\n{}", self.name, self.log());
        let pid = i32::try_from(self.child.id()).expect("a pid");
        // SAFETY: kill(2) touches no memory; the child was not waited for, so the pid is its own.
        let sent = unsafe { libc::kill(pid, signal) };
        assert_eq!(sent, 0, "signal {signal} to {}", self.name);
    }
}

impl Drop for Running {
    #[allow(clippy::print_stderr)]
    fn drop(&mut self) {
        if self.ended.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let end = lines[lines.len().saturating_sub(40)..].join("\n");
            eprintln!("the log of {} ended with:\n{end}", self.name);
        }
    }
}
