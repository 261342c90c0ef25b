//! Does any mutant of good input make what reads it panic, hang or leak?
//!
//! The bodies are those of the fuzz targets, `fuzz/bodies`; here they run in process, on stable Rust, and much
//! faster, but blindly. `MUTATIONS=100000000` sets how many mutants each body gets, `MUTATION_SEED` which, and
//! `MUTATION_FIRST` with which number they begin: what is found is printed with the three that bring it again, and its
//! input lies in a file.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod exchange;
mod run;
mod watchdog;

use crate::{allocations, bodies};
use testkit::mutator;

use std::sync::Mutex;
use std::time::Duration;

use bodies::answer::Answer;
use bodies::chunk::Chunk;
use bodies::config::Config;
use bodies::event::Event;
use bodies::record::Record;
use bodies::secret::Secret;
use bodies::template::Template;
use bodies::tenants::Tenants;
use bodies::watch::Watch;
use bodies::{Body, Seen};
use exchange::Exchange;
use mutator::Mutator;
use run::{Fault, attack, each_mutant};

#[test]
fn mutants_of_a_chunk_do_no_harm() {
    each_mutant::<Chunk>(100_000, 1);
}

#[test]
fn mutants_of_an_event_do_no_harm() {
    each_mutant::<Event>(100_000, 1);
}

#[test]
fn mutants_of_a_record_do_no_harm() {
    each_mutant::<Record>(50_000, 1);
}

/// The mutants choose how a secret is planted.
#[test]
fn mutants_of_a_record_with_a_secret_do_no_harm() {
    each_mutant::<Secret>(50_000, 1);
}

/// Opened and tried on samples, one takes as long as ten of the others.
#[test]
fn mutants_of_a_template_do_no_harm() {
    each_mutant::<Template>(100_000, 10);
}

#[test]
fn mutants_of_settings_do_no_harm() {
    each_mutant::<Config>(50_000, 1);
}

#[test]
fn mutants_of_a_list_and_a_watch_do_no_harm() {
    each_mutant::<Watch>(50_000, 1);
}

/// One asks for the answers of a whole cluster.
#[test]
fn mutants_of_two_tenants_do_no_harm() {
    each_mutant::<Tenants>(100_000, 50);
}

#[test]
fn mutants_of_an_answer_do_no_harm() {
    each_mutant::<Answer>(100_000, 1);
}

/// Over a connection one takes as long as a hundred of the others.
#[test]
fn mutants_of_an_answer_over_a_connection_do_no_harm() {
    each_mutant::<Exchange>(200_000, 100);
}

/// Does what the byte says: `p`anics, `h`angs for a second, `l`eaks.
struct Unsound;

impl Body for Unsound {
    const NAME: &'static str = "unsound";
    const WORDS: &'static [&'static [u8]] = &[b"x"];

    fn new() -> Self {
        Self
    }

    fn seeds() -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn check(&mut self, input: &[u8], _: bool) {
        match input.first() {
            Some(b'p') => panic!("as it should"),
            Some(b'h') => std::thread::sleep(Duration::from_secs(1)),
            Some(b'l') => std::mem::forget(std::hint::black_box(vec![0_u8; 100])),
            _ => drop(std::hint::black_box(vec![0_u8; 100])),
        }
    }

    fn seen(&self) -> Seen {
        Seen::default()
    }
}

/// A check that cannot fail checks nothing.
#[test]
fn each_guard_sees_what_it_looks_for() {
    let outcome = |seed: &[u8], patience| {
        let mutator = Mutator { seeds: vec![seed.to_vec()], words: &[b"x"], seed: 1 };
        let hung = Mutex::new(Vec::new());
        // As long as the input, whose first byte few mutations change.
        let fault = attack::<Unsound>(&mutator, 0..3, patience, &|number| hung.lock().unwrap().push(number));
        (fault.err(), hung.into_inner().unwrap())
    };
    let long = Duration::from_secs(60);
    let with = |first: u8| [&[first][..], &[b'-'; 5_000]].concat();
    assert_eq!(outcome(&with(b'-'), long), (None, vec![]));
    assert_eq!(outcome(&with(b'p'), long), (Some(Fault::Panic { number: 0 }), vec![]));
    let (fault, _) = outcome(&with(b'l'), long);
    assert!(matches!(fault, Some(Fault::Leak { bytes: 300..400 })), "{fault:?}");
    let (fault, hung) = outcome(&with(b'h'), Duration::from_millis(200));
    assert_eq!((fault, hung), (None, vec![0, 1, 2]));
}

#[test]
fn a_number_stands_for_one_mutant() {
    let mutator = |seed| Mutator { seeds: Chunk::seeds(), words: Chunk::WORDS, seed };
    let mutants = |mutator: &Mutator| -> Vec<Vec<u8>> {
        let mut bytes = Vec::new();
        let one = |number| {
            mutator.mutant(number, &mut bytes);
            bytes.clone()
        };
        (0..300).map(one).collect()
    };
    let (first, again, other) = (mutants(&mutator(1)), mutants(&mutator(1)), mutants(&mutator(2)));
    assert!(first == again && first != other);
    let mut different = first.clone();
    different.sort();
    different.dedup();
    assert!(different.len() > 290, "{}", different.len());
}
