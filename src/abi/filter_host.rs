//! One filter instance as the host sees it: its properties, its context and its log.
//!
//! A native plugin does not get a table of functions as a proxy plugin does: it calls the functions that the
//! executable exports. Only the host's own threads may use any of this.

use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr;

use super::symbols::{self, FilterContext, FilterProperty, InstanceName, LogPrint};
use crate::log::Line;

/// The host's handle of one instance, valid until cb_exit returns.
pub struct FilterHost {
    instance: *mut c_void,
    /// The alias, or `service_impact.N`.
    name: String,
    /// Looked up once, because the loader's search needs more of the host's stack than anything else here.
    print: Option<LogPrint>,
}

// SAFETY: only the host's threads use the handle, in the instance's callbacks, which the host runs one at a time.
// The thread that writes the file never sees it.
unsafe impl Send for FilterHost {}
// SAFETY: as above.
unsafe impl Sync for FilterHost {}

impl FilterHost {
    /// # Safety
    /// The pointer must be the `struct flb_filter_instance` of the callback that runs.
    pub unsafe fn new(instance: *mut c_void) -> Self {
        // SAFETY: the type is that of the host's header; all supported hosts export it.
        let name = unsafe { symbols::find::<InstanceName>(c"flb_filter_name") }
            .map(|filter_name| {
                // SAFETY: the instance is the host's own.
                unsafe { filter_name(instance) }
            })
            .filter(|name| !name.is_null())
            // SAFETY: the host returns a C string that lives as long as the instance.
            .map(|name| unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned());
        Self {
            instance,
            name: name.unwrap_or_else(|| "service_impact".to_owned()),
            // SAFETY: the type is that of the host's header.
            print: unsafe { symbols::find::<LogPrint>(c"flb_log_print") },
        }
    }

    /// The bytes of a property; `None` if it is unset or empty. For an empty one the host returns "".
    pub fn property(&self, key: &str) -> Option<Vec<u8>> {
        // SAFETY: the type is that of the host's header.
        let get = unsafe { symbols::find::<FilterProperty>(c"flb_filter_get_property") }?;
        let key = CString::new(key).ok()?;
        // SAFETY: the key is a C string; the value, if any, is one that lives as long as the instance.
        let value = unsafe { get(key.as_ptr(), self.instance) };
        // SAFETY: as above.
        let value = (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_bytes().to_vec());
        value.filter(|value| !value.is_empty())
    }

    /// Sets the pointer that the host passes to cb_filter and cb_exit. `false`: the host lacks the function.
    pub fn set_context(&self, context: *mut c_void) -> bool {
        // SAFETY: the type is that of the host's header.
        let Some(set) = (unsafe { symbols::find::<FilterContext>(c"flb_filter_set_context") }) else {
            return false;
        };
        // SAFETY: the instance is the host's own.
        unsafe { set(self.instance, context) };
        true
    }

    /// Passes a line to the host's logger. The host does not export a check of an instance's `log_level`, so the
    /// filter logs little, and only INFO or above.
    pub fn log(&self, line: &Line) {
        let (Some(print), Some(text)) = (self.print, self.with_name(line)) else { return };
        // SAFETY: both strings are C strings, and the format takes exactly one.
        unsafe { print(line.level as c_int, ptr::null(), 0, c"%s".as_ptr(), text.as_ptr()) };
    }

    /// A function of its own, so that its stack is free again when the logger runs.
    #[inline(never)]
    fn with_name(&self, line: &Line) -> Option<CString> {
        let text = format!("[filter:service_impact:{}] {}", self.name, line.text);
        CString::new(text.replace('\0', " ")).ok()
    }
}
