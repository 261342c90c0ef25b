//! The waker that calls the engine to flushes whose answer has come.
//!
//! It is an eventfd in the engine's own event loop (`mk_event_add`), so that an answer is taken up at once
//! and not at the next tick of a timer. Any thread may wake it; only the engine's registers and
//! unregisters it.

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::ptr;

use super::layout::{EgEvent, EgEventHandler};
use super::symbols::{self, EventAdd, EventDel, Get};
use super::wake_flag::WakeFlag;
use crate::job::Wake;
use crate::sync::Arc;

/// `MK_EVENT_CUSTOM`: the engine calls the event's own handler.
const CUSTOM: c_int = 4;
/// `MK_EVENT_READ`.
const READ: u32 = 1;
/// `FLB_ENGINE_PRIORITY_NETWORK`, what an output that does its own network I/O is woken with. The default
/// that `mk_event_add` sets comes last, behind new flushes and every collector.
const PRIORITY: i8 = 1;

/// The host's functions that a waker needs; all are in 2.2 to 5.1.
#[derive(Clone, Copy)]
struct Loop {
    current: Get,
    add: EventAdd,
    del: EventDel,
}

impl Loop {
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

/// A waker that is registered with an event loop. It must be unregistered before it is dropped.
pub struct Waker {
    functions: Loop,
    /// The loop it is registered with.
    event_loop: *mut c_void,
    /// The loop knows its address and writes into it.
    event: *mut EgEvent,
    flag: Arc<WakeFlag<File>>,
}

/// An eventfd that is ours alone. `None`: the host has no more descriptors.
fn eventfd() -> Option<File> {
    // SAFETY: takes two numbers, and answers with a descriptor that is ours, or below zero.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    // SAFETY: a descriptor that was just made and that nobody else owns.
    (descriptor >= 0).then(|| unsafe { File::from_raw_fd(descriptor) })
}

impl Waker {
    /// Registers a waker with the loop of the thread that calls, the engine's: from now on each wake makes the
    /// engine call `handler`, with the event whose `data` is this. `None`: this host cannot.
    ///
    /// # Safety
    /// `data` must be what `handler` takes from the event, until [`Waker::unregister`] returns.
    pub unsafe fn register(handler: EgEventHandler, data: *mut c_void) -> Option<Self> {
        let functions = Loop::find()?;
        // SAFETY: takes nothing, and answers with this thread's loop or NULL.
        let event_loop = unsafe { (functions.current)() };
        let flag = Arc::new(WakeFlag::new(eventfd()?));
        if event_loop.is_null() {
            return None;
        }
        let event = Box::into_raw(Box::new(EgEvent::new(handler, data)));
        let descriptor = flag.signal.as_raw_fd();
        // SAFETY: the loop is this thread's; the event is zeroed where the host wants it so, and stays
        // where it is until `unregister` has removed it.
        let added = unsafe { (functions.add)(event_loop, descriptor, CUSTOM, READ, event.cast()) } == 0;
        if !added {
            // SAFETY: made above, and the loop has not taken it.
            drop(unsafe { Box::from_raw(event) });
            return None;
        }
        // SAFETY: this thread is the loop's, which is not looking at the event now.
        unsafe { (*event).priority = PRIORITY };
        Some(Self { functions, event_loop, event, flag })
    }

    /// What wakes the engine, for any thread.
    pub fn wake(&self) -> Wake {
        let flag = Arc::clone(&self.flag);
        Arc::new(move || flag.wake())
    }

    /// The engine has come. To be said before looking for what it was called for.
    pub fn answer(&self) {
        self.flag.answer();
    }

    /// Takes it out of the loop, on the loop's own thread.
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
