//! No panic crosses the border, and the answer to one is the one that loses nothing.

use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Once;

use crate::log::{HostLog, said};

/// Runs `body`; a panic in it becomes `on_panic`.
pub fn guarded<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(on_panic)
}

/// As [`guarded`], and says so in the log: a fault that nobody reads of is never fixed. `what` says what
/// happened, and what comes of it.
pub fn guarded_and_logged<T>(log: &HostLog, what: &str, on_panic: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        log.error("call panicked", format!("{what}, a fault of this plugin: {}", said(&*panic)));
        on_panic
    })
}

/// Keeps the panic hook of this image quiet. The default one writes to stderr, which in daemon mode is
/// somebody else's descriptor, and with `RUST_BACKTRACE` set it needs more stack than a coroutine has.
/// What a panic said reaches the log from where it is caught.
pub fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| panic::set_hook(Box::new(|_| {})));
}

/// Blocks all signals on the calling thread: they are the host's, whose handlers expect its own threads.
pub fn block_signals() {
    // SAFETY: sigfillset writes the set that pthread_sigmask then reads; no old set is asked for.
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, ptr::null_mut());
    }
}

/// The calling thread, as the kernel numbers it.
pub fn thread_id() -> libc::pid_t {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() }
}
