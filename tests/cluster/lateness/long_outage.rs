//! Does anything of the state machine of a list and a watch grow with the length of an outage?
//!
//! In model time: ten minutes pass at once, one try a second. However the outage looks, each try is made in its turn, and
//! after the return the same requests follow as after one second.

use std::time::Duration;

use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::watch::Step;

use super::watch_script::{SECOND, Script, bookmark, list};

const LONG: u32 = 600;
/// A turn is a matter of all kinds and not of this one's: further ones may not cost it more.
const TRIES_BEFORE_TURNS: usize = 4;

/// The result of each request while the API server is away.
#[derive(Clone, Copy, Debug)]
enum Outage {
    NoResponse,
    Status(u16),
    /// Once the one and once the other, as from a load balancer whose backends come and go.
    InTurn(u16),
}

const OUTAGES: [Outage; 6] = [
    Outage::NoResponse,
    Outage::Status(401),
    Outage::Status(500),
    Outage::Status(503),
    Outage::InTurn(401),
    Outage::InTurn(503),
];

/// How far the kind was when the outage began.
#[derive(Clone, Copy, Debug)]
enum Progress {
    Nothing,
    Watching,
}

fn follow(progress: Progress) -> Script {
    let mut script = Script::of(ObjectKind::Pod);
    if let Progress::Watching = progress {
        script.list("7", &["a"]);
        script.accept();
        script.watch.body(&bookmark("9"));
        script.now += SECOND * 30;
        script.watch.body_ended(Some("connection reset"), script.now, u64::MAX);
    }
    script
}

/// One try, whose wait must be that for a turn. Answers whether there was a wait.
fn fail(script: &mut Script, outage: Outage, number: usize) -> bool {
    let is_turn = match script.watch.next(script.now, u64::MAX) {
        Step::Request(_) => false,
        Step::Turn => {
            script.watch.wake();
            script.now += SECOND;
            true
        }
        Step::Wait { until, .. } => {
            panic!("{outage:?}: try {number} waits {:?} on its own", until - script.now)
        }
    };
    script.ask();
    match outage {
        Outage::Status(status) => script.refuse(status, None),
        Outage::InTurn(status) if number.is_multiple_of(2) => script.refuse(status, None),
        Outage::NoResponse | Outage::InTurn(_) => script.watch.no_response("connection refused"),
    }
    is_turn
}

/// Until so many turns have passed.
fn away(script: &mut Script, outage: Outage, seconds: u32) {
    let (mut turns, mut tries) = (0, 0);
    while turns < seconds {
        turns += u32::from(fail(script, outage, tries));
        tries += 1;
        assert!(tries <= turns as usize * 2 + TRIES_BEFORE_TURNS, "{outage:?}: it spins");
    }
}

/// The requests from the return on until the kind is followed, and the time that they waited.
fn come_back(script: &mut Script, forbidden: Duration) -> (Vec<String>, Duration) {
    script.watch.wake();
    script.watch.take();
    let (ready, mut waited, mut steps) = (script.now + forbidden, Duration::ZERO, Vec::new());
    while script.following().as_deref() != Some("followed") {
        waited += script.waited();
        let target = script.ask().target;
        let is_watch = target.contains("watch=1");
        steps.push(target);
        assert!(steps.len() < 20, "{steps:#?}");
        if script.now < ready {
            script.refuse(403, None);
        } else if is_watch {
            script.accept();
        } else {
            script.answer(&list("9", None, &["a"]), None);
        }
    }
    (steps, waited)
}

/// All that the machine remembers, but for the moments and the parser, whose sets have no order.
fn state(script: &Script) -> String {
    let text = format!("{:?}", script.watch);
    let text = &text[text.find("goal:").expect("what it is about to do")..];
    let mut parts = text.split("Instant {");
    let first = parts.next().expect("a text").to_owned();
    parts.fold(first, |state, part| state + part.split_once('}').expect("the end of a moment").1)
}

#[test]
fn nothing_grows_with_the_length_of_an_outage() {
    for progress in [Progress::Nothing, Progress::Watching] {
        for outage in OUTAGES {
            // An even number of tries more, as the response may depend on that.
            let [short, long] = [10, LONG].map(|seconds| {
                let mut script = follow(progress);
                away(&mut script, outage, seconds);
                script.watch.take();
                state(&script)
            });
            assert_eq!(short, long, "{progress:?}, {outage:?}");
            for forbidden in [Duration::ZERO, SECOND * 2] {
                let [short, long] = [1, LONG].map(|seconds| {
                    let mut script = follow(progress);
                    away(&mut script, outage, seconds);
                    come_back(&mut script, forbidden)
                });
                assert_eq!(short, long, "{progress:?}, {outage:?}, forbidden for {forbidden:?}");
            }
        }
    }
}
