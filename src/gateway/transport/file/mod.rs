//! Lines into files of a folder: a batch is accepted when it lies on the disk.
//!
//! ```text
//! 20261121T174415.123Z-000001-5f3a9c21.part              being written, locked by its writer
//! 20261121T174415.123Z-000001-5f3a9c21.ndjson            complete; .gz.part and .ndjson.gz where it is compressed
//! ```
//!
//! What it obeys:
//! 1. A file has its final name only when it is complete: of `file_max_bytes`, `file_max_age` old, or the last one
//!    before a stop. It is never touched again.
//! 2. A batch goes out in one write and is synced before it is accepted; the name of a new file is synced before that.
//!    What was not accepted is taken back, or the file is closed at the end of what was.
//! 3. A compressed batch is a member of gzip of its own, so that a file is readable to the end of each.
//! 4. Names sort by the time of the first batch, and no two writers share one: each life has its own letters at the
//!    end of its names. Whoever finds a temporary name that nobody has locked completes it.
//! 5. A disk that is full, read-only or away is waited for. After a failure the file is completed, so that whoever
//!    takes files away can make room.

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
use leftovers::{Leftovers, Step};
use name::Names;
use part::Part;

/// What could not be completed is tried again so often, though nothing is to be delivered.
const AGAIN: Duration = Duration::from_secs(5);

/// The folder, and the file in it that is being written.
pub struct Files {
    folder: PathBuf,
    max_bytes: u64,
    max_age: Duration,
    names: Names,
    part: Option<Part>,
    leftovers: Leftovers,
    stopper: Stopper,
    metrics: Arc<Metrics>,
    log: Arc<HostLog>,
}

impl Files {
    /// Looks at the folder and writes nothing. A disk that is away is no reason not to start.
    ///
    /// # Errors
    /// When the path is none of a folder.
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
                    expected: "a folder that exists, and that files can be written into".to_owned(),
                });
            }
            _ => {}
        }
        let stopper = Stopper::new(Arc::default());
        let names = Names::of_a_new_life();
        let leftovers = Leftovers::of(&folder);
        Ok(Self { folder, max_bytes, max_age, names, part: None, leftovers, stopper, metrics, log })
    }

    fn write(&mut self, body: &Packed<'_>) -> Result<(), (Doubt, String)> {
        let not_written = |folder: &PathBuf, error: &io::Error| {
            (Doubt::None, format!("no file can be written ({error}); look at {}", folder.display()))
        };
        let body_bytes = body.bytes.len() as u64;
        let is_done = |part: &Part| !part.takes(body_bytes, body.is_gzip, self.max_bytes, self.max_age);
        if self.part.as_ref().is_some_and(is_done) {
            self.complete().map_err(|error| not_written(&self.folder, &error))?;
        }
        let part = match &mut self.part {
            Some(part) => part,
            none => {
                let begun = Part::begin(&self.folder, &mut self.names, body.is_gzip);
                none.insert(begun.map_err(|error| not_written(&self.folder, &error))?)
            }
        };
        let written = part.append(body.bytes);
        let is_full = part.len_bytes() >= self.max_bytes;
        if is_full || written.is_err() {
            // What is in it is safe whether or not this works, and it is tried again.
            let _ = self.complete();
        }
        written.map_err(|(doubt, error)| (doubt, not_written(&self.folder, &error).1))
    }

    /// Gives the file its final name. When it cannot be it stays as it is, and takes no more.
    fn complete(&mut self) -> io::Result<()> {
        let Some(part) = &mut self.part else { return Ok(()) };
        part.complete()?;
        self.part = None;
        Ok(())
    }

    /// Completes a file that an earlier life left, if there is one. How long until there is something to do again.
    fn tidy(&mut self) -> Option<Duration> {
        let Step { completed, failed } = self.leftovers.step(|| !self.stopper.is_stopped());
        if completed > 0 {
            let folder = self.folder.display();
            let text = format!("{folder}: {completed} files that an earlier life left were completed");
            self.log.info("files completed", text);
        }
        if let Some((path, error)) = failed {
            self.tell_of_waiting(&path.display().to_string(), &error);
        }
        self.leftovers.rest()
    }

    fn tell_of_waiting(&self, what: &str, error: &io::Error) {
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
                    self.tell_of_waiting(&self.folder.display().to_string(), &error);
                }
            }
            rest = self.part.as_ref().map(|_| rest.map_or(left, |rest| rest.min(left))).or(rest);
        }
        rest
    }

    fn finish(&mut self) {
        if let Err(error) = self.complete() {
            let folder = self.folder.display().to_string();
            self.tell_of_waiting(&folder, &error);
        }
    }
}
