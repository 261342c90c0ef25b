//! The host's structs, as far as they are the same in Fluent Bit 2.2 to 5.1.
//!
//! Only prefixes: the host allocates all of them, newer hosts append fields, and we touch nothing behind
//! what is named here.

use std::ffi::{c_char, c_int, c_void};

/// `FLB_PROXY_OUTPUT_PLUGIN`.
pub const OUTPUT_PLUGIN: c_int = 2;
/// `FLB_PROXY_GOLANG`: the proxy ABI was made for Go; the host knows no other.
pub const PROXY_GOLANG: c_int = 11;

/// `FLB_OK`: the host releases the chunk. (0 is `FLB_ERROR`: it deletes the chunk at once, also from the
/// disk. We never answer that.)
pub const FLB_OK: c_int = 1;
/// `FLB_RETRY`: the host brings the chunk again, as often as `retry_limit` says.
pub const FLB_RETRY: c_int = 2;

/// `struct flb_plugin_proxy_def`, the fields that every host has. Up to 4.2.2 the host hands it over
/// uninitialised, so all of them must be written.
#[repr(C)]
pub struct EgDefinition {
    pub kind: c_int,
    pub proxy: c_int,
    pub flags: c_int,
    pub name: *const c_char,
    pub description: *const c_char,
}

/// The same struct on Fluent Bit 5.1.1. Writing the last field on an older host runs over the end of its
/// allocation.
#[repr(C)]
pub struct EgDefinitionWithMap {
    pub common: EgDefinition,
    pub event_type: c_int,
    pub config_map: *const EgConfigMapEntry,
}

/// `struct flb_config_map` of 5.0.3 and later: 104 bytes. The host copies name and default, and keeps the
/// pointer to the description.
#[repr(C)]
pub struct EgConfigMapEntry {
    pub kind: c_int,
    pub name: *const c_char,
    pub default_value: *const c_char,
    pub flags: c_int,
    pub set_property: c_int,
    pub offset: usize,
    pub description: *const c_char,
    /// The host's own: value, list links.
    pub reserved: [usize; 7],
}

/// `struct flbgo_output_plugin`. One for all instances: `instance` and `context` change before each Init
/// and are valid only inside it.
#[repr(C)]
pub struct EgOutputPlugin {
    pub name: *const c_char,
    /// Lives as long as the image is registered.
    pub api: *const EgApi,
    /// `struct flb_output_instance *`; lives until ExitCtx returns.
    pub instance: *mut c_void,
    /// Where the plugin leaves the pointer that FlushCtx and ExitCtx get.
    pub context: *mut *mut c_void,
}

/// `struct flb_api`, the fields that every host has.
#[repr(C)]
pub struct EgApi {
    /// Case-insensitive; the string lives as long as the instance.
    pub output_get_property:
        Option<unsafe extern "C" fn(key: *const c_char, instance: *mut c_void) -> *const c_char>,
    pub input_get_property:
        Option<unsafe extern "C" fn(key: *const c_char, instance: *mut c_void) -> *const c_char>,
    /// `struct cmt *` of the instance; freed right after ExitCtx.
    pub output_get_cmt_instance: Option<unsafe extern "C" fn(instance: *mut c_void) -> *mut c_void>,
    pub input_get_cmt_instance: Option<unsafe extern "C" fn(instance: *mut c_void) -> *mut c_void>,
    /// Checks no level, and takes up to 8 KiB of stack.
    pub log_print: Option<
        unsafe extern "C" fn(level: c_int, file: *const c_char, line: c_int, format: *const c_char, ...),
    >,
    pub input_log_check: Option<unsafe extern "C" fn(instance: *mut c_void, level: c_int) -> c_int>,
    pub output_log_check: Option<unsafe extern "C" fn(instance: *mut c_void, level: c_int) -> c_int>,
}

/// What the engine calls when an event of ours is due, with the event.
pub type EgEventHandler = unsafe extern "C" fn(event: *mut c_void) -> c_int;

/// `struct mk_event`, the same in 2.2 to 5.1. The host keeps its address, and writes into it, from
/// `mk_event_add` to `mk_event_del`.
#[repr(C)]
pub struct EgEvent {
    pub descriptor: c_int,
    pub kind: c_int,
    /// `MK_EVENT_EMPTY`, so that the host adds it and does not change one it has.
    pub mask: u32,
    pub status: u8,
    /// Ours.
    pub data: *mut c_void,
    pub handler: EgEventHandler,
    /// The host's lists; NULL says that it is in none.
    pub links: [usize; 4],
    /// The smaller, the sooner.
    pub priority: i8,
    /// What later releases may append.
    pub reserved: [usize; 7],
}

impl EgEvent {
    /// `MK_EVENT_NONE`: in no loop.
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

/// `FLB_FILTER_MODIFIED`: the host takes the new data; none at all when the size is 0.
pub const FLB_FILTER_MODIFIED: c_int = 1;
/// `FLB_FILTER_NOTOUCH`: the host goes on with what it has, and looks at no buffer.
pub const FLB_FILTER_NOTOUCH: c_int = 2;
/// `FLB_FILTER_LOGS`.
pub const FILTER_LOGS: c_int = 1;

/// `struct flb_filter_plugin`. The host copies it at the size it knows, 80 bytes before 3.2 and 88 since,
/// whatever size it has here: so it is longer than any, and zero where we know nothing.
#[repr(C)]
pub struct EgFilterPlugin {
    pub event_type: c_int,
    /// No release has any.
    pub flags: c_int,
    pub name: *const c_char,
    pub description: *const c_char,
    /// NULL: an array would have to have entries of 96 bytes before 5.0.3, and of 104 since.
    pub config_map: *const EgConfigMapEntry,
    /// Anything but 0 refuses the instance. Also called on its own, on the main thread, before a reload and
    /// in the dry run of 5.1.1.
    pub pre_run:
        Option<unsafe extern "C" fn(instance: *mut c_void, config: *mut c_void, data: *mut c_void) -> c_int>,
    /// 0 when the instance runs.
    pub init:
        Option<unsafe extern "C" fn(instance: *mut c_void, config: *mut c_void, data: *mut c_void) -> c_int>,
    /// The data and the tag are valid until it returns; the tag ends by `tag_length` alone. The host frees
    /// what it finds in `out` by `free`.
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
    /// The host's list node, and what later releases may append.
    pub reserved: [usize; 7],
}

// SAFETY: the pointers are to static strings, and nobody writes.
unsafe impl Sync for EgFilterPlugin {}
