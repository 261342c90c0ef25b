//! What is gone, and where things stood last, survives a restart: gzipped JSON, one object a line.
//!
//! ```text
//! {"format":"event_gateway topology","version":2,"saved_seconds":1763596800}
//! {"object":{…},"services":["web"],"deleted_seconds":1763596790}
//! ```
//! An event about a pod that vanished with the restart still finds its Services that way. It is a help and
//! no state that anything depends on: a file that is damaged, or of another version of this layout, is moved aside with a
//! WARN that says which, and the start goes on without it. Versions before and after this one do the same with theirs, so
//! `format` and `version` stay what a first line begins with. What was there when it was written counts as gone from then on,
//! until a list shows it. Slices are left out: their last word is in the places of their pods.

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

use super::unpacking::Unpacked;
use crate::clock;
use crate::disk::{self, Access, is_refused, with_suffix};
use crate::failpoint;
use crate::log::HostLog;
use crate::net::stop::StopSignal;
use crate::topology::index::Index;
use crate::topology::kind::Kind;
use crate::topology::lines::Lines;
use crate::topology::object::Object;
use crate::topology::writer::Writer;

const FORMAT: &str = "event_gateway topology";
const VERSION: u32 = 2;
/// More objects than a cluster has. Each takes memory, however short its line is.
const MOST_OBJECTS: usize = 1_000_000;
/// Kubernetes takes no object above 1.5 MiB, and what is kept of one is less. A longer line is not written.
const MOST_LINE_BYTES: usize = 2 << 20;

#[derive(Serialize)]
struct Header {
    format: &'static str,
    version: u32,
    saved_seconds: u64,
}

/// What is the same in the header of every version.
#[derive(Deserialize)]
struct AnyHeader {
    format: String,
    version: u32,
}

/// Why a file is of no use.
enum Unusable {
    Damaged(String),
    /// It holds more than was ever written.
    TooLarge(String),
    /// Another version of this plugin wrote it, a newer or an older one.
    Version(u32),
}

impl Unusable {
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

impl fmt::Display for Unusable {
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
struct Written<'a> {
    object: &'a Object,
    /// By name: they are of the object's namespace.
    services: Vec<&'a str>,
    deleted_seconds: u64,
}

#[derive(Deserialize)]
struct Remembered {
    object: Arc<Object>,
    services: Vec<Box<str>>,
    deleted_seconds: u64,
}

/// Loads the file, if there is one. Never fails: what is of no use is logged and moved aside.
pub fn restore(file: &Path, writer: &mut Writer, now_seconds: u64, log: &HostLog) {
    let opened = match disk::existing(file, Access::Read) {
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) if is_refused(&error) => {
            log.error(
                "topology file refused",
                format!(
                    "{} is neither read nor replaced: {error}; events about what is gone name no Services until it is \
                     known again",
                    file.display()
                ),
            );
            return;
        }
        opened => opened,
    };
    let why = match opened.map_err(Unusable::damaged).and_then(|file| load(&file, MOST_OBJECTS)) {
        Ok(remembered) => {
            for Remembered { object, services, deleted_seconds } in remembered {
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
        "what was known of the cluster is not taken from {}: it {why} and {moved}; events about what is gone name no \
         Services for now",
        file.display()
    );
    match why {
        Unusable::TooLarge(_) => {
            log.error("topology file too large", format!("{text}; look who else writes into its folder"));
        }
        _ => log.warn("topology file moved aside", text),
    }
}

/// Everything or nothing: half of a file tells nothing of the other half.
fn load(file: &File, most_objects: usize) -> Result<Vec<Remembered>, Unusable> {
    let mut unpacked = Unpacked::of(file);
    let mut lines = Lines::default();
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
                return Err(Unusable::TooLarge(error.to_string()));
            }
            Err(error) => return Err(Unusable::damaged(error)),
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
        // First of all: what stands behind the header of another version is not ours to read.
        if let Some(AnyHeader { format, version }) = &header {
            if format != FORMAT {
                return Err(Unusable::damaged("its first line is another's"));
            }
            if *version != VERSION {
                return Err(Unusable::Version(*version));
            }
        }
        if is_too_large || lines.take_dropped() > 0 {
            let bounds = format!(
                "at most {most_objects} objects, and no deep one or one above {MOST_LINE_BYTES} bytes"
            );
            return Err(Unusable::TooLarge(bounds));
        }
        if let Some(trouble) = trouble {
            return Err(Unusable::damaged(trouble));
        }
    }
    match header {
        Some(_) => Ok(remembered),
        None => Err(Unusable::damaged("it is empty")),
    }
}

/// So often it is looked whether the first lists are complete.
const LOOK: Duration = Duration::from_millis(250);

/// Saves `first` after the first lists are complete, then now and then, when something has changed, and at the end.
/// Restarts may follow on each other quickly, and what is gone then has to be known. `current` tells how many snapshots
/// there have been, and the last.
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
        // At the end in any case: what is there now counts as gone from now on. But not before the first lists: the file
        // knows more of Services than what it was read into.
        if (goes_on && saved == Some(count)) || !index.is_ready() {
            continue;
        }
        let now_seconds = clock::unix_seconds(clock::wall());
        let saving = || {
            failpoint::hit("memory");
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
            Ok(Err(error)) => {
                let shown = file.display();
                log.warn(
                    "topology file",
                    format!(
                        "what is known of the cluster cannot be saved to {shown} ({error}); a restart now forgets \
                         what is gone; it is tried again"
                    ),
                );
            }
            Err(_) => log.error(
                "topology file panicked",
                "saving what is known of the cluster panicked, a fault of this plugin; it is tried again",
            ),
        }
    }
}

/// Waits until the first lists are complete: before there is nothing new to save. `false`: stop.
fn pause_for_lists(is_ready: impl Fn() -> bool, stop: &StopSignal) -> bool {
    while !is_ready() {
        if !stop.pause(LOOK) {
            return false;
        }
    }
    !stop.is_set()
}

/// Writes the whole file beside the old one, and puts it in its place when it lies on the disk.
///
/// # Errors
/// When it cannot be written, or something foreign has one of the two names; what was there is then as it was.
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
    for object in index.objects().filter(|object| object.kind != Kind::EndpointSlice) {
        let written = Written {
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
                Err(why) => assert!(!is_read && matches!(why, Unusable::TooLarge(_)), "{why}"),
            }
        }
    }
}
