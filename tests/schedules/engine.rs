//! Is every flush that waits on the engine resumed by the bell alone, and is the answer there when it rings?
//!
//! The engine is a thread that sleeps until its eventfd is pulled; it has no timer here, so a ring that is lost
//! is a deadlock, which the scheduler reports.

use shuttle::thread;

use crate::clapper::{Clapper, Rope};
use crate::in_every_order;
use crate::job::{Answer, Ring, reply};
use crate::parked::Parked;
use crate::serving::{CHUNK, Misfortune, Served};
use crate::sync::{Arc, Condvar, Mutex};

/// An eventfd and the sleep of the loop that it is in.
#[derive(Debug)]
struct EventFd {
    count: Mutex<u64>,
    pulled: Condvar,
}

impl EventFd {
    fn new() -> Self {
        Self { count: Mutex::default(), pulled: Condvar::new() }
    }

    fn sleep(&self) {
        let mut count = self.count.lock().unwrap();
        while *count == 0 {
            count = self.pulled.wait(count).unwrap();
        }
    }
}

impl Rope for EventFd {
    fn pull(&self) {
        *self.count.lock().unwrap() += 1;
        self.pulled.notify_all();
    }

    fn slacken(&self) {
        *self.count.lock().unwrap() = 0;
    }
}

/// The engine's half of `WaitingRoom`: resumes until so many flushes have returned, or some more.
fn run_engine(clapper: &Clapper<EventFd>, parked: &Parked<usize>, wanted: usize) -> Vec<(usize, Answer)> {
    let mut resumed = Vec::new();
    while resumed.len() < wanted {
        clapper.rope.sleep();
        clapper.answer();
        while let Some(flush) = parked.take_answered() {
            resumed.push(flush);
        }
    }
    resumed
}

fn ring_of(clapper: &Arc<Clapper<EventFd>>) -> Ring {
    let clapper = Arc::clone(clapper);
    Arc::new(move || clapper.ring())
}

#[test]
fn no_ring_is_lost() {
    in_every_order(|| {
        let (clapper, parked) = (Arc::new(Clapper::new(EventFd::new())), Parked::default());
        let replies: Vec<_> = (0..3)
            .map(|flush| {
                let (reply, pending) = reply(ring_of(&clapper));
                parked.park(flush, pending);
                reply
            })
            .collect();
        let answers = [Answer::Ok, Answer::Retry, Answer::Ok];
        let threads: Vec<_> = replies
            .into_iter()
            .zip(answers)
            .map(|(reply, answer)| thread::spawn(move || reply.send(answer)))
            .collect();
        let mut resumed = run_engine(&clapper, &parked, answers.len());
        resumed.sort_by_key(|(flush, _)| *flush);
        assert_eq!(resumed, [(0, Answer::Ok), (1, Answer::Retry), (2, Answer::Ok)]);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

fn flush_on_the_engine(misfortune: Misfortune) {
    let served = Served::start(misfortune);
    let (clapper, parked) = (Arc::new(Clapper::new(EventFd::new())), Parked::default());
    let mut waiting = 0;
    for round in 0..3 {
        // As a flush does, on the engine's thread: it polls, then parks.
        for flush in 0..2 {
            let tag = format!("{round} {flush}");
            if let Some(pending) = served.queue.put(tag.as_bytes(), CHUNK, ring_of(&clapper))
                && pending.poll().is_none()
            {
                parked.park(flush, pending);
                waiting += 1;
            }
        }
        waiting -= run_engine(&clapper, &parked, waiting.min(1)).len();
    }
    assert_eq!(run_engine(&clapper, &parked, waiting).len(), waiting);
    served.stop();
}

#[test]
fn flushes_and_rounds_meet() {
    in_every_order(|| {
        flush_on_the_engine(Misfortune { panics: true, holds_back: true, ..Misfortune::default() })
    });
}

#[test]
fn flushes_that_are_given_up_are_let_go() {
    in_every_order(|| {
        let served = Served::start(Misfortune { hangs: true, ..Misfortune::default() });
        let clapper = Arc::new(Clapper::new(EventFd::new()));
        let parked = Parked::default();
        for flush in 0..2 {
            if let Some(pending) = served.queue.put(b"t", CHUNK, ring_of(&clapper)) {
                parked.park(flush, pending);
            }
        }
        // ExitCtx: the worker stops, and nobody is resumed any more.
        served.stop();
        drop(parked);
        assert_eq!(Arc::strong_count(&clapper), 1, "somebody still holds the bell");
    });
}
