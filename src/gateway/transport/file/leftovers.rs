//! Completes files that earlier runs left under a temporary name: each is cut to its whole batches and gets its name.
//!
//! The bytes that are read may be in memory only, because the kernel reports a failed sync once, and the run that saw the
//! error has ended. All bytes are therefore written again in place and then synced.
//!
//! Such files may be many and large, and neither batches nor a stop may wait for all of them: one step completes one
//! file, and a stop interrupts it anywhere.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::name;
use super::part::PartFile;
use super::whole::{whole_lines, whole_members};
use crate::clock;

/// How long to wait before another try to complete a file, also when no batch comes.
pub const AGAIN: Duration = Duration::from_secs(5);

const BUFFER_BYTES: usize = 64 << 10;

/// The files of a folder that are to be completed.
#[derive(Debug)]
pub struct Leftovers {
    folder: PathBuf,
    /// The files that are left of the folder's listing, the next one last; `None` before it is listed.
    waiting: Option<Vec<PathBuf>>,
    has_failed: bool,
    completed: usize,
    /// When the next step is due; `None`: all is done.
    due: Option<Instant>,
}

/// The result of a step.
#[derive(Debug, Default)]
pub struct Step {
    /// How many files were completed, at the last step of a listing.
    pub completed: usize,
    /// What could not be completed, with the disk's error; it is tried again.
    pub failed: Option<(PathBuf, io::Error)>,
}

impl Leftovers {
    /// The files of a folder, which is listed at the first step.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        let due = Some(clock::monotonic());
        Self { folder: folder.to_owned(), waiting: None, has_failed: false, completed: 0, due }
    }

    /// How long until the next step is due; `None`: all is done.
    #[must_use]
    pub fn rest(&self) -> Option<Duration> {
        self.due.map(|due| due.saturating_duration_since(clock::monotonic()))
    }

    /// Completes the next file that no process has locked, if a step is due. Once `goes_on` is false, it stops and leaves
    /// the file as it was.
    pub fn step(&mut self, goes_on: impl Fn() -> bool) -> Step {
        let mut step = Step::default();
        if self.rest() != Some(Duration::ZERO) {
            return step;
        }
        let waiting = match &mut self.waiting {
            Some(waiting) => waiting,
            none => match listed(&self.folder) {
                Ok(paths) => none.insert(paths),
                Err(error) => {
                    self.due = Some(clock::monotonic() + AGAIN);
                    step.failed = Some((self.folder.clone(), error));
                    return step;
                }
            },
        };
        if let Some(path) = waiting.pop() {
            match complete(&path, &goes_on) {
                Ok(is_completed) => self.completed += usize::from(is_completed),
                Err(_) if !goes_on() => waiting.push(path),
                Err(error) => {
                    self.has_failed = true;
                    step.failed = Some((path, error));
                }
            }
        }
        if waiting.is_empty() {
            self.waiting = None;
            self.due = std::mem::take(&mut self.has_failed).then(|| clock::monotonic() + AGAIN);
            step.completed = std::mem::take(&mut self.completed);
        }
        step
    }
}

/// The files with names of this transport, the first one last.
fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Opening a pipe would block, and a link may lead anywhere.
        let is_file = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
        if is_file && name::whole(&path).is_some() {
            paths.push(path);
        }
    }
    paths.sort_by(|one, other| other.cmp(one));
    Ok(paths)
}

/// Completes a file; `false` if another process uses it.
fn complete(path: &Path, goes_on: &impl Fn() -> bool) -> io::Result<bool> {
    let Some(mut part) = PartFile::left_at(path)? else { return Ok(false) };
    // Checked first, so that no file is read in vain.
    part.may_have_its_name()?;
    let reader = BufReader::with_capacity(BUFFER_BYTES, Stoppable { file: part.file(), goes_on });
    let good_bytes = if part.is_gzip() { whole_members(reader)? } else { whole_lines(reader)? };
    write_again(part.file(), good_bytes, goes_on)?;
    part.set_good_bytes(good_bytes);
    part.complete()?;
    Ok(true)
}

/// Writes the same bytes at the same place, so that the sync covers all of them.
fn write_again(file: &File, len_bytes: u64, goes_on: &impl Fn() -> bool) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut at = 0;
    while at < len_bytes {
        let left = usize::try_from(len_bytes - at).unwrap_or(BUFFER_BYTES);
        let Some(block) = buffer.get_mut(..left.min(BUFFER_BYTES)) else { break };
        unless_stopped(goes_on)?;
        file.read_exact_at(block, at)?;
        file.write_all_at(block, at)?;
        at += block.len() as u64;
    }
    Ok(())
}

/// A file whose reads fail after a stop.
struct Stoppable<'f, F> {
    file: &'f File,
    goes_on: &'f F,
}

impl<F: Fn() -> bool> Read for Stoppable<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        unless_stopped(self.goes_on)?;
        self.file.read(buffer)
    }
}

/// Fails after a stop, with an error of the system: any other error within a gzip member would mean that it is torn.
fn unless_stopped(goes_on: &impl Fn() -> bool) -> io::Result<()> {
    if goes_on() { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ECANCELED)) }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::gateway::Gzip;

    const NAME: &str = "20261121T174415.123Z-000001-0123abcd";

    /// A file of many blocks, and its bytes.
    fn left(folder: &Path, end: &str) -> (PathBuf, Vec<u8>) {
        let line = format!("{{\"id\":\"{}\"}}\n", "x".repeat(100_000));
        let mut bytes = Vec::new();
        for _ in 0..20 {
            if end.starts_with(".gz") {
                Gzip::default().pack(line.as_bytes(), &mut bytes).unwrap();
            } else {
                bytes.extend_from_slice(line.as_bytes());
            }
        }
        let path = folder.join(format!("{NAME}{end}"));
        fs::write(&path, &bytes).unwrap();
        (path, bytes)
    }

    #[test]
    fn a_stop_at_any_block_changes_nothing_and_the_next_step_completes_the_file() {
        for (end, whole) in [(".part", ".ndjson"), (".gz.part", ".ndjson.gz")] {
            for blocks in 0.. {
                let folder = tempfile::tempdir().unwrap();
                let (path, bytes) = left(folder.path(), end);
                let mut leftovers = Leftovers::of(folder.path());
                let asked = Cell::new(0);
                let step = leftovers.step(|| asked.replace(asked.get() + 1) < blocks);
                assert!(step.failed.is_none(), "{step:?}");
                if step.completed == 1 {
                    assert!(end != ".part" || blocks > 40, "{blocks} looks at {} bytes", bytes.len());
                    break;
                }
                assert_eq!(fs::read(&path).unwrap(), bytes, "stopped after {blocks}");
                assert_eq!(leftovers.rest(), Some(Duration::ZERO));
                assert_eq!(leftovers.step(|| true).completed, 1);
                assert_eq!(fs::read(folder.path().join(format!("{NAME}{whole}"))).unwrap(), bytes);
                assert_eq!(leftovers.rest(), None);
            }
        }
    }

    #[test]
    fn what_cannot_be_completed_is_not_read_and_is_tried_again_after_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let (path, bytes) = left(folder.path(), ".part");
        fs::write(folder.path().join(format!("{NAME}.ndjson")), "another").unwrap();
        let mut leftovers = Leftovers::of(folder.path());
        let asked = Cell::new(0);
        let step = leftovers.step(|| asked.replace(asked.get() + 1) < 1_000);
        let (of, error) = step.failed.unwrap();
        assert_eq!((of, error.kind()), (path.clone(), io::ErrorKind::AlreadyExists));
        assert!(asked.get() < 3, "{} looks", asked.get());
        assert!(leftovers.rest().unwrap() > AGAIN / 2);
        assert!(leftovers.step(|| true).failed.is_none(), "not yet");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn a_step_is_one_file() {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=3 {
            fs::write(
                folder.path().join(format!("20261121T174415.123Z-00000{number}-0123abcd.part")),
                "{}\n",
            )
            .unwrap();
        }
        let mut leftovers = Leftovers::of(folder.path());
        let steps = [(); 4].map(|()| (leftovers.step(|| true).completed, leftovers.rest().is_some()));
        assert_eq!(steps, [(0, true), (0, true), (3, false), (0, false)]);
    }
}
