//! The host's structs, as far as they are the same in Fluent Bit 2.2 to 5.1.
//!
//! They are prefixes only: the host allocates the structs, newer hosts append fields, and the plugin touches only
//! the fields named here.

use std::ffi::{c_char, c_int, c_void};

/// `FLB_PROXY_OUTPUT_PLUGIN`.
pub const OUTPUT_PLUGIN: c_int = 2;
/// `FLB_PROXY_GOLANG`: the proxy ABI was made for Go, and the host supports no other.
pub const PROXY_GOLANG: c_int = 11;

/// `FLB_OK`: the host releases the chunk. (The plugin never returns 0, `FLB_ERROR`: the host would delete the chunk
/// at once, also from the disk.)
pub const FLB_OK: c_int = 1;
/// `FLB_RETRY`: the host flushes the chunk again later, at most `retry_limit` times.
pub const FLB_RETRY: c_int = 2;

/// `struct flb_plugin_proxy_def`, the fields that every host has. Up to 4.2.2 the host passes it uninitialised, so
/// all of them must be written.
#[repr(C)]
pub struct EgDefinition {
    pub kind: c_int,
    pub proxy: c_int,
    pub flags: c_int,
    pub name: *const c_char,
    pub description: *const c_char,
}

/// The same struct in Fluent Bit 5.1.1. On an older host, writing the last field would overrun its allocation.
#[repr(C)]
pub struct EgDefinitionWithMap {
    pub common: EgDefinition,
    pub event_type: c_int,
    pub config_map: *const EgConfigMapEntry,
}

/// `struct flb_config_map` of 5.0.3 and later: 104 bytes. The host copies name and default, but keeps the pointer to
/// the description.
#[repr(C)]
pub struct EgConfigMapEntry {
    pub kind: c_int,
    pub name: *const c_char,
    pub default_value: *const c_char,
    pub flags: c_int,
    pub set_property: c_int,
    pub offset: usize,
    pub description: *const c_char,
    /// The host's own fields: value and list links.
    pub reserved: [usize; 7],
}

/// `struct flbgo_output_plugin`. All instances share one: `instance` and `context` change before each Init and are
/// valid only during it.
#[repr(C)]
pub struct EgOutputPlugin {
    pub name: *const c_char,
    /// Lives as long as the image is registered.
    pub api: *const EgApi,
    /// `struct flb_output_instance *`; lives until ExitCtx returns.
    pub instance: *mut c_void,
    /// The plugin stores here the pointer that FlushCtx and ExitCtx get.
    pub context: *mut *mut c_void,
}

/// `struct flb_api`, the fields that every host has.
#[repr(C)]
pub struct EgApi {
    /// The key is case-insensitive; the returned string lives as long as the instance.
    pub output_get_property:
        Option<unsafe extern "C" fn(key: *const c_char, instance: *mut c_void) -> *const c_char>,
    pub input_get_property:
        Option<unsafe extern "C" fn(key: *const c_char, instance: *mut c_void) -> *const c_char>,
    /// `struct cmt *` of the instance; freed right after ExitCtx.
    pub output_get_cmt_instance: Option<unsafe extern "C" fn(instance: *mut c_void) -> *mut c_void>,
    pub input_get_cmt_instance: Option<unsafe extern "C" fn(instance: *mut c_void) -> *mut c_void>,
    /// It does not check the log level, and needs up to 8 KiB of stack.
    pub log_print: Option<
        unsafe extern "C" fn(level: c_int, file: *const c_char, line: c_int, format: *const c_char, ...),
    >,
    pub input_log_check: Option<unsafe extern "C" fn(instance: *mut c_void, level: c_int) -> c_int>,
    pub output_log_check: Option<unsafe extern "C" fn(instance: *mut c_void, level: c_int) -> c_int>,
}

/// The function that the engine calls with an event of ours when it is due.
pub type EgEventHandler = unsafe extern "C" fn(event: *mut c_void) -> c_int;

/// `struct mk_event`, the same in 2.2 to 5.1. The host keeps its address and writes into it from `mk_event_add` to
/// `mk_event_del`.
#[repr(C)]
pub struct EgEvent {
    pub descriptor: c_int,
    pub kind: c_int,
    /// `MK_EVENT_EMPTY`, so that the host adds the event instead of changing an existing one.
    pub mask: u32,
    pub status: u8,
    /// For the plugin's own use.
    pub data: *mut c_void,
    pub handler: EgEventHandler,
    /// The links of the host's lists; NULL if the event is in no list.
    pub links: [usize; 4],
    /// Events with smaller values are handled first.
    pub priority: i8,
    /// Room for fields that later releases may append.
    pub reserved: [usize; 7],
}

impl EgEvent {
    /// `MK_EVENT_NONE`: not registered with a loop.
    const NONE: u8 = 1;

    pub fn new(handler: EgEventHandler, data: *mut c_void) -> Self {
        Self {
            descriptor: -1,
            kind: 0,
            mask: 0,
            status: Self::NONE,
            data,
            handler,
            links: [0; 4],
            priority: 0,
            reserved: [0; 7],
        }
    }
}

/// `FLB_FILTER_MODIFIED`: the host takes the new data; with size 0 it drops all records.
pub const FLB_FILTER_MODIFIED: c_int = 1;
/// `FLB_FILTER_NOTOUCH`: the host keeps its data and ignores the returned buffer.
pub const FLB_FILTER_NOTOUCH: c_int = 2;
/// `FLB_FILTER_LOGS`.
pub const FILTER_LOGS: c_int = 1;

/// `struct flb_filter_plugin`. The host copies as many bytes as its own version has, 80 before 3.2 and 88 since. So
/// this struct is longer than any of them, and zero in the part that we do not know.
#[repr(C)]
pub struct EgFilterPlugin {
    pub event_type: c_int,
    /// No release defines a flag.
    pub flags: c_int,
    pub name: *const c_char,
    pub description: *const c_char,
    /// NULL, because entries would need 96 bytes before 5.0.3 and 104 since.
    pub config_map: *const EgConfigMapEntry,
    /// Any return value but 0 refuses the instance. The host also calls it alone, on the main thread, before a reload
    /// and in the dry run of 5.1.1.
    pub pre_run:
        Option<unsafe extern "C" fn(instance: *mut c_void, config: *mut c_void, data: *mut c_void) -> c_int>,
    /// Returns 0 if the instance runs.
    pub init:
        Option<unsafe extern "C" fn(instance: *mut c_void, config: *mut c_void, data: *mut c_void) -> c_int>,
    /// The data and the tag are valid until it returns; only `tag_length` says where the tag ends. The host releases
    /// the buffer in `out` with `free`.
    pub filter: Option<
        unsafe extern "C" fn(
            data: *const c_void,
            length: usize,
            tag: *const c_char,
            tag_length: c_int,
            out: *mut *mut c_void,
            out_length: *mut usize,
            instance: *mut c_void,
            input: *mut c_void,
            context: *mut c_void,
            config: *mut c_void,
        ) -> c_int,
    >,
    /// Called only for an instance with a context.
    pub exit: Option<unsafe extern "C" fn(context: *mut c_void, config: *mut c_void) -> c_int>,
    /// `cb_notification`, since 3.2.
    pub notification: *const c_void,
    /// The host's list node, and room for fields that later releases may append.
    pub reserved: [usize; 7],
}

// SAFETY: the pointers point to static strings, and nothing writes to the struct.
unsafe impl Sync for EgFilterPlugin {}
