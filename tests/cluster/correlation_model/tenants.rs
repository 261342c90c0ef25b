//! Does what is said of one tenant depend on what another one does?
//!
//! Two namespaces whose objects refer to each other's uids at random: as owners, as endpoints, as volumes. Whatever happens in
//! one of them, the events of the other say what they say in a cluster of its own. Events of an object of the cluster, such as a
//! node, name the Services of both; there the other's Services are the same ones, and keep their places.

use std::fmt::Debug;

use event_gateway::correlate::{Correlation, Correlator};
use event_gateway::pattern::Patterns;
use event_gateway::topology::index::Index;

use super::answer::Answer;
use super::world::{About, NAMESPACES, World};
use super::{answers, index_of, said};
use testkit::dice::Dice;

/// Worlds looked at. `TENANT_WORLDS=1000000` is the long run.
fn worlds() -> u64 {
    std::env::var("TENANT_WORLDS").map_or(500, |number| number.parse().expect("a number"))
}

fn hits_of<'a>(answer: &'a Answer, namespace: &'a str) -> impl Iterator<Item = impl Debug + PartialEq + 'a> {
    answer.services.iter().filter(move |service| service.namespace == namespace)
}

#[test]
fn what_is_said_of_a_tenant_does_not_depend_on_another() {
    let mut crossed = 0;
    for seed in 0..worlds() {
        let mut dice = Dice(seed);
        let world = World::random(seed, 10 + dice.below(70));
        let choices: Vec<usize> = (0..12).map(|_| dice.below(1_000)).collect();
        let both = index_of(&world, &choices, dice.one_in(2));
        for namespace in NAMESPACES {
            let alone = index_of(&world.of_namespace(namespace), &choices, true);
            let abouts = world.abouts();
            let pairs = answers(&both, &abouts).into_iter().zip(answers(&alone, &abouts));
            for (about, (with, without)) in abouts.iter().zip(pairs) {
                if about.namespace == namespace {
                    assert_eq!(with, without, "{about:?} of {seed}");
                } else if about.namespace.is_empty() {
                    assert!(
                        hits_of(&with, namespace).eq(hits_of(&without, namespace)),
                        "{about:?} of {seed}"
                    );
                } else {
                    crossed += assert_foreign(&both, about, namespace);
                }
            }
        }
    }
    assert!(crossed > worlds(), "no world had what an event could be forged about");
}

/// An event that lies in one namespace and names an object of the other one tells nothing of it.
fn assert_foreign(index: &Index, about: &About, lies_in: &str) -> u64 {
    let correlator = super::correlator();
    let mut forged = said(about);
    forged.event_namespace = lies_in;
    let impact = correlator.correlate(index, &forged);
    assert_eq!(impact.correlation, Correlation::Foreign, "{about:?}");
    assert!(impact.services.is_empty() && impact.workload.is_none() && impact.node.is_none(), "{about:?}");
    // The same by the uid alone: the forger names his own namespace.
    forged.namespace = lies_in;
    let impact = correlator.correlate(index, &forged);
    let named = impact.services.iter().map(|service| service.namespace);
    let owner = impact.workload.iter().map(|workload| workload.namespace);
    assert!(named.chain(owner).all(|namespace| namespace == lies_in), "{about:?}: {impact:?}");
    u64::from(impact.correlation == Correlation::Foreign)
}

/// One tenant's flood of Services takes no more than its part of the places.
#[test]
fn a_flood_of_services_displaces_nobody() {
    let most = 2;
    let correlator =
        Correlator { max_services: most, labels: Patterns::default(), annotations: Patterns::default() };
    let (unbounded, mut shared) = (super::correlator(), 0);
    for seed in 0..200 {
        let world = World::random(seed, 150);
        let index = index_of(&world, &[5, 2, 7], true);
        for about in world.abouts().iter().filter(|about| about.namespace.is_empty()) {
            let all = unbounded.correlate(&index, &said(about));
            let few = correlator.correlate(&index, &said(about));
            for namespace in NAMESPACES {
                let number = |services: &[event_gateway::correlate::Affected<'_>]| {
                    services.iter().filter(|service| service.namespace == namespace).count()
                };
                assert!(number(&few.services) >= number(&all.services).min(most / 2), "{about:?} of {seed}");
            }
            assert_eq!(few.services_total, all.services_total);
            let mut rest = all.services.iter();
            assert!(few.services.iter().all(|one| rest.any(|other| other == one)), "the order changed");
            shared += u64::from(all.services.len() > most);
        }
    }
    assert!(shared > 20, "{shared} answers had more Services than are named");
}
