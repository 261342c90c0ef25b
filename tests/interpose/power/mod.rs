//! A disk that remembers everything that was asked of it, and what it may hold after the power goes.
//!
//! What was synced stays. Any part of the rest may be there, at sectors' borders or within one, in any
//! order. A name given, taken or changed is there for certain only once its folder was synced; until then
//! as many of the first ones as chance will have.
#![allow(dead_code, reason = "each test binary uses its own part")]

mod remains;
pub mod trials;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;

use super::dice::Dice;

use super::syscalls::{Call, Disk, Kind, Outcome};
use remains::{Change, Content, PAGE};

pub type FileId = usize;

#[derive(Debug, Clone)]
enum Step {
    Change(FileId, Change),
    Synced(FileId),
    /// The kernel takes what it could not write for written, and says so once.
    SyncFailed(FileId),
    Named(OsString, FileId),
    Renamed(OsString, OsString),
    Unlinked(OsString),
    FolderSynced,
}

/// All that happened in one folder.
#[derive(Debug, Default)]
pub struct Record {
    steps: Vec<Step>,
    names: BTreeMap<OsString, FileId>,
    /// As they were before; new ones are empty.
    files: Vec<Vec<u8>>,
    /// Calls that fail, by their place among those of this kind.
    pub fails: Vec<(Kind, u64, i32)>,
    seen: BTreeMap<Kind, u64>,
    before: BTreeMap<OsString, FileId>,
}

impl Record {
    /// Starts from what is in the folder, all of it synced.
    pub fn of(folder: &Path) -> Rc<RefCell<Record>> {
        let mut record = Record::default();
        for entry in fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("a folder");
            record.names.insert(entry.file_name(), record.files.len());
            record.files.push(fs::read(entry.path()).expect("a file"));
        }
        record.before.clone_from(&record.names);
        record.steps.push(Step::FolderSynced);
        Rc::new(RefCell::new(record))
    }

    /// How far it has come: a moment at which the power may go. 1 at first; what was before is at 0.
    pub fn now(&self) -> usize {
        self.steps.len()
    }

    /// The next call of this kind fails.
    pub fn fail_next(&mut self, kind: Kind, errno: i32) {
        let seen = self.seen.get(&kind).copied().unwrap_or_default();
        self.fails.push((kind, seen + 1, errno));
    }

    pub fn failed_syncs(&self) -> u64 {
        self.steps.iter().map(|step| u64::from(matches!(step, Step::SyncFailed(_)))).sum()
    }

    /// The length of a file, of which only changes are known.
    fn len(&self, file: FileId) -> usize {
        let changes = self.steps.iter().filter_map(|step| match step {
            Step::Change(of, change) if *of == file => Some(change),
            _ => None,
        });
        changes.fold(self.files[file].len(), |len, change| match change {
            Change::Write { offset, bytes } => len.max(offset + bytes.len()),
            Change::Truncate(len) => *len,
        })
    }
}

/// Writes down what is done.
pub struct Recorder(pub Rc<RefCell<Record>>);

fn name(path: &Path) -> OsString {
    path.file_name().expect("a file's path").to_owned()
}

impl Disk for Recorder {
    fn before(&mut self, call: &Call<'_>) -> Outcome {
        let record = &mut *self.0.borrow_mut();
        let seen = record.seen.entry(call.kind).or_default();
        *seen += 1;
        let fails = record.fails.iter().find(|(kind, place, _)| (*kind, *place) == (call.kind, *seen));
        fails.map_or(Outcome::Happens, |(_, _, errno)| Outcome::Fails(*errno))
    }

    fn after(&mut self, call: &Call<'_>, result: i64) {
        let record = &mut *self.0.borrow_mut();
        let file = record.names.get(&name(call.path)).copied();
        if call.kind == Kind::Sync && result < 0 {
            // A folder loses nothing: its names are a part of the file system's own log.
            record.steps.extend(file.map(Step::SyncFailed));
        }
        let Ok(done) = usize::try_from(result) else { return };
        match (call.kind, file) {
            (Kind::Open, None) if call.makes => {
                let file = record.files.len();
                record.files.push(Vec::new());
                record.names.insert(name(call.path), file);
                record.steps.push(Step::Named(name(call.path), file));
            }
            (Kind::Write, Some(file)) => {
                let bytes = call.bytes[..done].to_vec();
                let end = || record.len(file);
                let offset = call.offset.map_or_else(end, |offset| usize::try_from(offset).expect("small"));
                record.steps.push(Step::Change(file, Change::Write { offset, bytes }));
            }
            (Kind::Truncate, Some(file)) => {
                let len = usize::try_from(call.len).expect("small");
                record.steps.push(Step::Change(file, Change::Truncate(len)));
            }
            (Kind::Sync, Some(file)) => record.steps.push(Step::Synced(file)),
            (Kind::Sync, None) if call.path.is_dir() => record.steps.push(Step::FolderSynced),
            (Kind::Rename, Some(file)) => {
                let to = name(call.to.expect("a new name"));
                record.names.remove(&name(call.path));
                record.names.insert(to.clone(), file);
                record.steps.push(Step::Renamed(name(call.path), to));
            }
            (Kind::Unlink, Some(_)) => {
                record.names.remove(&name(call.path));
                record.steps.push(Step::Unlinked(name(call.path)));
            }
            _ => {}
        }
    }
}

/// The disk at one moment of a record.
pub struct Moment<'a> {
    record: &'a Record,
    at: usize,
    files: Vec<Content>,
    names: BTreeMap<OsString, FileId>,
    pending_names: Vec<Step>,
}

impl<'a> Moment<'a> {
    pub fn start(record: &'a Record) -> Self {
        let files = record.files.iter().map(|bytes| Content::of(bytes)).collect();
        Self { record, at: 0, files, names: record.before.clone(), pending_names: Vec::new() }
    }

    /// Goes on to a later moment.
    pub fn advance(&mut self, to: usize, dice: &mut Dice) {
        for step in &self.record.steps[self.at..to] {
            match step {
                Step::Change(file, change) => self.files[*file].change(change),
                Step::Synced(file) => self.files[*file].sync(dice),
                Step::SyncFailed(file) => self.files[*file].give_up(),
                Step::FolderSynced => {
                    self.pending_names.drain(..).for_each(|step| name_step(&mut self.names, &step));
                }
                step => self.pending_names.push(step.clone()),
            }
        }
        self.at = to;
    }

    /// Puts one of the things that may be left into an empty folder.
    pub fn lose_power(&self, dice: &mut Dice, folder: &Path) {
        let mut names = self.names.clone();
        let survive = match dice.below(3) {
            0 => 0,
            1 => self.pending_names.len(),
            _ => dice.below(self.pending_names.len() + 1),
        };
        self.pending_names[..survive].iter().for_each(|step| name_step(&mut names, step));
        for (name, file) in names {
            let bytes = self.files[file].survivor(dice);
            let out = fs::File::create(folder.join(name)).expect("a file");
            out.set_len(bytes.len() as u64).expect("room");
            // Holes stay holes: most of a young ledger is one.
            for (place, page) in bytes.chunks(PAGE).enumerate() {
                if page.iter().any(|byte| *byte != 0) {
                    out.write_all_at(page, (place * PAGE) as u64).expect("room");
                }
            }
        }
    }
}

fn name_step(names: &mut BTreeMap<OsString, FileId>, step: &Step) {
    match step {
        Step::Named(name, file) => drop(names.insert(name.clone(), *file)),
        Step::Renamed(from, to) => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
        Step::Unlinked(name) => drop(names.remove(name)),
        _ => {}
    }
}
