//! Does a letter that was said to be written lie in the file, whatever the disk does?
//!
//! The power goes at any moment, with any part of what was not synced on the disk; and each call on the file
//! fails in turn, alone and with all that follow. A letter that said yes is there, whole, on a line of its own.
//! POWER_LOSS_STATES (2,000) says how many disks are tried, POWER_LOSS_SEED repeats the choices of a run;
//! `FAILING_CALLS=all` tries each way to fail on each call.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use crate::{failing, power, syscalls};
use testkit::{dice, scratch};

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::rc::Rc;

use dice::Dice;
use event_gateway::config::DeadLetters;
use event_gateway::gateway::{DeadLetterError, DeadLetterFile, DeadLetterLine, DeadLetterLines};
use failing::{Failing, Shared, each, heal};
use power::{Moment, Recorder, trials};
use scratch::tempdir;
use serde_json::Value;
use syscalls::{Call, Disk, Kind, Outcome, watching};

fn open(folder: &Path) -> DeadLetterFile {
    let settings = DeadLetters { file: Some(folder.join("dead.ndjson")), max_bytes: 100_000_000 };
    DeadLetterFile::open(&settings).unwrap().unwrap()
}

fn write(file: &mut DeadLetterFile, id: &str, bytes: usize) -> Result<(), DeadLetterError> {
    file.write(&letter(id, &record(bytes)))
}

/// Writes letters together. How many are there, and why not all.
fn write_all(file: &mut DeadLetterFile, ids: &[String], bytes: usize) -> (usize, Option<DeadLetterError>) {
    let mut letters = DeadLetterLines::within(file.room_bytes());
    ids.iter().for_each(|id| assert!(letters.add(&letter(id, &record(bytes)))));
    file.write_all(letters)
}

fn record(bytes: usize) -> String {
    format!("\"{}\"", "x".repeat(bytes))
}

fn letter<'a>(id: &'a str, record: &'a str) -> DeadLetterLine<'a> {
    DeadLetterLine {
        time: "2026-01-02T03:04:05Z",
        id,
        status: Some(422),
        reason: "rejected",
        answer: "",
        record,
    }
}

/// What a person does, or log rotation.
fn rotate(folder: &Path, number: usize) {
    // It may fail as any other call.
    let _ = fs::rename(folder.join("dead.ndjson"), folder.join(format!("dead.{number}")));
}

/// How often each letter is there, whole, in all files; and the lines that are none.
fn letters(folder: &Path) -> (BTreeMap<String, usize>, usize) {
    let (mut whole, mut broken) = (BTreeMap::new(), 0);
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice::<Value>(line) {
                Ok(letter) => *whole.entry(letter["id"].as_str().unwrap().to_owned()).or_default() += 1,
                Err(_) => broken += 1,
            }
        }
    }
    (whole, broken)
}

#[derive(Debug, Default)]
struct Tally {
    disks: u64,
    broken_lines: usize,
    unsaid_and_there: usize,
    failed_syncs: u64,
}

/// Lines are written, the file is moved away and opened anew, and the power goes.
fn history(seed: u64, tally: &mut Tally) {
    let dice = &mut Dice(seed);
    let folder = tempdir();
    let record = trials::failing(folder.path(), seed, dice);
    // Where each said yes.
    let mut said: Vec<(String, Option<usize>)> = Vec::new();
    watching(folder.path(), Recorder(Rc::clone(&record)), || {
        let mut file = open(folder.path());
        for number in 0..4 + dice.below(20) {
            match dice.below(10) {
                0 if folder.path().join("dead.ndjson").exists() => rotate(folder.path(), number),
                1 => file = open(folder.path()),
                _ => {}
            }
            let bytes = [10, 400, 3_000, 12_000][dice.below(4)];
            let many = [1, 1, 1, 5][dice.below(4)];
            let ids: Vec<_> = (0..many).map(|place| format!("letter-{number}-{place}")).collect();
            let written = write_all(&mut file, &ids, dice.below(bytes)).0;
            let now = record.borrow().now();
            said.extend(ids.into_iter().zip(0..).map(|(id, place)| (id, (place < written).then_some(now))));
        }
    });
    let record = record.borrow();
    tally.failed_syncs += record.failed_syncs();
    let mut moments: Vec<_> = (0..20).map(|_| 1 + dice.below(record.now())).collect();
    moments.sort_unstable();
    let mut moment = Moment::start(&record);
    for at in moments {
        moment.advance(at, dice);
        let left = tempdir();
        moment.lose_power(dice, left.path());
        tally.disks += 1;
        write(&mut open(left.path()), "later", 10).unwrap();
        let (whole, broken) = letters(left.path());
        tally.broken_lines += broken;
        assert_eq!(whole.get("later"), Some(&1), "half a line swallowed it");
        for (id, yes) in &said {
            let is_there = whole.contains_key(id);
            let has_to_be = yes.is_some_and(|moment| moment <= at);
            assert!(is_there || !has_to_be, "{id} said yes and is gone, at {at}");
            tally.unsaid_and_there += usize::from(is_there && !has_to_be);
        }
    }
}

#[test]
fn a_letter_that_said_yes_survives_a_power_loss() {
    let mut tally = Tally::default();
    let states = trials::histories(|seed| {
        history(seed, &mut tally);
        tally.disks
    });
    println!("{tally:?}");
    assert!(states < 500 || tally.broken_lines.min(tally.unsaid_and_there) > 0, "nothing was cut: {tally:?}");
}

/// Four letters, each brought again until it is taken or the disk has failed it twice, and a rotation.
fn work(folder: &Path, plan: &Shared, half_lines: usize) {
    let path = folder.join("dead.ndjson").display().to_string();
    let mut file = open(folder);
    let trouble = file.take_trouble();
    assert!(trouble.iter().all(|why| why.to_string().contains(&path)), "{trouble:?}");
    let mut said_yes = Vec::new();
    let mut brought_again = 0;
    for number in 0..4 {
        let id = format!("letter-{number}");
        for _ in 0..2 {
            match write(&mut file, &id, 5_000) {
                Ok(()) => {
                    said_yes.push(id.clone());
                    break;
                }
                Err(why) => assert!(why.to_string().contains(&path), "{why}"),
            }
            brought_again += 1;
        }
        if number == 1 && folder.join("dead.ndjson").exists() {
            rotate(folder, number);
        }
    }
    heal(plan);
    for number in 0..4 {
        let id = format!("letter-{number}");
        if !said_yes.contains(&id) {
            write(&mut file, &id, 10).unwrap();
        }
    }
    let (whole, broken) = letters(folder);
    assert_eq!(whole.len(), 4, "{whole:?}");
    let stays = plan.borrow().stays;
    let more = whole.values().sum::<usize>() + broken - half_lines - 4;
    // What one failure leaves is taken back; what a dead disk left nobody could.
    assert!(if stays { more <= brought_again } else { more == 0 }, "{whole:?}, and {broken} broken lines");
}

#[test]
fn whatever_call_fails_the_letter_waits_and_is_taken_when_the_disk_is_back() {
    for rest in ["", "{\"half\": \"a li"] {
        let runs = each(|plan, failure| {
            let folder = tempdir();
            if !rest.is_empty() {
                fs::write(folder.path().join("dead.ndjson"), rest).unwrap();
            }
            let worked = catch_unwind(AssertUnwindSafe(|| {
                watching(folder.path(), Failing(Shared::clone(plan)), || {
                    work(folder.path(), plan, usize::from(!rest.is_empty()))
                });
            }));
            if let Err(panic) = worked {
                println!("{failure}: {:?}", plan.borrow());
                resume_unwind(panic);
            }
        });
        println!("{runs} runs");
        assert!(runs > 60, "{runs}");
    }
}

/// A disk with room for so many bytes, and how often it was synced.
struct Small {
    room_bytes: Rc<Cell<u64>>,
    syncs: Rc<Cell<u32>>,
}

impl Disk for Small {
    fn before(&mut self, call: &Call<'_>) -> Outcome {
        self.syncs.set(self.syncs.get() + u32::from(call.kind == Kind::Sync));
        match call.kind {
            Kind::Write if self.room_bytes.get() == 0 => Outcome::Fails(libc::ENOSPC),
            Kind::Write if call.len > self.room_bytes.get() => Outcome::Short(self.room_bytes.get()),
            _ => Outcome::Happens,
        }
    }

    fn after(&mut self, call: &Call<'_>, result: i64) {
        let room_bytes = self.room_bytes.get();
        match (call.kind, u64::try_from(result)) {
            (Kind::Write, Ok(written)) => self.room_bytes.set(room_bytes - written),
            // The file was empty before, so that what is cut off is what was written too much.
            (Kind::Truncate, Ok(_)) => self.room_bytes.set(CAPACITY_BYTES - call.len),
            _ => {}
        }
    }
}

const CAPACITY_BYTES: u64 = 100_000;

#[test]
fn a_disk_that_is_nearly_full_takes_as_many_as_fit_with_few_syncs() {
    const MANY: usize = 300;
    for bytes in [10, 500, 5_000, 99_000, 200_000] {
        let folder = tempdir();
        let (room_bytes, syncs) = (Rc::new(Cell::new(CAPACITY_BYTES)), Rc::new(Cell::new(0)));
        let disk = Small { room_bytes: Rc::clone(&room_bytes), syncs: Rc::clone(&syncs) };
        watching(folder.path(), disk, || {
            let mut file = open(folder.path());
            syncs.set(0);
            let ids: Vec<_> = (0..MANY).map(|number| format!("letter-{number:04}")).collect();
            let (written, error) = write_all(&mut file, &ids, bytes);
            let (whole, broken) = letters(folder.path());
            assert!(whole.keys().eq(&ids[..written]) && whole.values().all(|times| *times == 1));
            assert_eq!(broken, 0);
            let line_bytes = fs::read(folder.path().join("dead.ndjson")).unwrap().len() / written.max(1);
            let fit = usize::try_from(CAPACITY_BYTES).unwrap() / line_bytes.max(bytes);
            assert_eq!(written, fit.min(MANY), "of {bytes} bytes");
            assert_eq!(error.is_some(), written < MANY);
            assert!(syncs.get() <= 20, "{} syncs for {written}", syncs.get());
        });
    }
}

/// Takes writes, and neither syncs them nor gives them up again, while this is so.
struct Stubborn(Rc<Cell<bool>>);

impl Disk for Stubborn {
    fn before(&mut self, call: &Call<'_>) -> Outcome {
        let fails = matches!(call.kind, Kind::Sync | Kind::Truncate) && call.path.ends_with("dead.ndjson");
        if fails && self.0.get() { Outcome::Fails(libc::EIO) } else { Outcome::Happens }
    }

    fn after(&mut self, _: &Call<'_>, _: i64) {}
}

#[test]
fn what_cannot_be_taken_back_is_not_written_again_at_once() {
    let folder = tempdir();
    watching(folder.path(), Stubborn(Rc::new(Cell::new(true))), || {
        let mut file = open(folder.path());
        let ids: Vec<_> = (0..100).map(|number| format!("letter-{number}")).collect();
        let (written, error) = write_all(&mut file, &ids, 10);
        assert!(written == 0 && error.is_some());
        let whole = letters(folder.path()).0;
        assert!(whole.values().all(|times| *times == 1), "{whole:?}");
    });
}

#[test]
fn it_is_taken_back_before_the_next_if_it_is_the_last_of_this_very_file() {
    for way in ["as it was", "another writer", "another file"] {
        let (folder, is_ill) = (tempdir(), Rc::new(Cell::new(false)));
        watching(folder.path(), Stubborn(Rc::clone(&is_ill)), || {
            let mut file = open(folder.path());
            write(&mut file, "before", 10).unwrap();
            is_ill.set(true);
            write(&mut file, "stuck", 10).unwrap_err();
            is_ill.set(false);
            let path = folder.path().join("dead.ndjson");
            let there = fs::read(&path).unwrap();
            match way {
                "another writer" => fs::write(&path, [&there[..], b"{}\n"].concat()).unwrap(),
                "another file" => {
                    fs::rename(&path, folder.path().join("dead.1")).unwrap();
                    fs::write(&path, &there).unwrap();
                }
                _ => {}
            }
            write(&mut file, "stuck", 10).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            let times = text.matches("stuck").count();
            assert_eq!(times, if way == "as it was" { 1 } else { 2 }, "{way}: {text}");
            assert!(text.contains("before"));
        });
    }
}
