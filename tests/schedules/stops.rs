//! Does a stop always return, and does a thread that died keep nobody waiting?

use shuttle::thread;

use crate::job::{HostResult, Pending};
use crate::serving::{CHUNK, Misfortune, Served};
use crate::sync::Arc;
use crate::{failpoint, in_every_order};

fn stop_while_chunks_come(misfortune: Misfortune) {
    let served = Served::start(misfortune);
    let queue = Arc::clone(&served.queue);
    let producer = thread::spawn(move || {
        let pendings: Vec<_> = (0..4)
            .filter_map(|chunk| queue.put(format!("{chunk}").as_bytes(), CHUNK, Arc::new(|| {})))
            .collect();
        let _answers: Vec<_> = pendings.iter().map(Pending::wait).collect();
    });
    let queue = Arc::clone(&served.queue);
    served.stop();
    producer.join().unwrap();
    assert!(queue.put(b"late", CHUNK, Arc::new(|| {})).is_none(), "taken after the stop");
}

#[test]
fn a_stop_returns_while_chunks_come() {
    in_every_order(|| stop_while_chunks_come(Misfortune::default()));
}

#[test]
fn a_stop_returns_from_a_request_that_hangs_and_a_round_that_panics() {
    in_every_order(|| {
        stop_while_chunks_come(Misfortune {
            panics: true,
            holds_back: true,
            hangs: true,
            ..Misfortune::default()
        })
    });
}

#[test]
fn a_thread_that_died_keeps_nobody_waiting() {
    in_every_order(|| {
        failpoint::set(Some("thread"));
        let served = Served::start(Misfortune { dies: true, ..Misfortune::default() });
        let queue = Arc::clone(&served.queue);
        let producer = thread::spawn(move || {
            for chunk in 0..3 {
                if let Some(pending) = queue.put(format!("{chunk}").as_bytes(), CHUNK, Arc::new(|| {})) {
                    assert_eq!(pending.wait(), HostResult::Retry);
                }
            }
        });
        producer.join().unwrap();
        served.stop();
        failpoint::set(None);
    });
}
