//! Memory aligned as Rust needs it, from a host whose malloc may not.
//!
//! The official images link jemalloc with `--with-lg-quantum=3`: its malloc hands out memory for, say, 56
//! bytes at an address that is a multiple of 8 only. Rust's `System` allocator takes 16 for granted on
//! 64-bit machines, and a stock `HashMap` then dies on an aligned SSE load. So: up to 8 from malloc,
//! anything above from posix_memalign. All of it is freed by `free`, whoever provides it.

use std::alloc::{GlobalAlloc, Layout};
use std::ptr;

#[global_allocator]
static ALLOCATOR: HostMalloc = HostMalloc;

struct HostMalloc;

/// What every malloc in use grants.
const MALLOC_ALIGN: usize = 8;

// SAFETY: memory comes from malloc or posix_memalign with at least the size and alignment of the layout,
// and goes back by free, which takes both. Nothing here unwinds.
unsafe impl GlobalAlloc for HostMalloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= MALLOC_ALIGN {
            // SAFETY: malloc takes any size.
            return unsafe { libc::malloc(layout.size()) }.cast();
        }
        let mut memory = ptr::null_mut();
        // SAFETY: the alignment of a layout is a power of two, and above 8 it is a multiple of a pointer's
        // size, as posix_memalign demands; `memory` is ours to write.
        let failed = unsafe { libc::posix_memalign(&raw mut memory, layout.align(), layout.size()) };
        if failed == 0 { memory.cast() } else { ptr::null_mut() }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= MALLOC_ALIGN {
            // SAFETY: calloc takes any size.
            return unsafe { libc::calloc(1, layout.size()) }.cast();
        }
        // SAFETY: the caller's promise is passed on.
        let memory = unsafe { self.alloc(layout) };
        if !memory.is_null() {
            // SAFETY: `alloc` made `size` bytes there.
            unsafe { ptr::write_bytes(memory, 0, layout.size()) };
        }
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, _: Layout) {
        // SAFETY: `memory` came from malloc, calloc, realloc or posix_memalign above.
        unsafe { libc::free(memory.cast()) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if layout.align() <= MALLOC_ALIGN {
            // SAFETY: `memory` came from the same malloc; the caller promises a size above zero.
            return unsafe { libc::realloc(memory.cast(), new_size) }.cast();
        }
        // realloc knows nothing of our alignment. SAFETY: the caller promises that the rounded new size
        // does not overflow, and the alignment is a layout's own.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(new_size, layout.align())) };
        if !moved.is_null() {
            // SAFETY: both blocks hold at least the smaller size, and do not overlap.
            unsafe {
                ptr::copy_nonoverlapping(memory, moved, layout.size().min(new_size));
                self.dealloc(memory, layout);
            }
        }
        moved
    }
}
