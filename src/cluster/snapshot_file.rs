//! Saves objects and their Services across restarts: gzipped JSON, one object per line.
//!
//! ```text
//! {"format":"event_gateway topology","version":2,"saved_seconds":1763596800}
//! {"object":{…},"services":["web"],"deleted_seconds":1763596790}
//! ```
//! So an event about a pod that was deleted during a restart still finds its Services. A file that is damaged
//! or has another version is moved aside with a WARN, and the start goes on. Other versions of this plugin do
//! the same, so every version's first line starts with `format` and `version`. Live objects count as deleted
//! from the time of saving, until a list shows them. Slices are not saved: each pod has its Services.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::bounded_gunzip::BoundedGunzip;
use crate::clock;
use crate::disk::{self, Access, is_refused, with_suffix};
use crate::failpoint;
use crate::log::HostLog;
use crate::net::stop::StopSignal;
use crate::topology::index::Index;
use crate::topology::kind::ObjectKind;
use crate::topology::line_splitter::LineSplitter;
use crate::topology::object::Object;
use crate::topology::writer::IndexWriter;

const FORMAT: &str = "event_gateway topology";
const VERSION: u32 = 2;
/// More objects than any cluster has. Each takes memory, however short its line is.
const MOST_OBJECTS: usize = 1_000_000;
/// Kubernetes accepts no object above 1.5 MiB, and only part of it is kept. A longer line is not written.
const MOST_LINE_BYTES: usize = 2 << 20;

#[derive(Serialize)]
struct Header {
    format: &'static str,
    version: u32,
    saved_seconds: u64,
}

/// The part of the header that every version has.
#[derive(Deserialize)]
struct AnyHeader {
    format: String,
    version: u32,
}

/// Why a file cannot be used. The caller moves it aside.
enum SnapshotFileError {
    Damaged(String),
    /// The file contains more than this plugin ever writes.
    TooLarge(String),
    /// A newer or older version of this plugin wrote the file.
    Version(u32),
}

impl SnapshotFileError {
    fn damaged(why: impl fmt::Display) -> Self {
        Self::Damaged(why.to_string())
    }

    fn suffix(&self) -> &'static str {
        match self {
            Self::Damaged(_) => ".damaged",
            Self::TooLarge(_) => ".too-large",
            Self::Version(version) if *version > VERSION => ".newer",
            Self::Version(_) => ".older",
        }
    }
}

impl fmt::Display for SnapshotFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(why) => write!(f, "is damaged ({why})"),
            Self::TooLarge(why) => write!(f, "holds more than this plugin ever writes ({why})"),
            Self::Version(version) => {
                let than = if *version > VERSION { "a newer" } else { "an older" };
                write!(
                    f,
                    "was written by {than} version of this plugin (file version {version}; this one reads {VERSION})"
                )
            }
        }
    }
}

#[derive(Serialize)]
struct SavedObject<'a> {
    object: &'a Object,
    /// Names of Services in the object's namespace.
    services: Vec<&'a str>,
    deleted_seconds: u64,
}

#[derive(Deserialize)]
struct RestoredObject {
    object: Arc<Object>,
    services: Vec<Box<str>>,
    deleted_seconds: u64,
}

/// Restores the objects from the file, if it exists. Never fails: a file that cannot be used is logged and
/// moved aside.
pub fn restore(file: &Path, writer: &mut IndexWriter, now_seconds: u64, log: &HostLog) {
    let opened = match disk::existing(file, Access::Read) {
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) if is_refused(&error) => {
            log.error(
                "topology file refused",
                format!(
                    "{} is neither read nor replaced: {error}; events about objects deleted before this start name no \
                     Services",
                    file.display()
                ),
            );
            return;
        }
        opened => opened,
    };
    let why = match opened.map_err(SnapshotFileError::damaged).and_then(|file| load(&file, MOST_OBJECTS)) {
        Ok(remembered) => {
            for RestoredObject { object, services, deleted_seconds } in remembered {
                // The clock may have been set back.
                writer.remember(object, &services, deleted_seconds.min(now_seconds));
            }
            return;
        }
        Err(why) => why,
    };
    let aside = disk::free_name(with_suffix(file, &format!("{}-{now_seconds}", why.suffix())));
    let moved = match fs::rename(file, &aside) {
        Ok(()) => format!("was moved to {}", aside.display()),
        Err(error) => format!("cannot be moved aside ({error})"),
    };
    let text = format!(
        "what was known of the cluster is not taken from {}: it {why} and {moved}; events about objects \
         deleted before this start name no Services",
        file.display()
    );
    match why {
        SnapshotFileError::TooLarge(_) => {
            log.error("topology file too large", format!("{text}; look who else writes into its folder"));
        }
        _ => log.warn("topology file moved aside", text),
    }
}

/// Reads the whole file or nothing, because half a file would be misleading.
fn load(file: &File, most_objects: usize) -> Result<Vec<RestoredObject>, SnapshotFileError> {
    let mut unpacked = BoundedGunzip::of(file);
    let mut lines = LineSplitter::default();
    let mut header: Option<AnyHeader> = None;
    let mut remembered = Vec::new();
    let mut trouble: Option<serde_json::Error> = None;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = match unpacked.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == ErrorKind::FileTooLarge => {
                return Err(SnapshotFileError::TooLarge(error.to_string()));
            }
            Err(error) => return Err(SnapshotFileError::damaged(error)),
        };
        let mut is_too_large = false;
        lines.feed(&buffer[..count], |line| {
            is_too_large |= line.len() > MOST_LINE_BYTES || remembered.len() >= most_objects;
            if is_too_large {
                return;
            }
            let read = match header {
                None => serde_json::from_slice(line).map(|read| header = Some(read)),
                Some(_) => serde_json::from_slice(line).map(|read| remembered.push(read)),
            };
            if let Err(error) = read {
                trouble.get_or_insert(error);
            }
        });
        // Checked first, because the lines of another version may have another layout.
        if let Some(AnyHeader { format, version }) = &header {
            if format != FORMAT {
                return Err(SnapshotFileError::damaged("its first line does not name this format"));
            }
            if *version != VERSION {
                return Err(SnapshotFileError::Version(*version));
            }
        }
        if is_too_large || lines.take_dropped() > 0 {
            let bounds = format!(
                "at most {most_objects} objects, none of them nested too deep or above {MOST_LINE_BYTES} bytes"
            );
            return Err(SnapshotFileError::TooLarge(bounds));
        }
        if let Some(trouble) = trouble {
            return Err(SnapshotFileError::damaged(trouble));
        }
    }
    match header {
        Some(_) => Ok(remembered),
        None => Err(SnapshotFileError::damaged("it is empty")),
    }
}

/// How often to check whether the first lists are complete.
const LOOK: Duration = Duration::from_millis(250);

/// Saves the file `first` after the first lists, then every `every` if something changed, and at the end. The
/// first save is early because restarts may follow quickly. `current` returns the number of snapshots so far
/// and the latest one.
pub fn keep(
    file: &Path,
    current: impl Fn() -> (u64, Arc<Index>),
    log: &HostLog,
    stop: &StopSignal,
    first: Duration,
    every: Duration,
) {
    let mut saved: Option<u64> = None;
    let mut goes_on = true;
    let mut is_first = true;
    while goes_on {
        if std::mem::take(&mut is_first) {
            goes_on = pause_for_lists(|| current().1.is_ready(), stop) && stop.pause(first);
        } else {
            goes_on = stop.pause(every);
        }
        let (count, index) = current();
        // The last save is unconditional, because live objects count as deleted from then on. But nothing is
        // saved before the first lists: until then the file knows more about Services than the index does.
        if (goes_on && saved == Some(count)) || !index.is_ready() {
            continue;
        }
        let now_seconds = clock::unix_seconds(clock::wall());
        let saving = || {
            failpoint::hit("snapshot_file");
            save(file, &index, now_seconds)
        };
        match catch_unwind(AssertUnwindSafe(saving)) {
            Ok(Ok(())) => saved = Some(count),
            Ok(Err(error)) if is_refused(&error) => log.error(
                "topology file not saved",
                format!(
                    "what is known of the cluster cannot be saved to {} ({error}); a restart now forgets \
                     what is gone; it is tried again",
                    file.display()
                ),
            ),
            Ok(Err(error)) => log.warn(
                "topology file",
                format!(
                    "what is known of the cluster cannot be saved to {} ({error}); a restart now forgets what is \
                     gone; it is tried again",
                    file.display()
                ),
            ),
            Err(_) => log.error(
                "topology file panicked",
                "saving what is known of the cluster panicked, a fault of this plugin; it is tried again",
            ),
        }
    }
}

/// Waits for the first lists. `false` means stop.
fn pause_for_lists(is_ready: impl Fn() -> bool, stop: &StopSignal) -> bool {
    while !is_ready() {
        if !stop.pause(LOOK) {
            return false;
        }
    }
    !stop.is_set()
}

/// Writes a new file beside the old one and replaces the old one after the new one is on disk.
///
/// # Errors
/// When the file cannot be written, or another user's file has one of the two names. The old file is then
/// unchanged.
pub fn save(file: &Path, index: &Index, now_seconds: u64) -> io::Result<()> {
    let new = with_suffix(file, ".new");
    let opened = disk::in_place_of_leftover(&new)?;
    let written = write(opened, index, now_seconds).and_then(|()| disk::rename_over(&new, file));
    if written.is_err() {
        let _ = disk::remove_own(&new); // the error that counts is the first
        return written;
    }
    disk::sync_folder(file)
}

fn write(file: File, index: &Index, now_seconds: u64) -> io::Result<()> {
    let mut packed = BufWriter::new(GzEncoder::new(file, Compression::fast()));
    let header = Header { format: FORMAT, version: VERSION, saved_seconds: now_seconds };
    serde_json::to_writer(&mut packed, &header)?;
    packed.write_all(b"\n")?;
    let mut line = Vec::new();
    for object in index.objects().filter(|object| object.kind != ObjectKind::EndpointSlice) {
        let written = SavedObject {
            object,
            services: index
                .memberships(object.key(), object)
                .iter()
                .filter_map(|one| Some(&*index.service(one.service)?.name))
                .collect(),
            deleted_seconds: object.deleted_seconds.map_or(now_seconds, Into::into),
        };
        line.clear();
        serde_json::to_writer(&mut line, &written)?;
        if line.len() <= MOST_LINE_BYTES {
            line.push(b'\n');
            packed.write_all(&line)?;
        }
    }
    packed.into_inner().map_err(|error| error.into_error())?.finish()?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_bounded_however_small_they_are() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut packed = GzEncoder::new(file.as_file(), Compression::fast());
        packed.write_all(format!("{{\"format\":\"{FORMAT}\",\"version\":{VERSION}}}\n").as_bytes()).unwrap();
        let pod = r#"{"object":{"kind":"Pod","uid":"u","namespace":"","name":"p","version":1,"created_seconds":0,
            "labels":[],"annotations":[],"owners":null,"details":{"Workload":{"template":null}}},"services":[],"deleted_seconds":1}"#;
        for _ in 0..3 {
            packed.write_all((pod.replace('\n', " ") + "\n").as_bytes()).unwrap();
        }
        packed.finish().unwrap();
        for (most_objects, is_read) in [(3, true), (2, false)] {
            match load(&File::open(file.path()).unwrap(), most_objects) {
                Ok(found) => assert!(is_read && found.len() == 3),
                Err(why) => assert!(!is_read && matches!(why, SnapshotFileError::TooLarge(_)), "{why}"),
            }
        }
    }
}
