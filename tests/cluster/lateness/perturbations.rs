//! What does a topology say whose view of the cluster is disturbed in the three ways of Sieve (OSDI '22): an older
//! state after a reconnect, states that are never delivered, an end of the process in between?
//!
//! Small worlds that change at random, followed by the real threads from a real server, before the naive model. When
//! everything has been followed again each answer is the model's. States that nobody delivered may be missing from what
//! says about objects that are gone, and from nothing else. At every moment no Service is named that was never
//! connected with the object (`related`). `PERTURBATION_SECONDS` says for how long, `PERTURBATION_SEED` from which
//! world on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use event_gateway::clock;
use event_gateway::cluster::Cluster;
use event_gateway::correlate::Correlation;
use event_gateway::topology::kind::ObjectKind;
use serde_json::Value;

use super::answer::{Answer, Hit};
use super::dice::Dice;
use super::model::Model;
use super::number_from;
use super::related::{Name, Related};
use super::stage::{BOUND, Said, Stage};
use super::world::{About, Change, World};

const SECONDS: u64 = 8;
/// How many changes come between two looks, at most.
const STEP: usize = 12;
/// Those that the rules of most objects read.
const MOSTLY_READ: [ObjectKind; 3] = [ObjectKind::Pod, ObjectKind::Service, ObjectKind::EndpointSlice];
/// How often is looked while one kind stays away.
const LOOKS_WITHOUT: usize = 4;
/// How much longer a run may last if it has claimed nothing yet.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the view is disturbed while the cluster changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Perturbation {
    None,
    /// The connections come to a server that is behind.
    OlderState,
    /// The changes, or most of them, are compacted away.
    Unobserved,
    /// The process ends, with or without a last save, and starts at a server that may be behind.
    Crash,
}

const ALL: [Perturbation; 4] =
    [Perturbation::None, Perturbation::OlderState, Perturbation::Unobserved, Perturbation::Crash];

/// What was said, over all looks.
#[derive(Default, Debug)]
struct Figures {
    looks: usize,
    answers: usize,
    /// While some kinds are not followed: answers that claim to be whole, about objects that have a Service.
    claims: usize,
    /// Those that tell less than the model knows.
    less: usize,
    words: BTreeMap<&'static str, usize>,
    perturbations: BTreeMap<String, usize>,
}

fn names(answer: &Answer) -> BTreeSet<Name> {
    answer.services.iter().map(|hit| (hit.namespace.clone(), hit.name.clone())).collect()
}

/// The world without anything that is gone.
fn what_is_there(
    past: &[(ObjectKind, Change)],
    live: &BTreeMap<(ObjectKind, String, String), Value>,
) -> World {
    let is_there = |kind: ObjectKind, uid: &Value| {
        live.iter().any(|((of, ..), one)| *of == kind && one["metadata"]["uid"] == *uid)
    };
    let kept = past.iter().filter(|(kind, change)| is_there(*kind, &change.object["metadata"]["uid"]));
    let mut last = BTreeMap::new();
    for (kind, change) in kept {
        last.insert(change.object["metadata"]["uid"].to_string(), (*kind, change.clone()));
    }
    World::of(last.into_values())
}

/// A look at any moment: nothing is named that was never connected.
fn look(stage: &Stage, abouts: &[About], figures: &mut Figures) {
    let related = Related::of(stage.past());
    figures.looks += 1;
    for (about, said) in abouts.iter().zip(stage.say(abouts)) {
        *figures.words.entry(said.word.name()).or_default() += 1;
        let wrong: Vec<_> = names(&said.answer).difference(&related.may_name(about)).cloned().collect();
        assert!(wrong.is_empty(), "{wrong:?} is wrong for {about:?}");
    }
}

/// A look when all is followed and nothing changes.
fn look_at_rest(stage: &Stage, abouts: &[About], figures: &mut Figures) {
    look(stage, abouts, figures);
    let world = World::of(stage.past().iter().cloned());
    let (model, now) = (Model::of(&world), Model::of(&what_is_there(stage.past(), &stage.live)));
    for (about, Said { word, answer, .. }) in abouts.iter().zip(stage.say(abouts)) {
        figures.answers += 1;
        let truth = model.answer(about);
        let is_known = matches!(word, Correlation::Matched | Correlation::None | Correlation::Unknown);
        assert!(is_known, "{about:?} is {word:?} though all is followed");
        assert_eq!(word == Correlation::Matched, !answer.services.is_empty(), "{about:?}");
        if answer == truth {
            assert!(
                word != Correlation::Unknown || truth.deleted.is_none(),
                "{about:?} is unknown, and it is known"
            );
            continue;
        }
        assert!(stage.is_history_lost, "{about:?}: {answer:#?} and not {truth:#?}");
        figures.less += 1;
        let (there, named) = (now.answer(about), names(&answer));
        assert_eq!(
            answer.deleted == Some(false),
            truth.deleted == Some(false),
            "{about:?}: {answer:?} and not {truth:?}"
        );
        assert!(
            names(&there).is_subset(&named),
            "{about:?} lacks what is there: {answer:#?} and not {there:#?}"
        );
        // For these nothing that is gone is read, but for what is said of a Service that is.
        let reads_the_present =
            matches!(&*about.kind, "Pod" | "Service" | "EndpointSlice" | "Node" | "Ingress");
        if reads_the_present && answer.deleted == Some(false) {
            assert_eq!(counted(&answer), counted(&there), "{about:?}");
        }
    }
}

/// The Services without which of their objects they are.
fn counted(answer: &Answer) -> Vec<Hit> {
    let hits = answer.services.iter().cloned();
    hits.map(|hit| Hit { uid: String::new(), deleted: false, ..hit }).collect()
}

fn disturb(
    stage: &mut Stage,
    perturbation: Perturbation,
    dice: &mut Dice,
    abouts: &[About],
    figures: &mut Figures,
) {
    let changes = 1 + dice.below(STEP);
    match perturbation {
        Perturbation::None => {
            stage.happen(changes);
            look(stage, abouts, figures);
        }
        Perturbation::OlderState => {
            stage.behind.lag_all_but_events(Duration::MAX);
            stage.happen(changes);
            stage.api.stop();
            look(stage, abouts, figures);
            stage.api.restart();
            stage.happen(dice.below(STEP));
            look(stage, abouts, figures);
            stage.behind.lag_all_but_events(Duration::ZERO);
        }
        Perturbation::Unobserved => {
            stage.api.stop();
            stage.behind.stop();
            stage.happen(changes);
            look(stage, abouts, figures);
            stage.api.compact();
            stage.is_history_lost = true;
            stage.servers_return();
            look(stage, abouts, figures);
        }
        Perturbation::Crash => {
            stage.happen(dice.below(STEP));
            if dice.one_in(2) {
                stage.behind.lag_all_but_events(Duration::MAX);
            }
            stage.happen(dice.below(STEP));
            stage.end(dice.one_in(2));
            stage.happen(changes);
            stage.is_history_lost = true;
            stage.start();
            look(stage, abouts, figures);
            if dice.one_in(2) {
                let end = clock::monotonic() + BOUND;
                while !stage.cluster.as_ref().is_some_and(Cluster::is_ready) {
                    assert!(clock::monotonic() < end, "no first lists");
                    std::thread::sleep(Duration::from_millis(1));
                }
                look(stage, abouts, figures);
            }
            stage.behind.lag_all_but_events(Duration::ZERO);
        }
    }
}

fn follow(seed: u64, end: Instant, figures: &mut Figures) {
    let (mut dice, mut stage) = (Dice(seed), Stage::new(seed));
    let abouts = World::of(stage.timeline.iter().cloned()).abouts();
    // Each of them once, whatever time it takes.
    let mut first = ALL.into_iter();
    while !stage.is_over() {
        let perturbation = match first.next() {
            Some(perturbation) => perturbation,
            None if clock::monotonic() >= end => break,
            None => ALL[dice.below(ALL.len())],
        };
        *figures.perturbations.entry(format!("{perturbation:?}")).or_default() += 1;
        disturb(&mut stage, perturbation, &mut dice, &abouts, figures);
        stage.rest();
        look_at_rest(&stage, &abouts, figures);
    }
}

/// From which world on, and until when.
fn asked() -> (u64, Instant) {
    let seconds = number_from("PERTURBATION_SECONDS").unwrap_or(SECONDS);
    (number_from("PERTURBATION_SEED").unwrap_or(1), clock::monotonic() + Duration::from_secs(seconds))
}

#[test]
#[allow(clippy::print_stdout, reason = "a seed that fails is to be tried again")]
fn a_disturbed_view_names_no_wrong_service_and_comes_to_rest_at_the_truth() {
    let ((first, end), mut figures) = (asked(), Figures::default());
    for seed in first.. {
        println!("PERTURBATION_SEED={seed}");
        follow(seed, end, &mut figures);
        if clock::monotonic() >= end {
            break;
        }
    }
    println!("{figures:#?}");
    assert_eq!(figures.perturbations.len(), ALL.len(), "each of them was tried");
    assert!(figures.answers > 0, "nothing was compared with the model");
}

/// What the model knows and the topology does not is denied at no moment: the answer says so itself, or it says that it
/// may be another one soon, and the record waits.
fn look_while_away(stage: &Stage, abouts: &[About], figures: &mut Figures) {
    look(stage, abouts, figures);
    let model = Model::of(&World::of(stage.past().iter().cloned()));
    for (about, Said { word, answer, waits }) in abouts.iter().zip(stage.say(abouts)) {
        let (truth, named) = (names(&model.answer(about)), names(&answer));
        let is_claim = matches!(word, Correlation::Matched | Correlation::None) && !waits;
        figures.claims += usize::from(is_claim && !truth.is_empty());
        assert!(
            !is_claim || truth.is_subset(&named),
            "{about:?} is {word:?} with {named:?} and not {truth:?}"
        );
        figures.less += usize::from(!truth.is_subset(&named));
    }
}

fn wait_until(stage: &Stage, done: impl Fn(&Stage) -> bool) {
    let end = clock::monotonic() + BOUND;
    while !done(stage) {
        assert!(clock::monotonic() < end, "not followed within {BOUND:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn look_until(stage: &Stage, abouts: &[About], figures: &mut Figures, done: impl Fn(&Stage) -> bool) {
    let end = clock::monotonic() + BOUND;
    while !done(stage) {
        assert!(clock::monotonic() < end, "not followed within {BOUND:?}");
        look_while_away(stage, abouts, figures);
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "a seed that fails is to be tried again")]
fn what_happens_while_the_server_is_away_is_not_denied_until_it_is_known() {
    let ((first, end), mut figures) = (asked(), Figures::default());
    // On a busy machine each answer waits for long, and a run without a claim proves nothing.
    let goes_on = |figures: &Figures| {
        let now = clock::monotonic();
        now < end || (figures.claims == 0 && now < end + PATIENCE)
    };
    for seed in first.. {
        println!("PERTURBATION_SEED={seed}");
        let (mut dice, mut stage) = (Dice(seed), Stage::new(seed));
        let abouts = World::of(stage.timeline.iter().cloned()).abouts();
        while !stage.is_over() && goes_on(&figures) {
            stage.happen(STEP);
            stage.rest();
            stage.servers_go();
            stage.happen(STEP);
            stage.mark();
            look_while_away(&stage, &abouts, &mut figures);
            // One kind stays away for longer. What does not depend on it need not wait.
            let among: &[ObjectKind] = if dice.one_in(2) { &ObjectKind::ALL } else { &MOSTLY_READ };
            let away = among[dice.below(among.len())];
            stage.api.unavailable(away.resource(), usize::from(u16::MAX), 0);
            stage.servers_return();
            let is_followed = |stage: &Stage| stage.is_followed_but_for(away);
            look_until(&stage, &abouts, &mut figures, is_followed);
            for _ in 0..LOOKS_WITHOUT {
                look_while_away(&stage, &abouts, &mut figures);
                // A change of a kind that is followed takes its moment, in which nothing is said of it.
                stage.happen(STEP / LOOKS_WITHOUT);
                stage.mark();
                wait_until(&stage, is_followed);
            }
            look_while_away(&stage, &abouts, &mut figures);
            *figures.perturbations.entry(format!("without {}", away.name())).or_default() += 1;
            stage.api.heal(away.resource());
            look_until(&stage, &abouts, &mut figures, Stage::is_at_rest);
        }
        if !goes_on(&figures) {
            break;
        }
    }
    println!("{figures:#?}");
    assert!(figures.less > 0, "nothing was unknown");
    assert!(figures.claims > 0, "each answer waited, so that nothing was claimed");
}
