//! A watchdog: somebody says which number is at work, and it calls when that stays the same for too long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// In so many looks. A machine that stands still looks at nothing, and so blames nobody.
const LOOKS: u32 = 20;

/// Does the work, which says on what it is; `hung` is called once for each that takes longer than `patience`.
pub fn watched<R>(patience: Duration, hung: &(dyn Fn(u64) + Sync), work: impl FnOnce(&AtomicU64) -> R) -> R {
    let current = AtomicU64::new(u64::MAX);
    let (over, is_over) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(|| {
            let is_over = is_over;
            let (mut last, mut looks) = (u64::MAX, 0);
            while is_over.recv_timeout(patience / LOOKS) == Err(RecvTimeoutError::Timeout) {
                let now = current.load(Ordering::Relaxed);
                looks = if now == last { looks + 1 } else { 0 };
                last = now;
                if looks == LOOKS && now != u64::MAX {
                    hung(now);
                }
            }
        });
        let result = work(&current);
        drop(over);
        result
    })
}
