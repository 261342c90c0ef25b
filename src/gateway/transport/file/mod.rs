//! Writes lines into the files of a folder: a batch is accepted once it is on the disk.
//!
//! ```text
//! 20261121T174415.123Z-000001-5f3a9c21.part              being written, locked by its writer
//! 20261121T174415.123Z-000001-5f3a9c21.ndjson            complete; compressed: .gz.part and .ndjson.gz
//! ```
//!
//! Its rules:
//! 1. A file gets its final name once it is complete: at `file_max_bytes`, at `file_max_age`, or at a stop. It is never
//!    changed again.
//! 2. A batch is written in one write and synced before it is accepted; the name of a new file is synced before that.
//!    Bytes that were not accepted are cut off, or the file is closed at the end of the accepted ones.
//! 3. Each compressed batch is a gzip member of its own, so that a file is readable up to the end of each batch.
//! 4. Names sort by the time of the first batch. No two writers share a name, because each run has its own suffix. A
//!    process that finds a file with a temporary name that is not locked completes it.
//! 5. If the disk is full, read-only or away, batches wait. After an error the file is completed, so that a program that
//!    removes complete files can make room.

mod leftovers;
mod name;
mod part;
mod whole;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Packed, Post, Transport};
use crate::clock;
use crate::config::{ConfigError, FileSettings};
use crate::disk::{is_refused, is_wrong_path};
use crate::log::HostLog;
use crate::metrics::{FailureClass, Metrics};
use crate::net::stop::Stopper;
use crate::response::{Disposition, Doubt};
use leftovers::{AGAIN, Leftovers, Step};
use name::Names;
use part::PartFile;

/// The folder, and the file in it that is being written.
pub struct Files {
    folder: PathBuf,
    max_bytes: u64,
    max_age: Duration,
    names: Names,
    part: Option<PartFile>,
    leftovers: Leftovers,
    stopper: Stopper,
    metrics: Arc<Metrics>,
    log: Arc<HostLog>,
}

impl Files {
    /// Checks the folder and writes nothing. The plugin also starts while the disk is away.
    ///
    /// # Errors
    /// If no folder can ever be at the path.
    pub fn open(
        settings: &FileSettings,
        metrics: Arc<Metrics>,
        log: Arc<HostLog>,
    ) -> Result<Self, ConfigError> {
        let FileSettings { folder, max_bytes, max_age } = settings.clone();
        match std::fs::read_dir(&folder) {
            Err(error) if is_wrong_path(&error) => {
                return Err(ConfigError {
                    key: "endpoint",
                    problem: format!("{} cannot be used ({error})", folder.display()),
                    expected: "a folder that exists and can be written to".to_owned(),
                });
            }
            _ => {}
        }
        let stopper = Stopper::new(Arc::default());
        let names = Names::for_this_run();
        let leftovers = Leftovers::of(&folder);
        Ok(Self { folder, max_bytes, max_age, names, part: None, leftovers, stopper, metrics, log })
    }

    fn write(&mut self, body: &Packed<'_>) -> Result<(), (Doubt, String)> {
        let not_written = |folder: &PathBuf, error: &io::Error| {
            (Doubt::None, format!("no file can be written ({error}); look at {}", folder.display()))
        };
        let body_bytes = body.bytes.len() as u64;
        let is_done = |part: &PartFile| !part.takes(body_bytes, body.is_gzip, self.max_bytes, self.max_age);
        if self.part.as_ref().is_some_and(is_done) {
            self.complete().map_err(|error| not_written(&self.folder, &error))?;
        }
        let part = match &mut self.part {
            Some(part) => part,
            none => {
                let begun = PartFile::begin(&self.folder, &mut self.names, body.is_gzip);
                none.insert(begun.map_err(|error| not_written(&self.folder, &error))?)
            }
        };
        let written = part.append(body.bytes);
        let is_full = part.len_bytes() >= self.max_bytes;
        if is_full || written.is_err() {
            // The accepted batches are safe even if this fails, and it is tried again.
            let _ = self.complete();
        }
        written.map_err(|(doubt, error)| (doubt, not_written(&self.folder, &error).1))
    }

    /// Gives the file its final name. If that fails, the file stays as it is and takes no more batches.
    fn complete(&mut self) -> io::Result<()> {
        let Some(part) = &mut self.part else { return Ok(()) };
        part.complete()?;
        self.part = None;
        Ok(())
    }

    /// Completes a file that an earlier run left, if there is one. Returns how long until the next step is due.
    fn tidy(&mut self) -> Option<Duration> {
        let Step { completed, failed } = self.leftovers.step(|| !self.stopper.is_stopped());
        if completed > 0 {
            let folder = self.folder.display();
            let text = format!("{folder}: {completed} files that an earlier run left were completed");
            self.log.info("files completed", text);
        }
        if let Some((path, error)) = failed {
            self.log_incomplete(&path.display().to_string(), &error);
        }
        self.leftovers.rest()
    }

    fn log_incomplete(&self, what: &str, error: &io::Error) {
        if is_refused(error) {
            self.log.error(
                "file refused",
                format!(
                    "{what} cannot be completed and is left as it is ({error}); its records may be missing"
                ),
            );
            return;
        }
        self.log.warn(
            "file waits",
            format!("{what} cannot be completed ({error}); it is safe, and is tried again; look at the disk"),
        );
    }
}

impl Transport for Files {
    fn post(&mut self, post: &Post<'_>) -> Disposition {
        if self.stopper.is_stopped() {
            return Disposition::not_sent("the plugin is stopping".into());
        }
        self.metrics.requests_total.add(1);
        let began = clock::monotonic();
        let written = self.write(&post.body);
        self.metrics.request_duration_seconds.observe(clock::monotonic().saturating_duration_since(began));
        match written {
            Ok(()) => Disposition::Accepted { sent_bytes: post.body.bytes.len() as u64 },
            Err((doubt, why)) => {
                self.metrics.request_retries_total.add(FailureClass::Other);
                Disposition::Retry { after: None, why, doubt }
            }
        }
    }

    fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    fn idle(&mut self) -> Option<Duration> {
        let mut rest = self.tidy();
        if let Some(part) = &self.part {
            let mut left = part.left_of(self.max_age);
            if left.is_zero() {
                left = AGAIN;
                if let Err(error) = self.complete() {
                    self.log_incomplete(&self.folder.display().to_string(), &error);
                }
            }
            rest = self.part.as_ref().map(|_| rest.map_or(left, |rest| rest.min(left))).or(rest);
        }
        rest
    }

    fn finish(&mut self) {
        if let Err(error) = self.complete() {
            let folder = self.folder.display().to_string();
            self.log_incomplete(&folder, &error);
        }
    }
}
