//! With `guarantee no_duplicates`: is a batch that may have arrived dead-lettered at once, as far as there is room?
//!
//! A stop waits for it, and a sync may take longer than all the rest: a batch has up to ten thousand records.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::{posting, support, syscalls};
use event_gateway::clock;
use event_gateway::job::{HostResult, Job, reply};
use event_gateway::log::HostLog;
use event_gateway::metrics::Metrics;
use event_gateway::pipeline::Pipeline;
use support::gateway::{Answer, TestGateway};
use support::{chunk, event};
use syscalls::{Call, Disk, Kind, Outcome, watching};

/// Syncs that a request costs with its doubts and letters, however many records there are.
const MOST_SYNCS: usize = 10;

/// Counts syncs, and has so much room for letters if it is set so.
#[derive(Clone, Default)]
struct Syncs(Rc<RefCell<(usize, Option<u64>)>>);

impl Syncs {
    fn take(&self) -> usize {
        std::mem::take(&mut self.0.borrow_mut().0)
    }

    fn leave_room(&self, bytes: Option<u64>) {
        self.0.borrow_mut().1 = bytes;
    }
}

impl Disk for Syncs {
    fn before(&mut self, call: &Call<'_>) -> Outcome {
        let (syncs, room_bytes) = &mut *self.0.borrow_mut();
        *syncs += usize::from(call.kind == Kind::Sync);
        match room_bytes {
            Some(room_bytes) if call.kind == Kind::Write && call.path.ends_with("letters") => {
                if call.len > *room_bytes {
                    return Outcome::Fails(libc::ENOSPC);
                }
                *room_bytes -= call.len;
                Outcome::Happens
            }
            _ => Outcome::Happens,
        }
    }

    fn after(&mut self, _: &Call<'_>, _: i64) {}
}

/// An instance of which each request gets lost, and where its files are.
struct Trial {
    gateway: TestGateway,
    folder: PathBuf,
    pipeline: Pipeline,
    metrics: Arc<Metrics>,
    log: Arc<HostLog>,
}

impl Trial {
    fn start(folder: &Path, keys: &[(&str, &str)]) -> Trial {
        let gateway = TestGateway::start();
        gateway.set_default(Answer::close_after_body().accepting(true));
        let ledger = folder.join("ledger");
        let common =
            [("guarantee", "no_duplicates"), ("state_file", ledger.to_str().unwrap()), ("correlate", "off")];
        let settings = posting::settings(&gateway.url(), &[keys, &common[..]].concat());
        let (metrics, log) = (Arc::<Metrics>::default(), Arc::<HostLog>::default());
        let Ok(pipeline) = Pipeline::open(&settings, &metrics, &log, || {}) else { panic!("a start") };
        Trial { gateway, folder: folder.to_owned(), pipeline, metrics, log }
    }

    fn deliver(&mut self, data: &[u8]) -> HostResult {
        let (reply, pending) = reply(Arc::new(|| {}));
        self.pipeline.round(vec![Job { tag: "t".to_owned(), data: data.to_owned(), reply }]);
        pending.poll().unwrap()
    }

    /// How often each letter is there.
    fn letters(&self) -> BTreeMap<String, usize> {
        let mut letters = BTreeMap::new();
        for line in fs::read_to_string(self.folder.join("letters")).unwrap_or_default().lines() {
            let letter: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(letter["reason"], "ambiguous");
            *letters.entry(letter["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        letters
    }

    /// The lines with these words.
    fn said(&self, words: &str) -> Vec<String> {
        let lines = self.log.drain(clock::monotonic());
        lines.into_iter().map(|line| line.text).filter(|text| text.contains(words)).collect()
    }
}

fn numbered(numbers: impl Iterator<Item = u64>) -> Vec<u8> {
    chunk::of(&numbers.map(|number| event(&format!("u{number}"), 1, 1)).collect::<Vec<_>>())
}

#[test]
fn five_hundred_records_cost_no_more_syncs_than_one() {
    let folder = tempfile::tempdir().unwrap();
    let letters = folder.path().join("letters");
    let syncs = Syncs::default();
    watching(folder.path(), syncs.clone(), || {
        let mut trial = Trial::start(folder.path(), &[("dead_letter_file", letters.to_str().unwrap())]);
        syncs.take();
        assert_eq!(trial.deliver(&numbered(0..500)), HostResult::Ok);
        let taken = syncs.take();
        assert!(taken <= MOST_SYNCS, "{taken} syncs");
        let (said, letters) = (trial.said("was put into dead_letter_file"), trial.letters());
        assert!(letters.len() == 500 && letters.values().all(|times| *times == 1));
        assert_eq!(said.len(), 1, "{said:?}");
        let expected = "record u0.1 was put into dead_letter_file, and 499 others with it: ambiguous (";
        assert!(said[0].starts_with(expected), "{said:?}");
        let counted = [&trial.metrics.ambiguous_records_total, &trial.metrics.dead_lettered_records_total];
        assert_eq!(counted.map(|counter| counter.get()), [500, 500]);
        // Settled: none of them is sent or dead-lettered again.
        assert_eq!(trial.deliver(&numbered(0..500)), HostResult::Ok);
        assert_eq!((trial.gateway.requests().len(), trial.letters().len()), (1, 500));
    });
}

#[test]
fn a_letter_without_room_keeps_no_other_back() {
    let folder = tempfile::tempdir().unwrap();
    let letters = folder.path().join("letters");
    let syncs = Syncs::default();
    watching(folder.path(), syncs.clone(), || {
        let keys = [
            ("dead_letter_file", letters.to_str().unwrap()),
            ("dead_letter_max_bytes", "200K"),
            ("max_message_bytes", "1M"),
        ];
        let mut trial = Trial::start(folder.path(), &keys);
        let with_a_large_one = |number: u64| {
            let mut event = event(&format!("u{number}"), 1, 1);
            if number == 50 {
                event["message"] = "x".repeat(199_000).into();
            }
            event
        };
        let all = chunk::of(&(0..100).map(with_a_large_one).collect::<Vec<_>>());
        syncs.take();
        assert_eq!(trial.deliver(&all), HostResult::Retry, "one waits");
        let taken = syncs.take();
        assert!(taken <= MOST_SYNCS, "{taken} syncs");
        assert_eq!(trial.letters().len(), 99);
        assert!(!trial.letters().contains_key("u50.1"));
        let said = trial.said("; records that wait: 1, the first is u50.1");
        assert!(said.len() == 1 && said[0].contains(" is full"), "{said:?}");
        let metrics = &trial.metrics;
        let counters = [
            &metrics.ambiguous_records_total,
            &metrics.dead_lettered_records_total,
            &metrics.dead_letter_failures_total,
        ];
        assert_eq!(counters.map(|counter| counter.get()), [99, 99, 1]);
        // A person moves the file away.
        fs::rename(&letters, folder.path().join("moved")).unwrap();
        assert_eq!(trial.deliver(&all), HostResult::Ok);
        assert_eq!(trial.letters(), BTreeMap::from([("u50.1".to_owned(), 1)]));
        assert_eq!(trial.gateway.requests().len(), 1);
    });
}

#[test]
fn a_disk_that_is_nearly_full_takes_as_many_as_fit_and_the_others_wait() {
    let folder = tempfile::tempdir().unwrap();
    let letters = folder.path().join("letters");
    let syncs = Syncs::default();
    watching(folder.path(), syncs.clone(), || {
        let mut trial = Trial::start(folder.path(), &[("dead_letter_file", letters.to_str().unwrap())]);
        syncs.leave_room(Some(50_000));
        syncs.take();
        assert_eq!(trial.deliver(&numbered(0..500)), HostResult::Retry);
        let taken = syncs.take();
        // A few for each time that the rest was halved.
        assert!(taken <= 3 * MOST_SYNCS, "{taken} syncs");
        let some = trial.letters().len();
        assert!((50..150).contains(&some), "{some}");
        let said = trial.said("; records that wait: ");
        assert!(said.len() == 1 && said[0].ends_with(&format!(", the first is u{some}.1")), "{said:?}");
        syncs.leave_room(None);
        assert_eq!(trial.deliver(&numbered(0..500)), HostResult::Ok);
        let letters = trial.letters();
        assert!(letters.len() == 500 && letters.values().all(|times| *times == 1));
        assert_eq!(trial.gateway.requests().len(), 1);
    });
}

/// What a collector took all of but one is mostly there, whatever is guaranteed.
#[test]
fn what_was_partly_rejected_is_not_sent_again_though_it_has_no_room_among_the_letters() {
    for guarantee in ["no_duplicates", "no_event_loss"] {
        let folder = tempfile::tempdir().unwrap();
        let letters = folder.path().join("letters");
        let syncs = Syncs::default();
        watching(folder.path(), syncs.clone(), || {
            let keys = [
                ("guarantee", guarantee),
                ("dead_letter_file", letters.to_str().unwrap()),
                ("format", "otlp_json"),
            ];
            let mut trial = Trial::start(folder.path(), &keys);
            trial.gateway.set_default(Answer::ok().body(r#"{"partialSuccess":{"rejectedLogRecords":"1"}}"#));
            syncs.leave_room(Some(0));
            assert_eq!(trial.deliver(&numbered(0..3)), HostResult::Retry, "{guarantee}");
            syncs.leave_room(None);
            assert_eq!(trial.deliver(&numbered(0..3)), HostResult::Ok, "{guarantee}");
            assert_eq!((trial.letters().len(), trial.gateway.requests().len()), (3, 1), "{guarantee}");
        });
    }
}
