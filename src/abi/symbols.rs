//! The host's exported functions, looked up one by one.
//!
//! A plain undefined symbol would make the whole image unloadable on a host that lacks it, because Rust links with
//! BIND_NOW. So each function is looked up by name, and the caller decides what to do if it is missing.

use std::ffi::{CStr, c_char, c_double, c_int, c_void};

/// The function that the engine's timer calls: `(struct flb_config *, data)`.
pub type TimerCallback = unsafe extern "C" fn(*mut c_void, *mut c_void);

/// `cothread_t co_active(void)`, `struct flb_coro *flb_coro_get(void)`,
/// `struct flb_sched *flb_sched_ctx_get(void)`, `struct mk_event_loop *flb_engine_evl_get(void)`.
pub type Getter = unsafe extern "C" fn() -> *mut c_void;
/// `void co_switch(cothread_t)`, `void flb_coro_set(struct flb_coro *)`.
pub type Setter = unsafe extern "C" fn(*mut c_void);
/// `int flb_sched_timer_cb_create(sched, type, ms, callback, data, timer **)`.
pub type TimerCreate =
    unsafe extern "C" fn(*mut c_void, c_int, c_int, TimerCallback, *mut c_void, *mut *mut c_void) -> c_int;
/// `int flb_sched_timer_cb_disable(timer)`, `int flb_sched_timer_cb_destroy(timer)`.
pub type TimerEnd = unsafe extern "C" fn(*mut c_void) -> c_int;
/// `int mk_event_add(loop, fd, type, mask, event)`.
pub type EventAdd = unsafe extern "C" fn(*mut c_void, c_int, c_int, u32, *mut c_void) -> c_int;
/// `int mk_event_del(loop, event)`.
pub type EventDel = unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int;
/// `const char *flb_output_name(struct flb_output_instance *)`, and `flb_filter_name` for a filter.
pub type InstanceName = unsafe extern "C" fn(*mut c_void) -> *const c_char;
/// `const char *flb_filter_get_property(key, struct flb_filter_instance *)`.
pub type FilterProperty = unsafe extern "C" fn(*const c_char, *mut c_void) -> *const c_char;
/// `void flb_filter_set_context(struct flb_filter_instance *, void *)`.
pub type FilterContext = unsafe extern "C" fn(*mut c_void, *mut c_void);
/// `void flb_log_print(type, file, line, format, ...)`; it does not check the log level, and needs up to 8 KiB of stack.
pub type LogPrint = unsafe extern "C" fn(c_int, *const c_char, c_int, *const c_char, ...);
/// `cmt_counter_create`, `cmt_gauge_create`, `cmt_untyped_create`: `(cmt, ns, subsystem, name, help, count, keys)`.
pub type MetricCreate = unsafe extern "C" fn(
    *mut c_void,
    *const c_char,
    *const c_char,
    *const c_char,
    *const c_char,
    c_int,
    *const *const c_char,
) -> *mut c_void;
/// `cmt_counter_set`, `cmt_gauge_set`, `cmt_untyped_set`: `(metric, time in ns, value, count, labels)`.
pub type MetricSet = unsafe extern "C" fn(*mut c_void, u64, c_double, c_int, *const *const c_char) -> c_int;

/// `cmt_histogram_buckets_create_size(bounds, count)`; it copies the bounds.
pub type BucketsCreate = unsafe extern "C" fn(*const c_double, usize) -> *mut c_void;
/// `cmt_histogram_create`: `(cmt, ns, subsystem, name, help, buckets, count, keys)`; it keeps the buckets.
pub type HistogramCreate = unsafe extern "C" fn(
    *mut c_void,
    *const c_char,
    *const c_char,
    *const c_char,
    *const c_char,
    *mut c_void,
    c_int,
    *const *const c_char,
) -> *mut c_void;
/// `cmt_histogram_set_default`: `(metric, time in ns, buckets, sum, count, label count, labels)`; it reads one bucket
/// more than there are bounds.
pub type HistogramSet =
    unsafe extern "C" fn(*mut c_void, u64, *const u64, c_double, u64, c_int, *const *const c_char) -> c_int;

/// Looks up a symbol in all loaded images. `None` if there is none.
///
/// # Safety
/// `F` must be an `extern "C"` function pointer, and the symbol a function of that type wherever it exists.
pub unsafe fn find<F: Copy>(name: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: the name is a C string; RTLD_DEFAULT needs no handle.
    let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if symbol.is_null() {
        return None;
    }
    // SAFETY: a function pointer has the size of a pointer (checked above), and the caller guarantees its type.
    Some(unsafe { std::mem::transmute_copy::<*mut c_void, F>(&symbol) })
}

/// Whether the host exports a symbol.
pub fn exists(name: &CStr) -> bool {
    // SAFETY: as in `find`; the address is not used.
    !unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }.is_null()
}
