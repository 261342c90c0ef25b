//! Is a batch that was accepted for a file in a complete file after the next start, whatever the disk does?
//!
//! The power goes at any moment, with any part of what was not synced on the disk; and each call on the folder fails
//! in turn, alone and with all that follow. What was accepted is there once, what was certainly not taken is not, and
//! every file is readable to its end. POWER_LOSS_STATES (2,000) says how many disks are tried, POWER_LOSS_SEED repeats
//! the choices of a run; `FAILING_CALLS=all` tries each way to fail on each call.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use crate::{failing, power, syscalls};
use testkit::{dice, posting, scratch};

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::rc::Rc;

use dice::Dice;
use event_gateway::response::{Disposition, Doubt};
use failing::{Failing, Shared, each, heal};
use flate2::read::MultiGzDecoder;
use posting::Client;
use power::{Moment, Recorder, trials};
use scratch::tempdir;
use syscalls::watching;

const COMPRESS: [&str; 2] = ["gzip", "none"];

fn open(folder: &Path, compress: &str) -> Client {
    let endpoint = format!("file://{}", folder.display());
    posting::open(&endpoint, &[("compress", compress), ("file_max_bytes", "20K"), ("file_max_age", "1h")])
}

/// Lines of which each is so long and hardly compressible.
fn body(ids: &[String], dice: &mut Dice, bytes: usize) -> Vec<u8> {
    let text =
        |dice: &mut Dice| (0..bytes / 8).map(|_| format!("{:08x}", dice.roll() >> 32)).collect::<String>();
    ids.iter()
        .flat_map(|id| format!("{{\"id\":\"{id}\",\"text\":\"{}\"}}\n", text(dice)).into_bytes())
        .collect()
}

/// How often each id is there in the complete files, each of which is read to its end; and the other files.
fn ids_in(folder: &Path) -> (BTreeMap<String, usize>, Vec<String>) {
    let (mut times, mut others) = (BTreeMap::new(), Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        match name.rsplit_once(".ndjson") {
            Some((_, "")) => bytes = fs::read(&path).unwrap(),
            Some((_, ".gz")) => {
                let read = MultiGzDecoder::new(File::open(&path).unwrap()).read_to_end(&mut bytes);
                read.unwrap_or_else(|error| panic!("{name} is torn: {error}"));
            }
            _ => others.push(name.clone()),
        }
        assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "{name} ends in half a line");
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line: serde_json::Value = serde_json::from_slice(line).expect("a line of JSON");
            *times.entry(line["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    (times, others)
}

#[derive(Debug, Default)]
struct Tally {
    disks: u64,
    accepted: usize,
    in_doubt: usize,
    unsaid_and_there: usize,
    failed_syncs: u64,
}

/// Batches are posted, files fill up, lives end, and the power goes.
fn history(seed: u64, tally: &mut Tally) {
    let dice = &mut Dice(seed);
    let compress = COMPRESS[dice.below(2)];
    let folder = tempdir();
    let record = trials::failing(folder.path(), seed, dice);
    // What was said of each, and when.
    let mut said: Vec<(String, Option<Doubt>, usize)> = Vec::new();
    watching(folder.path(), Recorder(Rc::clone(&record)), || {
        let mut client = open(folder.path(), compress);
        for number in 0..4 + dice.below(20) {
            match dice.below(12) {
                0 => client.gateway.finish(),
                1 => client = open(folder.path(), compress),
                2 => client.settle(),
                _ => {}
            }
            let ids: Vec<_> = (0..1 + dice.below(3)).map(|place| format!("{number}-{place}")).collect();
            let bytes = [10, 400, 3_000, 9_000][dice.below(4)];
            let body = body(&ids, dice, bytes);
            let doubt = match client.post_body(&body) {
                Disposition::Accepted { .. } => None,
                disposition => Some(disposition.doubt()),
            };
            let now = record.borrow().now();
            said.extend(ids.into_iter().map(|id| (id, doubt, now)));
        }
    });
    tally.accepted += said.iter().filter(|(_, doubt, _)| doubt.is_none()).count();
    tally.in_doubt += said.iter().filter(|(_, doubt, _)| *doubt == Some(Doubt::Unanswered)).count();
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
        let mut client = open(left.path(), compress);
        client.settle();
        assert!(posting::accepted(&client.post_body(b"{\"id\":\"later\"}\n")));
        client.gateway.finish();
        let (times, others) = ids_in(left.path());
        assert_eq!(others, [""; 0], "not completed");
        assert_eq!(times.get("later"), Some(&1));
        assert!(times.values().all(|times| *times == 1), "{times:?}");
        for (id, doubt, moment) in &said {
            let is_there = times.contains_key(id);
            let was_said = *moment <= at;
            assert!(is_there || !was_said || doubt.is_some(), "{id} was accepted and is gone, at {at}");
            assert!(
                !is_there || !was_said || *doubt != Some(Doubt::None),
                "{id} was not taken, and is there"
            );
            tally.unsaid_and_there += usize::from(is_there && !(was_said && doubt.is_none()));
        }
    }
}

#[test]
fn what_was_accepted_survives_a_power_loss() {
    let mut tally = Tally::default();
    let states = trials::histories(|seed| {
        history(seed, &mut tally);
        tally.disks
    });
    println!("{tally:?}");
    let rarest = tally.in_doubt.min(tally.unsaid_and_there).min(tally.accepted);
    assert!(states < 500 || (rarest > 0 && tally.failed_syncs > 0), "not all that may happen did: {tally:?}");
}

/// Four batches, each brought again until it is taken or the disk has failed it twice, over two lives.
fn work(folder: &Path, plan: &Shared, compress: &str) {
    let dice = &mut Dice(1);
    let mut client = open(folder, compress);
    let (mut accepted, mut in_doubt) = (Vec::new(), 0);
    for number in 0..4 {
        let id = format!("batch-{number}");
        for _ in 0..2 {
            match client.post_body(&body(std::slice::from_ref(&id), dice, 9_000)) {
                Disposition::Accepted { .. } => {
                    accepted.push(id.clone());
                    break;
                }
                Disposition::Retry { why, doubt, .. } => {
                    assert!(why.contains(&folder.display().to_string()), "{why}");
                    in_doubt += usize::from(doubt > Doubt::None);
                }
                other => panic!("{other:?}"),
            }
        }
        if number == 1 {
            client = open(folder, compress);
            client.settle();
        }
    }
    heal(plan);
    for number in 0..4 {
        let id = format!("batch-{number}");
        if !accepted.contains(&id) {
            assert!(posting::accepted(&client.post_body(&body(&[id], dice, 10))), "the disk is well");
        }
    }
    client.settle();
    client.gateway.finish();
    drop(client);
    // What a life without a lock on its file left, the next one completes.
    let mut client = open(folder, compress);
    client.settle();
    client.gateway.finish();
    let (times, others) = ids_in(folder);
    assert_eq!(others, [""; 0], "not completed");
    assert_eq!(times.len(), 4, "{times:?}");
    let more = times.values().sum::<usize>() - 4;
    assert!(more <= in_doubt, "{more} came again, and {in_doubt} were in doubt: {times:?}");
}

#[test]
fn whatever_call_fails_the_batch_waits_and_is_taken_when_the_disk_is_back() {
    for compress in COMPRESS {
        let runs = each(|plan, failure| {
            let folder = tempdir();
            let worked = catch_unwind(AssertUnwindSafe(|| {
                watching(folder.path(), Failing(Shared::clone(plan)), || work(folder.path(), plan, compress));
            }));
            if let Err(panic) = worked {
                println!("{compress}, {failure}: {:?}", plan.borrow());
                resume_unwind(panic);
            }
        });
        println!("{compress}: {runs} runs");
        assert!(runs > 60, "{runs}");
    }
}
