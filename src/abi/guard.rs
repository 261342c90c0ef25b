//! No panic crosses the border: each is caught, and the host gets the return value that loses nothing.

use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Once;

use crate::log::{HostLog, panic_message};

/// Runs `body`; returns `on_panic` if it panics.
pub fn guarded<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(on_panic)
}

/// As [`guarded`], and logs the panic, because a fault that is not seen is never fixed. `what` says what happened
/// and what follows.
pub fn guarded_and_logged<T>(log: &HostLog, what: &str, on_panic: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        log.error("call panicked", format!("{what}, a fault of this plugin: {}", panic_message(&*panic)));
        on_panic
    })
}

/// Silences the panic hook of this image. The default hook writes to stderr, which in daemon mode may be another
/// file's descriptor, and with `RUST_BACKTRACE` set it needs more stack than a coroutine has. The code that catches
/// a panic logs its message.
pub fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| panic::set_hook(Box::new(|_| {})));
}

/// Blocks all signals on the calling thread: the host's signal handlers expect to run on its own threads.
pub fn block_signals() {
    // SAFETY: sigfillset writes the set that pthread_sigmask then reads; the old set is not requested.
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, ptr::null_mut());
    }
}

/// The kernel's id of the calling thread.
pub fn thread_id() -> libc::pid_t {
    // SAFETY: it has no arguments and cannot fail.
    unsafe { libc::gettid() }
}
