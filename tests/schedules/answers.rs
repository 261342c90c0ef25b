//! Is each chunk that was taken answered once, OK only after the gateway had it, and are the bounds kept?

use shuttle::thread;

use crate::in_every_order;
use crate::job::{HostResult, Tally, Wake, reply};
use crate::serving::{BOUNDS, CHUNK, MOST_DEFERRED, Misfortune, Served};
use crate::sync::{Arc, Mutex};

/// How many chunks the queue can hold at a time.
const FIT: usize =
    if BOUNDS.jobs < BOUNDS.bytes / CHUNK.len() { BOUNDS.jobs } else { BOUNDS.bytes / CHUNK.len() };
const PRODUCERS: usize = FIT + 1;

#[derive(Debug, Default)]
struct Count(Mutex<isize>);

impl Count {
    fn add(&self, number: isize) -> isize {
        let mut count = self.0.lock().unwrap();
        *count += number;
        *count
    }

    fn get(&self) -> isize {
        self.add(0)
    }
}

/// Flushes as a worker of the host does, waiting for the answer, if the chunk is taken.
fn flush(served: &Served, tag: &str, in_flight: &Arc<Count>) {
    let wakes = Arc::<Count>::default();
    let (woken, answered) = (Arc::clone(&wakes), Arc::clone(in_flight));
    let wake: Wake = Arc::new(move || {
        answered.add(-1);
        woken.add(1);
    });
    let Some(pending) = served.queue.put(tag.as_bytes(), CHUNK, wake) else {
        // One that finds the room taken while it is copied wakes the engine for nobody.
        in_flight.add(wakes.get());
        return;
    };
    // The answer may have been counted already: never too many, and right when all that is taken waits.
    // Jobs that wait for a later round do not count.
    let most = if served.defers { FIT + MOST_DEFERRED } else { FIT };
    assert!(in_flight.add(1) <= most.cast_signed(), "more is taken than fits");
    let answer = pending.wait();
    if answer == HostResult::Ok {
        assert!(served.acknowledged.lock().unwrap().contains(tag), "{tag} is OK and nobody has it");
    }
    assert_eq!(pending.poll(), Some(answer), "an answer that changes");
    // The answer is there before the engine is woken.
    while wakes.get() == 0 {
        thread::yield_now();
    }
    assert_eq!(wakes.get(), 1, "{tag} was answered more than once");
}

fn produce_and_stop(misfortune: Misfortune) {
    let served = Arc::new(Served::start(misfortune));
    let in_flight = Arc::<Count>::default();
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|producer| {
            let (served, in_flight) = (Arc::clone(&served), Arc::clone(&in_flight));
            thread::spawn(move || {
                for chunk in 0..2 {
                    flush(&served, &format!("{producer} {chunk}"), &in_flight);
                }
            })
        })
        .collect();
    // A hang ends by a stop alone.
    if misfortune.hangs {
        served.queue.close(std::time::Duration::ZERO);
        *served.line.is_cut.lock().unwrap() = true;
    }
    for producer in producers {
        producer.join().unwrap();
    }
    assert_eq!(in_flight.get(), 0);
    // Its round may have a step to go.
    let settled =
        || served.metrics.jobs_in_flight.get() == 0 && served.metrics.job_bytes_in_flight.get() == 0;
    let is_settled = (0..1_000).any(|_| {
        thread::yield_now();
        settled()
    });
    assert!(is_settled, "answered chunks take up room");
    let Ok(served) = Arc::try_unwrap(served) else { panic!("everybody has ended") };
    served.stop();
}

#[test]
fn each_chunk_is_answered_once() {
    in_every_order(|| produce_and_stop(Misfortune::default()));
}

#[test]
fn each_chunk_is_answered_once_by_rounds_that_panic_and_wait() {
    in_every_order(|| {
        produce_and_stop(Misfortune { panics: true, holds_back: true, ..Misfortune::default() })
    });
}

#[test]
fn each_chunk_is_answered_once_though_some_wait_for_a_later_round() {
    in_every_order(|| produce_and_stop(Misfortune { defers: true, panics: true, ..Misfortune::default() }));
}

#[test]
fn each_chunk_is_answered_once_while_the_worker_stops() {
    in_every_order(|| {
        produce_and_stop(Misfortune { panics: true, holds_back: true, hangs: true, ..Misfortune::default() })
    });
}

#[test]
fn chunks_that_come_at_once_stay_within_the_bounds() {
    // Nobody serves, so that each chunk that is taken stays.
    in_every_order(|| {
        let (metrics, log) = (Arc::default(), Arc::default());
        let queue = Arc::new(crate::queue::Queue::new(BOUNDS, Arc::clone(&metrics), log));
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|_| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || queue.put(b"t", CHUNK, Arc::new(|| {})))
            })
            .collect();
        let taken: Vec<_> = producers.into_iter().filter_map(|producer| producer.join().unwrap()).collect();
        assert_eq!(taken.len(), FIT);
        assert_eq!(metrics.refused_chunks_total.get(), (PRODUCERS - FIT) as u64);
        queue.close(std::time::Duration::ZERO);
        assert!(taken.iter().all(|pending| pending.wait() == HostResult::Retry));
    });
}

#[test]
fn a_tally_answers_for_its_records_once() {
    in_every_order(|| {
        let wakes = Arc::<Count>::default();
        let woken = Arc::clone(&wakes);
        let (reply, pending) = reply(Arc::new(move || {
            woken.add(1);
        }));
        let waiter = thread::spawn({
            let pending = pending.clone();
            move || pending.wait()
        });
        let mut tally = Tally::new(reply);
        tally.wait_for_one();
        tally.finish_reading();
        assert_eq!(pending.poll(), None, "answered before its record was settled");
        tally.settle_one(true);
        drop(tally);
        assert_eq!(waiter.join().unwrap(), HostResult::Ok);
        assert_eq!(wakes.get(), 1);
    });
}
