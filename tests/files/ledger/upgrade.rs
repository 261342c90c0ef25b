//! Does a ledger go on counting when the plugin is upgraded, and is its file misread by no version, older or newer?
//!
//! `ledger-rules-1.gz` was written by the last version that knew no mark (cc4bf20): the commits of `file.rs`, and an intent
//! that a kill left without an answer.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::{COMMITS, NOW_SECONDS, all_of, batch, deliver, deliver_all, open, remembered};
use super::scratch::tempdir;
use super::{failing, mark, syscalls};
use event_gateway::config::{LedgerSettings, Updates};
use event_gateway::ledger::{Ledger, Unusable, Verdict};
use event_gateway::record::identity::rules::RULES;
use failing::{Failing, Plan, Shared, Wrong, heal};
use syscalls::{Kind, watching};

fn old_file(folder: &Path) -> PathBuf {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/state/ledger-rules-1.gz");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(fs::File::open(packed).unwrap()).read_to_end(&mut bytes).unwrap();
    let file = folder.join("ledger");
    fs::write(&file, bytes).unwrap();
    file
}

/// What the intent of the old file holds.
fn is_in_doubt(ledger: &mut Ledger) -> bool {
    batch(COMMITS).into_iter().all(|record| match ledger.begin(record) {
        Verdict::InDoubt { ticket } => {
            ledger.abort(ticket);
            true
        }
        _ => false,
    })
}

#[test]
fn an_old_file_counts_on_and_is_marked_with_its_first_commit() {
    let folder = tempdir();
    let file = old_file(folder.path());
    // A start alone changes nothing that the old version would mind.
    for _ in 0..2 {
        let (mut ledger, moved) = open(&file).unwrap();
        assert_eq!((remembered_but_the_claim(&mut ledger), moved), (all_of(COMMITS), None));
        assert!(is_in_doubt(&mut ledger));
        drop(ledger);
        assert_eq!(mark::rules(&file), None);
        assert_eq!(mark::read_as_the_first_versions_do(&file), Ok(COMMITS));
    }
    let mut ledger = open(&file).unwrap().0;
    deliver(&mut ledger, &batch(COMMITS + 1)).unwrap();
    drop(ledger);
    assert_eq!(mark::rules(&file), Some(RULES));
    let (mut ledger, moved) = open(&file).unwrap();
    assert_eq!((remembered_but_the_claim(&mut ledger), moved), (all_of(COMMITS), None));
    assert!(batch(COMMITS + 1).iter().all(|record| ledger.holds(record)));
    assert!(is_in_doubt(&mut ledger));
    // Old commits age as they would have.
    ledger.expire(NOW_SECONDS + 10_800);
    assert_eq!(ledger.entries(), 0);
}

/// What is written beside it before the next commit, and read after a kill, has its check by that key.
#[test]
fn a_file_gets_its_key_with_its_first_start_and_keeps_it() {
    let folder = tempdir();
    for file in [old_file(folder.path()), folder.path().join("new")] {
        let key = open(&file).unwrap().0.key().unwrap().clone();
        let mut again = open(&file).unwrap().0;
        assert_eq!(again.key(), Some(&key));
        deliver(&mut again, &batch(COMMITS + 1)).unwrap();
        drop(again);
        assert_eq!(open(&file).unwrap().0.key(), Some(&key));
    }
    // On a disk that cannot be written it is read all the same.
    let file = folder.path().join("new");
    let key = open(&file).unwrap().0.key().unwrap().clone();
    let plan = Shared::default();
    *plan.borrow_mut() = Plan {
        wrong: Some(Wrong::Errno(libc::EROFS)),
        stays: true,
        only: Some(Kind::Lock),
        ..Plan::default()
    };
    watching(folder.path(), Failing(Shared::clone(&plan)), || {
        assert_eq!(open(&file).unwrap().0.key(), Some(&key));
    });
}

/// Where the disk does not take it at the start, it comes with a later commit.
#[test]
fn a_key_that_could_not_be_written_is_written_later() {
    let folder = tempdir();
    let file = old_file(folder.path());
    let plan = Shared::default();
    *plan.borrow_mut() = Plan {
        wrong: Some(Wrong::Errno(libc::ENOSPC)),
        stays: true,
        only: Some(Kind::Write),
        ..Plan::default()
    };
    let key = watching(folder.path(), Failing(Shared::clone(&plan)), || {
        let mut ledger = open(&file).unwrap().0;
        let key = ledger.key().unwrap().clone();
        heal(&plan);
        let _ = deliver(&mut ledger, &batch(COMMITS + 1));
        ledger.finish(NOW_SECONDS).unwrap();
        key
    });
    assert_eq!(open(&file).unwrap().0.key(), Some(&key));
}

/// Those of all commits but the intent, which [`remembered`] does not expect.
fn remembered_but_the_claim(ledger: &mut Ledger) -> usize {
    (0..COMMITS).flat_map(batch).filter(|record| ledger.holds(record)).count()
}

#[test]
fn an_old_file_on_a_disk_that_cannot_be_written_is_read_all_the_same() {
    let folder = tempdir();
    let file = old_file(folder.path());
    let before = fs::read(&file).unwrap();
    let plan = Shared::default();
    *plan.borrow_mut() = Plan {
        wrong: Some(Wrong::Errno(libc::EROFS)),
        stays: true,
        only: Some(Kind::Write),
        ..Plan::default()
    };
    watching(folder.path(), Failing(Shared::clone(&plan)), || {
        let (mut ledger, moved) = open(&file).unwrap();
        assert_eq!((remembered_but_the_claim(&mut ledger), moved), (all_of(COMMITS), None));
        assert!(deliver(&mut ledger, &batch(COMMITS + 1)).is_err());
        assert!(fs::read(&file).unwrap() == before, "it was touched");
        heal(&plan);
        ledger.finish(NOW_SECONDS).unwrap();
    });
    assert_eq!(mark::rules(&file), Some(RULES));
    assert_eq!(remembered_but_the_claim(&mut open(&file).unwrap().0), all_of(COMMITS));
}

#[test]
fn a_file_of_today_is_nothing_to_the_versions_that_know_no_mark() {
    let folder = tempdir();
    let file = folder.path().join("ledger");
    for commits in [0, COMMITS] {
        let mut ledger = open(&file).unwrap().0;
        (0..commits).for_each(|number| deliver(&mut ledger, &batch(number)).unwrap());
        drop(ledger);
        assert_eq!(mark::rules(&file), Some(RULES));
        assert_eq!(
            mark::read_as_the_first_versions_do(&file).unwrap_err(),
            "rows is of type Table<&str, identity rules of a newer version of event_gateway>"
        );
    }
}

#[test]
fn a_newer_file_is_moved_aside_as_it_was() {
    let folder = tempdir();
    let file = folder.path().join("ledger");
    for rules in [RULES + 1, u32::MAX] {
        deliver_all(&file);
        mark::set_rules(&file, rules);
        let (mut ledger, moved) = open(&file).unwrap();
        let moved = moved.unwrap();
        assert_eq!(moved.why, Unusable::Newer { rules });
        assert_eq!(moved.to, folder.path().join("ledger.newer-20270115T080000Z"));
        assert_eq!(
            moved.to_string(),
            format!(
                "was written by a newer version of this plugin (identity rules {rules}; this version knows {RULES}) and \
                 was moved to {}",
                moved.to.display()
            )
        );
        assert_eq!(remembered(&mut ledger, 0), 0, "read by rules that it was not made by");
        deliver(&mut ledger, &batch(0)).unwrap();
        drop(ledger);
        // Back on the newer version a person puts it back, and it is as it was.
        assert_eq!(mark::rules(&moved.to), Some(rules));
        mark::set_rules(&moved.to, RULES);
        fs::rename(&moved.to, &file).unwrap();
        assert_eq!(remembered(&mut open(&file).unwrap().0, COMMITS), all_of(COMMITS));
        fs::remove_file(&file).unwrap();
    }
}

/// Rules that no version ever wrote are damage.
#[test]
fn a_mark_that_is_none_is_damage() {
    let folder = tempdir();
    let file = folder.path().join("ledger");
    for rules in [0, 1] {
        deliver_all(&file);
        mark::set_rules(&file, rules);
        let moved = open(&file).unwrap().1.unwrap();
        assert!(matches!(moved.why, Unusable::Damaged(_)), "{moved}");
        fs::remove_file(&file).unwrap();
    }
}

/// The same wherever the file is met again: unread at the start, and in the place of one that was in use.
#[test]
fn a_newer_file_that_turns_up_later_is_moved_aside_too() {
    let folder = tempdir();
    let (file, newer) = (folder.path().join("ledger"), folder.path().join("other"));
    deliver_all(&newer);
    mark::set_rules(&newer, RULES + 1);
    let bytes = fs::read(&newer).unwrap();
    let aside = |folder: &Path| {
        let names =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("ledger.newer-")).collect::<Vec<_>>()
    };

    fs::write(&file, &bytes).unwrap();
    let plan = Shared::default();
    *plan.borrow_mut() = Plan {
        wrong: Some(Wrong::Errno(libc::EMFILE)),
        stays: true,
        only: Some(Kind::Open),
        ..Plan::default()
    };
    watching(folder.path(), Failing(Shared::clone(&plan)), || {
        let mut ledger = open(&file).unwrap().0;
        heal(&plan);
        let why = ledger.recall(NOW_SECONDS + 6).unwrap_err().to_string();
        assert!(
            why.contains("was written by a newer version of this plugin") && why.ends_with("made anew soon"),
            "{why}"
        );
        // It is left alone for a pause, and made anew at the end.
        let _ = deliver(&mut ledger, &batch(0));
        ledger.finish(NOW_SECONDS + 7).unwrap();
    });
    let moved = folder.path().join(&aside(folder.path())[0]);
    assert_eq!(mark::rules(&moved), Some(RULES + 1));
    fs::remove_file(moved).unwrap();

    let ttl = Duration::from_secs(10_800);
    let settings = LedgerSettings { state_file: Some(file.clone()), ttl, max_entries: 100_000 };
    let mut ledger = Ledger::open(&settings, Updates::Every, NOW_SECONDS).unwrap().0;
    fs::remove_file(&file).unwrap();
    fs::write(&file, &bytes).unwrap();
    // Found out, and made anew.
    for number in 1..4 {
        let _ = deliver(&mut ledger, &batch(number));
        ledger.finish(NOW_SECONDS).unwrap();
    }
    drop(ledger);
    assert_eq!(aside(folder.path()).len(), 1);
    let ledger = open(&file).unwrap().0;
    assert!((0..4).flat_map(batch).all(|record| ledger.holds(&record)));
}
