//! Is what a record says to depend on all that its Services depend on?
//!
//! A kind that is not followed makes records `stale` whose rule reads it. What no rule is said to read must not change an
//! answer, and what one is said to read must change one somewhere.

use std::collections::BTreeSet;

use event_gateway::correlate::{Correlation, kinds_read};
use event_gateway::topology::freshness::Freshness;
use event_gateway::topology::index::Index;
use event_gateway::topology::kind::{ObjectKind, group_of};

use super::answer::Hit;
use super::world::{About, World};
use super::{answers, correlator, index_of, said, writer_of};

/// Worlds looked at: enough for each pair of kinds to matter in one of them.
const WORLDS: u64 = 100;

fn reads(about: &About) -> &'static [ObjectKind] {
    kinds_read(ObjectKind::of(group_of(&about.api_version), &about.kind), &about.kind)
}

/// The Services of each, with reason and endpoints.
fn services(index: &Index, abouts: &[About]) -> Vec<Vec<Hit>> {
    answers(index, abouts).into_iter().map(|answer| answer.services).collect()
}

#[test]
fn a_kind_that_is_not_read_changes_no_answer_and_one_that_is_read_does() {
    let mut matters: BTreeSet<(String, ObjectKind)> = BTreeSet::new();
    for seed in 0..WORLDS {
        let world = World::random(seed, 120);
        let abouts = world.abouts();
        let whole = services(&index_of(&world, &[3, 1, 4, 1, 5], true), &abouts);
        for kind in ObjectKind::ALL {
            let without = services(&index_of(&world.without(kind), &[3, 1, 4, 1, 5], true), &abouts);
            for (about, (with, without)) in abouts.iter().zip(whole.iter().zip(&without)) {
                if with != without {
                    assert!(reads(about).contains(&kind), "{kind:?} decides {about:?}: {with:?} {without:?}");
                    matters.insert((about.kind.clone(), kind));
                }
            }
        }
    }
    for kind in ObjectKind::ALL {
        for read in kinds_read(Some(kind), kind.name()) {
            // Where the own kind is not followed its events are about unknown objects, whatever Services they name.
            let is_seen = *read == kind || matters.contains(&(kind.name().to_owned(), *read));
            assert!(is_seen, "{read:?} is said to matter to {kind:?}, and never does");
        }
    }
}

#[test]
fn a_record_says_stale_when_a_kind_that_it_depends_on_is_not_followed() {
    let world = World::random(7, 120);
    let abouts = world.abouts();
    let fresh = services(&index_of(&world, &[2, 7, 1], true), &abouts);
    let mut writer = writer_of(&world, &[2, 7, 1], true);
    for kind in ObjectKind::ALL {
        for freshness in [Freshness::Behind, Freshness::Stale, Freshness::Refused] {
            writer.set_freshness(kind, freshness);
            let late = writer.snapshot();
            assert_eq!(services(&late, &abouts), fresh, "what is known is in the answer");
            for about in &abouts {
                let word = correlator().correlate(&late, &said(about)).correlation;
                let is_read = reads(about).contains(&kind);
                let is_stale = is_read && freshness >= Freshness::Stale;
                // What is only behind may hide a Service, and takes none back.
                let is_denied = word == Correlation::None && is_read;
                assert!(!is_denied, "{kind:?} {freshness:?} {about:?}");
                assert!(word == Correlation::Stale || !is_stale, "{kind:?} {freshness:?} {about:?}");
                assert!(word != Correlation::Stale || is_read, "{kind:?} {freshness:?} {about:?}");
            }
        }
        writer.set_freshness(kind, Freshness::Current);
    }
}
