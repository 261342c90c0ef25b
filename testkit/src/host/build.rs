//! Compiles the mini host, once per variant, and finds the plugin it loads.

use crate::places;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Which Fluent Bit the mini host plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Build {
    /// `major.minor.patch`; empty for a host whose version nobody can find.
    pub version: &'static str,
    /// The official images' allocator: malloc aligned to 8 bytes and no more.
    pub align8: bool,
    /// Without co_* and flb_coro_*.
    pub no_coroutines: bool,
    /// Without mk_event_*.
    pub no_events: bool,
}

impl Build {
    /// 80-byte flb_filter_plugin, without cb_notification.
    pub const V2_2_3: Build = Build::plain("2.2.3");
    /// 32-byte def full of garbage, no event_type.
    pub const V4_2_2: Build = Build::plain("4.2.2");
    /// 40-byte def.
    pub const V5_0_0: Build = Build::plain("5.0.0");
    /// 40-byte def, and every symbol of 5.1.1.
    pub const V5_1_0: Build = Build::plain("5.1.0");
    /// 48-byte def: config_map is read and unknown keys refused.
    pub const V5_1_1: Build = Build::plain("5.1.1");
    /// 5.1.1 on the official images' allocator.
    pub const ALIGN8: Build = Build { align8: true, ..Build::V5_1_1 };
    /// 5.1.1 without coroutine symbols.
    pub const NO_COROUTINES: Build = Build { no_coroutines: true, ..Build::V5_1_1 };
    /// 5.1.1 without the symbols of the event loop.
    pub const NO_EVENTS: Build = Build { no_events: true, ..Build::V5_1_1 };
    /// No version to be found, and the smallest def.
    pub const UNNAMED: Build = Build::plain("");

    pub const VERSIONS: [Build; 4] = [Build::V4_2_2, Build::V5_0_0, Build::V5_1_0, Build::V5_1_1];

    pub const fn plain(version: &'static str) -> Build {
        Build { version, align8: false, no_coroutines: false, no_events: false }
    }

    fn file_name(self) -> String {
        let mut name = format!("mini-host-{}", self.version);
        if self.version.is_empty() {
            name.push_str("unnamed");
        }
        if self.align8 {
            name.push_str("-align8");
        }
        if self.no_coroutines {
            name.push_str("-no-coroutines");
        }
        if self.no_events {
            name.push_str("-no-events");
        }
        name
    }

    fn flags(self) -> Vec<String> {
        let mut flags = Vec::new();
        let version = match self.version {
            "" => {
                flags.push("-DHOST_UNNAMED".to_owned());
                "4.2.2"
            }
            version => version,
        };
        let parts: Vec<&str> = version.split('.').collect();
        assert_eq!(parts.len(), 3, "a version is major.minor.patch");
        for (name, part) in ["MAJOR", "MINOR", "PATCH"].iter().zip(parts) {
            flags.push(format!("-DHOST_{name}={part}"));
        }
        if self.align8 {
            flags.push("-DALIGN8".to_owned());
        }
        if self.no_coroutines {
            flags.push("-DNO_COROUTINES".to_owned());
        }
        if self.no_events {
            flags.push("-DNO_EVENTS".to_owned());
        }
        flags
    }
}

/// The host's command line, under `MINI_HOST_WRAPPER` (say `valgrind -q`) if set.
pub fn command(build: Build) -> Command {
    let executable = executable(build);
    let wrapper = env::var("MINI_HOST_WRAPPER").unwrap_or_default();
    let mut words = wrapper.split_whitespace();
    match words.next() {
        Some(program) => {
            let mut command = Command::new(program);
            command.args(words).arg(executable);
            command
        }
        None => Command::new(executable),
    }
}

/// `EVENT_GATEWAY_SO`, or the newest of what cargo leaves beside and above this test.
pub fn plugin_path() -> PathBuf {
    if let Some(path) = env::var_os("EVENT_GATEWAY_SO") {
        return PathBuf::from(path);
    }
    let test = env::current_exe().expect("the test's own path");
    let candidates = test.ancestors().skip(1).take(2).map(|dir| dir.join("libevent_gateway.so"));
    candidates.filter_map(|path| Some((modified(&path)?, path))).max().map(|(_, path)| path).unwrap_or_else(
        || {
            panic!(
                "no libevent_gateway.so beside or above {}: it needs crate-type \"cdylib\" in \
                 Cargo.toml, or EVENT_GATEWAY_SO set to a built one",
                test.display()
            )
        },
    )
}

/// Compiled when a source is newer. Threads of this process wait for each other; other
/// processes may compile at the same time, and the rename makes either one whole.
fn executable(build: Build) -> PathBuf {
    static COMPILING: Mutex<()> = Mutex::new(());
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let _one_at_a_time = COMPILING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());

    let sources = places::repository().join("tests/host");
    let target = places::temporary().join(build.file_name());
    let (files, newest) = sources_in(&sources);
    if modified(&target).is_some_and(|built| built > newest) {
        return target;
    }
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let fresh = target.with_file_name(format!("{}.{}.{number}.tmp", build.file_name(), std::process::id()));
    let output = Command::new(env::var("CC").as_deref().unwrap_or("cc"))
        .args(["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-rdynamic"])
        .args(build.flags())
        .args(files)
        .arg("-o")
        .arg(&fresh)
        .args(["-ldl", "-lpthread"])
        .output()
        .expect("running cc (a C compiler is needed for the mini host)");
    assert!(
        output.status.success(),
        "the mini host does not compile:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::rename(&fresh, &target).expect("putting the mini host in place");
    target
}

/// The .c files, and when the latest source was written.
fn sources_in(directory: &Path) -> (Vec<PathBuf>, SystemTime) {
    let mut files = Vec::new();
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(directory).expect("tests/host") {
        let path = entry.expect("tests/host").path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if !matches!(extension, Some("c" | "h")) {
            continue;
        }
        newest = newest.max(modified(&path).expect("a source's time"));
        if extension == Some("c") {
            files.push(path);
        }
    }
    files.sort();
    (files, newest)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}
