//! Counts what a thread asks of malloc, and what it has of it.
//!
//! The library brings the allocator of its image, and a program has but one; so it is malloc that is replaced
//! here, which the library's allocator calls, as a host with jemalloc replaces it. glibc leaves its own behind
//! other names for this ("Replacing malloc" in its manual). Under a sanitizer, which does the same and says so by
//! `--cfg fuzzing`, nothing is replaced and nothing counted: it looks for leaks itself.
#![allow(unsafe_code, reason = "malloc is C")]
#![allow(dead_code, reason = "each test binary uses another part of it")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ops::Sub;

/// Calls that give memory, and the bytes that they were asked for. A buffer that grows counts each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocations {
    pub calls: u64,
    pub bytes: u64,
}

impl Sub for Allocations {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { calls: self.calls - before.calls, bytes: self.bytes - before.bytes }
    }
}

thread_local! {
    // Made without memory, and nothing is to be done at its end: malloc may use it at any time.
    static COUNTED: Cell<Allocations> = const { Cell::new(Allocations { calls: 0, bytes: 0 }) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

/// What this thread has asked for while the work was done.
pub fn during(work: impl FnOnce()) -> Allocations {
    let before = COUNTED.get();
    work();
    COUNTED.get() - before
}

/// What this thread was given less what it gave back, in bytes as malloc sets them aside. Memory that another thread
/// gives back counts for that one.
pub fn live_bytes() -> i64 {
    LIVE.get()
}

fn count(bytes: usize) {
    let Allocations { calls, bytes: before } = COUNTED.get();
    COUNTED.set(Allocations { calls: calls + 1, bytes: before + bytes as u64 });
}

/// Memory that was given, or is about to go.
fn size(memory: *mut c_void) -> i64 {
    // SAFETY: it is malloc's, or null.
    i64::try_from(unsafe { malloc_usable_size(memory) }).unwrap_or(i64::MAX)
}

fn given(memory: *mut c_void) -> *mut c_void {
    LIVE.set(LIVE.get() + size(memory));
    memory
}

unsafe extern "C" {
    fn __libc_malloc(bytes: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, bytes: usize) -> *mut c_void;
    fn __libc_realloc(memory: *mut c_void, bytes: usize) -> *mut c_void;
    fn __libc_memalign(align: usize, bytes: usize) -> *mut c_void;
    fn __libc_free(memory: *mut c_void);
    fn malloc_usable_size(memory: *mut c_void) -> usize;
}

// SAFETY of all five: what the caller promises to malloc and its like is what glibc's own want, and `free`
// takes what they give.

#[cfg_attr(not(fuzzing), unsafe(no_mangle))]
unsafe extern "C" fn malloc(bytes: usize) -> *mut c_void {
    count(bytes);
    // SAFETY: as above.
    given(unsafe { __libc_malloc(bytes) })
}

#[cfg_attr(not(fuzzing), unsafe(no_mangle))]
unsafe extern "C" fn calloc(number: usize, bytes: usize) -> *mut c_void {
    count(number.saturating_mul(bytes));
    // SAFETY: as above.
    given(unsafe { __libc_calloc(number, bytes) })
}

#[cfg_attr(not(fuzzing), unsafe(no_mangle))]
unsafe extern "C" fn realloc(memory: *mut c_void, bytes: usize) -> *mut c_void {
    count(bytes);
    let before = size(memory);
    // SAFETY: as above.
    let new = unsafe { __libc_realloc(memory, bytes) };
    // On failure the old one stays.
    if !new.is_null() || bytes == 0 {
        LIVE.set(LIVE.get() - before);
    }
    given(new)
}

#[cfg_attr(not(fuzzing), unsafe(no_mangle))]
unsafe extern "C" fn free(memory: *mut c_void) {
    LIVE.set(LIVE.get() - size(memory));
    // SAFETY: as above.
    unsafe { __libc_free(memory) }
}

#[cfg_attr(not(fuzzing), unsafe(no_mangle))]
unsafe extern "C" fn posix_memalign(memory: *mut *mut c_void, align: usize, bytes: usize) -> c_int {
    count(bytes);
    // SAFETY: as above; `memory` is the caller's to write.
    unsafe {
        let new = given(__libc_memalign(align, bytes));
        if new.is_null() {
            return libc::ENOMEM;
        }
        *memory = new;
    }
    0
}
