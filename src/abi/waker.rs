//! The waker, which wakes the engine when a flush has its host result.
//!
//! It is an eventfd in the engine's own event loop (`mk_event_add`), so that the engine resumes a flush at once and
//! not at the next tick of a timer. Any thread may wake the engine; only the engine's thread registers and
//! unregisters the waker.

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::ptr;

use super::layout::{EgEvent, EgEventHandler};
use super::symbols::{self, EventAdd, EventDel, Getter};
use super::wake_flag::WakeFlag;
use crate::job::Wake;
use crate::sync::Arc;

/// `MK_EVENT_CUSTOM`: the engine calls the event's own handler.
const CUSTOM: c_int = 4;
/// `MK_EVENT_READ`.
const READ: u32 = 1;
/// `FLB_ENGINE_PRIORITY_NETWORK`, the priority for outputs that do their own network I/O. The default of
/// `mk_event_add` is the lowest, behind new flushes and every collector.
const PRIORITY: i8 = 1;

/// The host's functions that a waker needs; all are in 2.2 to 5.1.
#[derive(Clone, Copy)]
struct LoopFunctions {
    current: Getter,
    add: EventAdd,
    del: EventDel,
}

impl LoopFunctions {
    fn find() -> Option<Self> {
        // SAFETY: the types are those of the host's headers, the same in 2.2 to 5.1.
        unsafe {
            Some(Self {
                current: symbols::find(c"flb_engine_evl_get")?,
                add: symbols::find(c"mk_event_add")?,
                del: symbols::find(c"mk_event_del")?,
            })
        }
    }
}

/// A waker, registered with an event loop. It must be unregistered before it is dropped.
pub struct Waker {
    functions: LoopFunctions,
    /// The loop it is registered with.
    event_loop: *mut c_void,
    /// The loop keeps its address and writes into it.
    event: *mut EgEvent,
    flag: Arc<WakeFlag<File>>,
}

/// A new eventfd. `None`: the process has no more descriptors.
fn eventfd() -> Option<File> {
    // SAFETY: it takes two numbers, and returns a descriptor that we own, or a negative number.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    // SAFETY: the descriptor was just created, and nothing else owns it.
    (descriptor >= 0).then(|| unsafe { File::from_raw_fd(descriptor) })
}

impl Waker {
    /// Registers a waker with the event loop of the calling thread, which must be the engine's. Each wake then makes
    /// the engine call `handler` with an event whose `data` is this. `None`: this host lacks the functions.
    ///
    /// # Safety
    /// `data` must be valid for `handler` until [`Waker::unregister`] returns.
    pub unsafe fn register(handler: EgEventHandler, data: *mut c_void) -> Option<Self> {
        let functions = LoopFunctions::find()?;
        // SAFETY: it has no arguments, and returns this thread's loop or NULL.
        let event_loop = unsafe { (functions.current)() };
        let flag = Arc::new(WakeFlag::new(eventfd()?));
        if event_loop.is_null() {
            return None;
        }
        let event = Box::into_raw(Box::new(EgEvent::new(handler, data)));
        let descriptor = flag.signal.as_raw_fd();
        // SAFETY: the loop is this thread's; the event is zeroed as the host expects, and keeps its address until
        // `unregister` has removed it.
        let added = unsafe { (functions.add)(event_loop, descriptor, CUSTOM, READ, event.cast()) } == 0;
        if !added {
            // SAFETY: it was created above, and the loop did not take it.
            drop(unsafe { Box::from_raw(event) });
            return None;
        }
        // SAFETY: this is the loop's own thread, and the loop does not use the event now.
        unsafe { (*event).priority = PRIORITY };
        Some(Self { functions, event_loop, event, flag })
    }

    /// The function that wakes the engine, for any thread.
    pub fn wake(&self) -> Wake {
        let flag = Arc::clone(&self.flag);
        Arc::new(move || flag.wake())
    }

    /// The engine has woken up. Must be called before it looks for work.
    pub fn clear(&self) {
        self.flag.clear();
    }

    /// Removes it from the loop. Must be called on the loop's own thread.
    pub fn unregister(&mut self) {
        let event = std::mem::replace(&mut self.event, ptr::null_mut());
        if !event.is_null() {
            // SAFETY: the loop holds the event until it is removed; only then is it freed, once.
            unsafe {
                (self.functions.del)(self.event_loop, event.cast());
                drop(Box::from_raw(event));
            }
        }
    }
}
