//! A flush waits without stopping the engine.
//!
//! With `workers 0`, the default, the host runs a flush in a coroutine on the engine's own thread. A flush that
//! blocked there would stop every input. So a flush parks its coroutine and switches back to the engine, as the
//! host's own `flb_time_sleep` does. When the result is known, a [`Waker`] wakes the engine, which switches back into
//! the flush. All of this happens on one thread.
//!
//! With `workers` set, the host runs a flush on a thread of its pool. The engine's timer must not touch it there, so
//! it simply blocks.

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use super::guard::thread_id;
use super::layout::EgEventHandler;
use super::parked::Parked;
use super::symbols::{self, Getter, Setter, TimerCallback, TimerCreate, TimerEnd};
use super::waker::Waker;
use crate::job::{HostResult, Pending, Wake};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// `FLB_SCHED_TIMER_CB_PERM`. A one-shot timer of less than a second fires at once and starves the engine.
const PERMANENT: c_int = 4;
/// The period of the engine's timer, and so the longest delay of a result on a host without a waker.
const TICK_MILLIS: c_int = 100;

/// The host's functions that the cooperative wait needs; all are in 2.2 to 5.1.
#[derive(Clone, Copy)]
struct Engine {
    active: Getter,
    switch: Setter,
    coro_get: Getter,
    coro_set: Setter,
    sched_get: Getter,
    timer_create: TimerCreate,
    timer_disable: TimerEnd,
    timer_destroy: TimerEnd,
}

impl Engine {
    fn find() -> Option<Self> {
        // SAFETY: the types are those of the host's headers, the same in 2.2 to 5.1.
        unsafe {
            Some(Self {
                active: symbols::find(c"co_active")?,
                switch: symbols::find(c"co_switch")?,
                coro_get: symbols::find(c"flb_coro_get")?,
                coro_set: symbols::find(c"flb_coro_set")?,
                sched_get: symbols::find(c"flb_sched_ctx_get")?,
                timer_create: symbols::find(c"flb_sched_timer_cb_create")?,
                timer_disable: symbols::find(c"flb_sched_timer_cb_disable")?,
                timer_destroy: symbols::find(c"flb_sched_timer_cb_destroy")?,
            })
        }
    }
}

/// The waiting flushes of one instance. It belongs to the engine thread that ran Init; after a hot reload there is
/// another engine thread.
pub struct WaitingRoom {
    engine_thread: libc::pid_t,
    engine: Option<Engine>,
    /// The engine's own context, to switch back to.
    base: *mut c_void,
    timer: Mutex<*mut c_void>,
    waker: Mutex<Option<Waker>>,
    /// Wakes the engine, if there is one.
    wake: OnceLock<Wake>,
    parked: Parked<Waiter>,
    /// The host result for the flush that is being resumed. It is passed here, so that a parked flush owns nothing: the
    /// host may abandon it, and then its stack is never unwound.
    handed: Mutex<Option<HostResult>>,
}

// SAFETY: only the engine thread uses `base`, the timer, the waker and the parked coroutines; `is_engine_thread` checks
// that. A thread of the host's pool only reads the thread id, whether the timer exists, and the wake function, each
// behind its own lock, and never switches.
unsafe impl Send for WaitingRoom {}
// SAFETY: as above.
unsafe impl Sync for WaitingRoom {}

/// A parked flush.
struct Waiter {
    /// The stack to switch to.
    context: *mut c_void,
    /// The host's record of the coroutine.
    coro: *mut c_void,
}

/// How a flush of this instance waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitMode {
    Cooperative,
    /// The host calls on a thread of its pool: the user set `workers`.
    BlockingWorker,
    /// The host lacks the functions.
    BlockingEngine,
}

impl WaitingRoom {
    /// Must be called in Init, on the engine thread and outside a coroutine.
    pub fn new() -> Self {
        let engine = Engine::find();
        // SAFETY: co_active has no arguments and returns the running context.
        let base = engine.map_or(std::ptr::null_mut(), |engine| unsafe { (engine.active)() });
        let nothing = std::ptr::null_mut();
        Self {
            engine_thread: thread_id(),
            engine,
            base,
            timer: Mutex::new(nothing),
            waker: Mutex::default(),
            wake: OnceLock::new(),
            parked: Parked::default(),
            handed: Mutex::default(),
        }
    }

    /// Starts the engine's timer, which then calls `tick` with `data`, and registers the waker, whose event has the
    /// same `data`. `false`: the host does not even have a timer.
    ///
    /// # Safety
    /// `data` must be valid for `tick` and `woken` until [`WaitingRoom::close`] returns.
    pub unsafe fn open(&self, tick: TimerCallback, woken: EgEventHandler, data: *mut c_void) -> bool {
        let Some(engine) = self.engine else { return false };
        let mut timer = std::ptr::null_mut();
        // SAFETY: the scheduler is this thread's own; the caller guarantees tick and data.
        let made = unsafe {
            let scheduler = (engine.sched_get)();
            !scheduler.is_null()
                && (engine.timer_create)(scheduler, PERMANENT, TICK_MILLIS, tick, data, &raw mut timer) == 0
        };
        *self.timer.lock().unwrap_or_else(PoisonError::into_inner) = timer;
        // SAFETY: the caller guarantees woken and data.
        let waker = unsafe { Waker::register(woken, data) };
        if let Some(waker) = &waker {
            let _ = self.wake.set(waker.wake());
        }
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = waker;
        made && !timer.is_null()
    }

    /// The function that wakes the engine when a flush has its host result.
    pub fn wake(&self) -> Wake {
        Arc::clone(self.wake.get_or_init(|| Arc::new(|| {})))
    }

    /// Must be called after a wake-up and before [`WaitingRoom::resume_finished`].
    pub fn clear_waker(&self) {
        if let Some(waker) = &*self.waker.lock().unwrap_or_else(PoisonError::into_inner) {
            waker.clear();
        }
    }

    pub fn mode(&self) -> WaitMode {
        if !self.is_engine_thread() {
            WaitMode::BlockingWorker
        } else if self.has_timer() {
            WaitMode::Cooperative
        } else {
            WaitMode::BlockingEngine
        }
    }

    /// Waits for the host result. It holds little stack, no lock and no borrowed host memory across the switch.
    pub fn wait(&self, pending: Pending) -> HostResult {
        if let Some(result) = pending.poll() {
            return result;
        }
        if let (WaitMode::Cooperative, Some(engine)) = (self.mode(), self.engine) {
            // SAFETY: co_active has no arguments and returns the running context.
            let context = unsafe { (engine.active)() };
            if context != self.base {
                // SAFETY: this runs on the engine thread, inside the coroutine of a flush. The switch returns when
                // the waker or the timer switches back, on the same thread and with this stack intact. If the host
                // ends before that, it abandons the coroutine, and this stack never runs again.
                unsafe {
                    self.parked.park(Waiter { context, coro: (engine.coro_get)() }, pending);
                    (engine.switch)(self.base);
                }
                return self.lock_handed().take().unwrap_or(HostResult::Retry);
            }
        }
        pending.wait()
    }

    /// Resumes every flush that has its host result. The engine must call it outside a coroutine.
    pub fn resume_finished(&self) {
        let Some(engine) = self.engine else { return };
        // One at a time: a resumed flush may change the list.
        while let Some((waiter, result)) = self.parked.take_finished() {
            *self.lock_handed() = Some(result);
            // SAFETY: this runs on the engine thread in its own context. `wait` parked the coroutine, and it was not
            // resumed since, because it was just removed from the list. Its flush returns to the host, which
            // switches back to the engine's context, here.
            unsafe {
                let before = (engine.coro_get)();
                (engine.coro_set)(waiter.coro);
                (engine.switch)(waiter.context);
                (engine.coro_set)(before);
            }
        }
    }

    fn lock_handed(&self) -> MutexGuard<'_, Option<HostResult>> {
        self.handed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the timer and unregisters the waker. Flushes that are still parked are never resumed: the host has
    /// abandoned them.
    pub fn close(&self) {
        let mut timer = self.timer.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(engine), false) = (self.engine, timer.is_null()) {
            // SAFETY: the timer is ours and still exists; ExitCtx runs on the engine thread, outside the timer.
            unsafe {
                (engine.timer_disable)(*timer);
                (engine.timer_destroy)(*timer);
            }
        }
        *timer = std::ptr::null_mut();
        if let Some(mut waker) = self.waker.lock().unwrap_or_else(PoisonError::into_inner).take() {
            waker.unregister();
        }
    }

    fn is_engine_thread(&self) -> bool {
        thread_id() == self.engine_thread
    }

    fn has_timer(&self) -> bool {
        !self.timer.lock().unwrap_or_else(PoisonError::into_inner).is_null()
    }
}
