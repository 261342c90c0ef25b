//! The gateway of the test, and the moments to kill its host at.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use super::dice::Dice;
use super::support::gateway::{Answer, Request, TestGateway};

/// One request in so many fails where the host brings chunks again at once; what fails is overtaken.
const FAILURES: usize = 12;
/// Longer than the pause of the gateway, so that a kill also meets the commit and the next request.
const SHORT: Duration = Duration::from_millis(5);

/// A gateway that takes everything in the end, after a moment that is long enough to be killed in. Requests say in a
/// header which life of the host they are from, as some are read only after its end.
pub struct Taker {
    pub gateway: TestGateway,
    life: Arc<AtomicUsize>,
    pub requests_in_life: Arc<AtomicUsize>,
}

impl Taker {
    pub fn start(seed: u64, fails: bool) -> Taker {
        let gateway = TestGateway::start();
        let (life, requests_in_life) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (now, count, pauses) = (Arc::clone(&life), Arc::clone(&requests_in_life), AtomicU64::new(seed));
        gateway.respond_with(move |request| {
            if life_of(request) == now.load(SeqCst) {
                count.fetch_add(1, SeqCst);
            }
            let mut dice = Dice(pauses.fetch_add(1, SeqCst));
            let answer = if fails && dice.one_in(FAILURES) {
                Answer::status(503).header("Retry-After", "0")
            } else {
                Answer::ok()
            };
            answer.delay_before(Duration::from_micros(dice.roll() % 3_000))
        });
        Taker { gateway, life, requests_in_life }
    }

    /// The setting `headers` of the next life.
    pub fn next_life(&self) -> String {
        self.requests_in_life.store(0, SeqCst);
        format!("X-Life: {}", self.life.fetch_add(1, SeqCst) + 1)
    }
}

pub fn life_of(request: &Request) -> usize {
    request.header("x-life").and_then(|text| text.parse().ok()).expect("a life in every request")
}

/// When to kill.
#[derive(Clone, Copy)]
pub struct Moment {
    /// Not before so many requests of this life have come …
    requests: usize,
    /// … and then so much later.
    later: Duration,
}

impl Moment {
    /// A third at any time from the start on, the rest around a request and what follows its answer.
    pub fn any(dice: &mut Dice, life: Duration) -> Moment {
        let (requests, span) = if dice.one_in(3) { (0, life) } else { (1 + dice.below(5), SHORT) };
        let span_micros = usize::try_from(span.as_micros()).expect("a short life");
        Moment { requests, later: Duration::from_micros(dice.below(span_micros) as u64) }
    }

    /// Returns when it has come, or when there is nothing more to wait for.
    pub fn wait(self, taker: &Taker, over: impl Fn() -> bool) {
        while taker.requests_in_life.load(SeqCst) < self.requests && !over() {
            thread::sleep(Duration::from_micros(50));
        }
        thread::sleep(self.later);
    }
}
