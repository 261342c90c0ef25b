//! kill -9 at any moment: is everything in the files that was acknowledged, is each file readable to its end after
//! the next start, and does nothing come twice but what the guarantee says?
//!
//! TRANSPORT_KILLS (25, for each guarantee and each kind of file) says how often, TRANSPORT_SEED repeats the choices.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use super::dice::Dice;
use super::folder::{ids_in, letter_ids, parts, whole_ids};
use super::support::host::{Build, Code, MiniHost};
use super::support::variables::number_from;
use super::{begin, chunk, deliver_at_last, ids, pause};

const BATCH_EVENTS: usize = 10;

#[test]
#[allow(clippy::print_stdout)]
fn what_was_acknowledged_is_in_the_files() {
    let (kills, seed) =
        (number_from("TRANSPORT_KILLS").unwrap_or(25), number_from("TRANSPORT_SEED").unwrap_or(1));
    for (number, (guarantee, compress)) in [
        ("no_event_loss", "gzip"),
        ("no_event_loss", "none"),
        ("no_duplicates", "gzip"),
        ("no_duplicates", "none"),
    ]
    .into_iter()
    .enumerate()
    {
        let account = epoch(guarantee, compress, Dice(seed + number as u64), kills);
        println!("{guarantee}, {compress}: {account:?}");
    }
}

#[derive(Debug, Default)]
#[allow(dead_code, reason = "it is printed")]
struct Account {
    kills: usize,
    records: usize,
    acknowledged_before_a_kill: usize,
    torn_files: usize,
    repeated: usize,
    ambiguous: usize,
}

fn epoch(guarantee: &str, compress: &str, mut dice: Dice, kills: usize) -> Account {
    let outer = tempfile::tempdir().expect("a folder");
    let folder = outer.path().join("out");
    std::fs::create_dir(&folder).expect("a folder");
    let file = |name: &str| outer.path().join(name).to_str().expect("UTF-8").to_owned();
    let (state, letters) = (file("ledger"), file("letters"));
    let settings = [
        ("guarantee", guarantee),
        ("compress", compress),
        ("state_file", &*state),
        ("dead_letter_file", &*letters),
        ("batch_events", &*BATCH_EVENTS.to_string()),
        ("file_max_bytes", if compress == "gzip" { "3K" } else { "30K" }),
    ];
    let endpoint = format!("file://{}", folder.display());
    let mut account = Account { kills, ..Account::default() };
    let (mut chunks, mut next) = (Vec::new(), 0);
    let mut acknowledged = BTreeSet::new();
    for _ in 0..kills {
        for _ in 0..=dice.below(3) {
            let more = 1 + dice.below(60);
            chunks.push(next..next + more);
            next += more;
        }
        let mut host = MiniHost::start(Build::V5_1_1);
        begin(&mut host, "a", &endpoint, &settings);
        assert!(parts_are_few(&folder), "{:?}", parts(&folder));
        let flushes: Vec<_> =
            chunks.iter().map(|range| (range.clone(), host.flush("a", "t", &chunk(range.clone())))).collect();
        pause(dice.below(40) as u64);
        for (range, id) in flushes {
            if host.wait_within(id, Duration::ZERO) == Some(Code::Ok) {
                acknowledged.extend(ids(range));
            }
        }
        host.kill();
        let there: BTreeSet<String> =
            whole_ids(&folder).into_iter().chain(letter_ids(letters.as_ref())).collect();
        let lost: Vec<_> = acknowledged.difference(&there).take(10).collect();
        assert!(lost.is_empty(), "acknowledged, and not there after a kill: {lost:?} …");
        account.torn_files += parts(&folder).len();
    }
    account.acknowledged_before_a_kill = acknowledged.len();

    let mut host = MiniHost::start(Build::V5_1_1);
    begin(&mut host, "a", &endpoint, &settings);
    for range in chunks {
        deliver_at_last(&mut host, &chunk(range));
    }
    host.quit();
    assert_eq!(parts(&folder), [""; 0], "what a crash left was completed");
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for id in ids_in(&folder) {
        *times.entry(id).or_default() += 1;
    }
    let ambiguous: BTreeSet<String> = letter_ids(letters.as_ref()).into_iter().collect();
    let known: BTreeSet<&String> = times.keys().chain(&ambiguous).collect();
    let wanted = ids(0..next);
    assert_eq!(known, wanted.iter().collect(), "all came, and nothing else");
    account.records = next;
    account.repeated = times.values().map(|times| times - 1).sum();
    account.ambiguous = ambiguous.len();
    // A kill meets one batch at most.
    let most = kills * BATCH_EVENTS;
    if guarantee == "no_duplicates" {
        assert!(account.repeated == 0 && account.ambiguous <= most, "{account:?}");
    } else {
        assert!(account.repeated <= most && account.ambiguous == 0, "{account:?}");
    }
    account
}

/// Those of the dead are completed by and by; one may be the own.
fn parts_are_few(folder: &Path) -> bool {
    parts(folder).len() <= 2
}
