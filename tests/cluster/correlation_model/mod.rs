//! Does any order of watch events lead to the answers that a look through the full lists gives?
//!
//! A world of few names, so that they collide, changes at random; each kind's changes arrive in their own
//! order, and the kinds interleave at random, as the watches of a real cluster do.

#![allow(clippy::unwrap_used, reason = "the world is ours, and holds what it should")]

mod reads;
mod tenants;

use testkit::oracle::{answer, model, world};

use std::sync::Arc;

use answer::Answer;
use event_gateway::correlate::{About, Correlator};
use event_gateway::pattern::Patterns;
use event_gateway::topology::index::Index;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::object::Object;
use event_gateway::topology::parse::Parser;
use event_gateway::topology::writer::IndexWriter;
use model::Model;
use proptest::prelude::*;
use serde_json::Value;
use world::{Change, World};

fn correlator() -> Correlator {
    let (labels, annotations) = (Patterns::parse("*"), Patterns::default());
    Correlator { max_services: 100, labels, annotations }
}

/// Feeds a writer with the changes of all kinds, a kind at a time as the choices say.
fn index_of(world: &World, choices: &[usize], lists_first: bool) -> Index {
    writer_of(world, choices, lists_first).snapshot()
}

fn writer_of(world: &World, choices: &[usize], lists_first: bool) -> IndexWriter {
    let mut writer = IndexWriter::new(u64::MAX);
    let mut parsers: Vec<Parser> = ObjectKind::ALL.map(|kind| Parser::new(kind, Patterns::default())).into();
    let mut next = vec![0; ObjectKind::ALL.len()];
    if lists_first {
        // Everything is a change after empty lists; else the lists come last, and change nothing.
        for kind in ObjectKind::ALL {
            writer.replace(kind, Vec::new());
        }
    }
    let mut choices = choices.iter().cycle();
    loop {
        let open: Vec<ObjectKind> = ObjectKind::ALL
            .into_iter()
            .filter(|kind| next[kind.index()] < world.changes(*kind).len())
            .collect();
        let Some(kind) = choices.next().and_then(|choice| open.get(choice % open.len().max(1))) else {
            break;
        };
        let change = &world.changes(*kind)[next[kind.index()]];
        next[kind.index()] += 1;
        apply(&mut writer, &mut parsers[kind.index()], change);
    }
    if !lists_first {
        for kind in ObjectKind::ALL {
            let live = Model::of(world).live(kind);
            let parser = &mut parsers[kind.index()];
            writer.replace(kind, live.iter().map(|value| parse(parser, value)).collect());
        }
    }
    writer
}

fn apply(writer: &mut IndexWriter, parser: &mut Parser, change: &Change) {
    writer.set_time(change.seconds);
    let object = parse(parser, &change.object);
    if change.is_deletion { writer.delete(object) } else { writer.put(object) }
}

fn parse(parser: &mut Parser, value: &Value) -> Arc<Object> {
    Arc::new(parser.object(value.to_string().as_bytes()).expect("a good object"))
}

fn answers(index: &Index, abouts: &[world::About]) -> Vec<Answer> {
    let correlator = correlator();
    abouts.iter().map(|about| Answer::from(&correlator.correlate(index, &said(about)))).collect()
}

/// What an event says that it is about.
fn said(about: &world::About) -> About<'_> {
    About {
        api_version: &about.api_version,
        kind: &about.kind,
        namespace: &about.namespace,
        name: &about.name,
        uid: &about.uid,
        event_namespace: if about.namespace.is_empty() { "default" } else { &about.namespace },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_order_gives_the_answers_of_the_full_lists(
        seed in any::<u64>(),
        size in 5_usize..160,
        choices in prop::collection::vec(0_usize..1_000, 1..40),
        lists_first in any::<bool>(),
    ) {
        let world = World::random(seed, size);
        let abouts = world.abouts();
        let index = index_of(&world, &choices, lists_first);
        prop_assert!(index.is_ready());
        let model = Model::of(&world);
        for (about, answer) in abouts.iter().zip(answers(&index, &abouts)) {
            prop_assert_eq!(&answer, &model.answer(about), "{:?} in {:#?}", about, world);
        }
    }
}

/// The property would hold of a world in which nothing is ever connected.
#[test]
fn the_worlds_have_what_the_rules_are_about() {
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for seed in 0..200 {
        let world = World::random(seed, 120);
        let model = Model::of(&world);
        for about in world.abouts() {
            let answer = model.answer(&about);
            for service in &answer.services {
                *seen.entry(format!("{} by {}", about.kind, service.via)).or_default() += 1;
            }
            if answer.deleted == Some(true) && !answer.services.is_empty() {
                *seen.entry(format!("{} that is gone", about.kind)).or_default() += 1;
            }
        }
    }
    for wanted in [
        "Service by self",
        "Endpoints by self",
        "EndpointSlice by self",
        "Pod by endpoint",
        "Pod by selector",
        "ReplicaSet by owner",
        "Deployment by owner",
        "StatefulSet by owner",
        "DaemonSet by owner",
        "Job by owner",
        "CronJob by owner",
        "Rollout by owner",
        "HorizontalPodAutoscaler by scale-target",
        "PodDisruptionBudget by selector",
        "Node by node",
        "PersistentVolumeClaim by volume",
        "PersistentVolume by volume",
        "Ingress by backend",
        "Pod that is gone",
        "Deployment that is gone",
        "PersistentVolumeClaim that is gone",
    ] {
        assert!(seen.get(wanted).is_some_and(|times| *times > 20), "{wanted}: {:?}", seen.get(wanted));
    }
}
