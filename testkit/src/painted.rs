//! How much stack a piece of work uses, measured on a painted stack in this very process.

use std::ffi::c_void;
use std::ptr;

const PAINT: u64 = 0x5aa5_5aa5_c33c_c33c;
const BYTES: usize = 1 << 20;

/// Bytes of stack that the work uses, beside what a thread takes for itself.
pub fn stack_used(work: impl FnOnce() + Send) -> usize {
    let mut work = Some(work);
    let used = run(&mut move || work.take().expect("once")());
    used - run(&mut || {})
}

#[allow(unsafe_code)]
fn run(work: &mut (dyn FnMut() + Send)) -> usize {
    extern "C" fn start(work: *mut c_void) -> *mut c_void {
        // SAFETY: what `run` passes in lives until the thread is joined.
        unsafe { (*work.cast::<&mut (dyn FnMut() + Send)>())() };
        ptr::null_mut()
    }
    let mut stack = vec![PAINT; BYTES / 8];
    let mut work = work;
    // SAFETY: the stack outlives the thread, which is joined here; a Vec of this size is page-aligned enough
    // for a stack, which asks for 16 bytes.
    unsafe {
        let mut attributes = std::mem::zeroed();
        let mut thread = std::mem::zeroed();
        assert_eq!(libc::pthread_attr_init(&raw mut attributes), 0);
        assert_eq!(libc::pthread_attr_setstack(&raw mut attributes, stack.as_mut_ptr().cast(), BYTES), 0);
        let argument = (&raw mut work).cast();
        assert_eq!(libc::pthread_create(&raw mut thread, &raw const attributes, start, argument), 0);
        assert_eq!(libc::pthread_join(thread, ptr::null_mut()), 0);
        libc::pthread_attr_destroy(&raw mut attributes);
    }
    BYTES - 8 * stack.iter().take_while(|word| **word == PAINT).count()
}
