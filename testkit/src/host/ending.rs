//! How a host ends: instance by instance, by a reload, in good order, or by force.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::thread;
use std::time::Duration;

use event_gateway::clock;

use super::{MiniHost, lines, millis};

/// How ExitCtx went.
#[derive(Clone, Copy, Debug)]
pub struct Exit {
    pub code: i32,
    pub took: Duration,
}

/// How a hot reload went.
#[derive(Clone, Copy, Debug)]
pub struct Reload {
    pub ok: bool,
    pub took: Duration,
}

impl MiniHost {
    /// OutputPreExit and ExitCtx; flushes still waiting become `Code::Abandoned`. For a filter, cb_exit if
    /// it set a context; code 0 without one.
    pub fn exit(&mut self, instance: &str) -> Exit {
        let reply = self.ask("exited", &[b"exit", instance.as_bytes()]);
        let words: Vec<&str> = reply.split(' ').collect();
        Exit { code: words[1].parse().expect("a code"), took: millis(words[2]) }
    }

    /// OutputPreExit and ExitCtx(NULL) without any Init, as a dry run does.
    pub fn exit_null(&mut self) -> i32 {
        let reply = self.ask("exited", &[b"exitnull"]);
        reply.strip_prefix("null ").and_then(|code| code.parse().ok()).expect("a code")
    }

    /// A hot reload with the same configuration but for what was set since, which filters then read.
    /// Not ok: a filter's cb_pre_run refused and nothing changed, or something failed to start again.
    pub fn reload(&mut self) -> Reload {
        let reply = self.ask("reloaded", &[b"reload"]);
        let (state, took) = reply.split_once(' ').expect("state and time");
        Reload { ok: state == "ok", took: millis(took) }
    }

    /// Unregister and dlclose, with no instance left.
    pub fn unload(&mut self) {
        self.ask("unloaded", &[b"unload"]);
        self.loaded = None;
    }

    /// An orderly end: all instances exit, the plugin is unloaded, the host returns 0.
    pub fn quit(&mut self) {
        self.send(b"quit");
        while self.reply(b"quit") != "bye" {}
        let status = self.ended_within(lines::patience());
        if !status.is_some_and(|status| status.success()) {
            self.fail(&format!("the host ended with {status:?}"));
        }
        self.ended = true;
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.ended = true;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until the host has died by itself, which the test wants: the signal, if one did it.
    pub fn wait_death(&mut self) -> Option<i32> {
        match self.ended_within(lines::patience()) {
            Some(status) => {
                self.ended = true;
                status.signal()
            }
            None => self.fail("the host lives on"),
        }
    }

    fn ended_within(&mut self, bound: Duration) -> Option<ExitStatus> {
        let end = clock::monotonic() + bound;
        loop {
            let status = self.child.try_wait().expect("waiting for the host");
            if status.is_some() || clock::monotonic() > end {
                return status;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for MiniHost {
    fn drop(&mut self) {
        let died = match self.ended {
            true => None,
            false => self.child.try_wait().ok().flatten(),
        };
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.stdin = None;
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        let _ = fs::remove_dir_all(&self.directory);
        let violations = self.violations();
        if thread::panicking() {
            return;
        }
        if !violations.is_empty() {
            self.fail(&format!("the plugin broke the host's rules: {violations:#?}"));
        }
        if let Some(status) = died {
            self.fail(&format!("the host died by itself: {status}"));
        }
    }
}
