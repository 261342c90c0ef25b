//! Is every flush that waits on the engine resumed by the waker alone, and is the answer there when it wakes?
//!
//! The engine is a thread that sleeps until its eventfd is raised; it has no timer here, so a wake that is lost
//! is a deadlock, which the scheduler reports.

use shuttle::thread;

use crate::in_every_order;
use crate::job::{HostResult, Wake, reply};
use crate::parked::Parked;
use crate::serving::{CHUNK, Misfortune, Served};
use crate::sync::{Arc, Condvar, Mutex};
use crate::wake_flag::{Signal, WakeFlag};

/// An eventfd and the sleep of the loop that it is in.
#[derive(Debug)]
struct EventFd {
    count: Mutex<u64>,
    raised: Condvar,
}

impl EventFd {
    fn new() -> Self {
        Self { count: Mutex::default(), raised: Condvar::new() }
    }

    fn sleep(&self) {
        let mut count = self.count.lock().unwrap();
        while *count == 0 {
            count = self.raised.wait(count).unwrap();
        }
    }
}

impl Signal for EventFd {
    fn raise(&self) {
        *self.count.lock().unwrap() += 1;
        self.raised.notify_all();
    }

    fn drain(&self) {
        *self.count.lock().unwrap() = 0;
    }
}

/// The engine's half of `WaitingRoom`: resumes until so many flushes have returned, or some more.
fn run_engine(flag: &WakeFlag<EventFd>, parked: &Parked<usize>, wanted: usize) -> Vec<(usize, HostResult)> {
    let mut resumed = Vec::new();
    while resumed.len() < wanted {
        flag.signal.sleep();
        flag.clear();
        while let Some(flush) = parked.take_finished() {
            resumed.push(flush);
        }
    }
    resumed
}

fn wake_of(flag: &Arc<WakeFlag<EventFd>>) -> Wake {
    let flag = Arc::clone(flag);
    Arc::new(move || flag.wake())
}

#[test]
fn no_wake_signal_is_lost() {
    in_every_order(|| {
        let (flag, parked) = (Arc::new(WakeFlag::new(EventFd::new())), Parked::default());
        let replies: Vec<_> = (0..3)
            .map(|flush| {
                let (reply, pending) = reply(wake_of(&flag));
                parked.park(flush, pending);
                reply
            })
            .collect();
        let answers = [HostResult::Ok, HostResult::Retry, HostResult::Ok];
        let threads: Vec<_> = replies
            .into_iter()
            .zip(answers)
            .map(|(reply, answer)| thread::spawn(move || reply.send(answer)))
            .collect();
        let mut resumed = run_engine(&flag, &parked, answers.len());
        resumed.sort_by_key(|(flush, _)| *flush);
        assert_eq!(resumed, [(0, HostResult::Ok), (1, HostResult::Retry), (2, HostResult::Ok)]);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

fn flush_on_the_engine(misfortune: Misfortune) {
    let served = Served::start(misfortune);
    let (flag, parked) = (Arc::new(WakeFlag::new(EventFd::new())), Parked::default());
    let mut waiting = 0;
    for round in 0..3 {
        // As a flush does, on the engine's thread: it polls, then parks.
        for flush in 0..2 {
            let tag = format!("{round} {flush}");
            if let Some(pending) = served.queue.put(tag.as_bytes(), CHUNK, wake_of(&flag))
                && pending.poll().is_none()
            {
                parked.park(flush, pending);
                waiting += 1;
            }
        }
        waiting -= run_engine(&flag, &parked, waiting.min(1)).len();
    }
    assert_eq!(run_engine(&flag, &parked, waiting).len(), waiting);
    served.stop();
}

#[test]
fn each_flush_is_resumed_by_a_round() {
    in_every_order(|| {
        flush_on_the_engine(Misfortune { panics: true, holds_back: true, ..Misfortune::default() })
    });
}

#[test]
fn flushes_that_are_given_up_are_released() {
    in_every_order(|| {
        let served = Served::start(Misfortune { hangs: true, ..Misfortune::default() });
        let flag = Arc::new(WakeFlag::new(EventFd::new()));
        let parked = Parked::default();
        for flush in 0..2 {
            if let Some(pending) = served.queue.put(b"t", CHUNK, wake_of(&flag)) {
                parked.park(flush, pending);
            }
        }
        // ExitCtx: the worker stops, and nobody is resumed any more.
        served.stop();
        drop(parked);
        assert_eq!(Arc::strong_count(&flag), 1, "somebody still holds the waker");
    });
}
