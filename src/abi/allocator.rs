//! A global allocator that aligns memory as Rust needs it, even where the host's malloc does not.
//!
//! The official images link jemalloc with `--with-lg-quantum=3`: its malloc may return 56 bytes at an address
//! that is a multiple of 8 only. Rust's `System` allocator assumes 16 on 64-bit machines, and then a standard
//! `HashMap` crashes on an aligned SSE load. This allocator therefore takes alignments up to 8 from malloc and
//! larger ones from posix_memalign. `free` releases both.

use std::alloc::{GlobalAlloc, Layout};
use std::ptr;

#[global_allocator]
static ALLOCATOR: HostMalloc = HostMalloc;

struct HostMalloc;

/// The alignment that every malloc in use guarantees.
const MALLOC_ALIGN: usize = 8;

// SAFETY: memory comes from malloc or posix_memalign with at least the size and alignment of the layout,
// and free, which accepts both, releases it. Nothing here unwinds.
unsafe impl GlobalAlloc for HostMalloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= MALLOC_ALIGN {
            // SAFETY: malloc accepts any size.
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
            // SAFETY: calloc accepts any size.
            return unsafe { libc::calloc(1, layout.size()) }.cast();
        }
        // SAFETY: the caller guarantees what `alloc` requires.
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
            // SAFETY: `memory` came from the same malloc; the caller guarantees a size above zero.
            return unsafe { libc::realloc(memory.cast(), new_size) }.cast();
        }
        // realloc would not keep our alignment. SAFETY: the caller guarantees that the rounded new size does not
        // overflow, and the alignment comes from a valid layout.
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
