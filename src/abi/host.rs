//! One output instance as the host sees it: its properties, its log and its metrics.
//!
//! Only the host's own threads may use any of this: elsewhere the logger falls back to stderr, and the metric maps
//! take no lock before 5.1.

use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr;
use std::sync::OnceLock;

use super::layout::EgApi;
use super::registry::Registry;
use super::symbols::{self, InstanceName};
use crate::log::Line;
use crate::metrics::Metrics;

/// The host's handles of one instance, valid from Init until ExitCtx returns.
pub struct Host {
    api: *const EgApi,
    instance: *mut c_void,
    /// The alias, or `event_gateway.N`.
    name: CString,
    registry: OnceLock<Registry>,
}

// SAFETY: only the host's threads use the handles: in Init, in ExitCtx and in the engine's timer, which never run
// at the same time. The delivery worker never sees a Host.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

impl Host {
    /// # Safety
    /// The pointers must be those that the host put into `EgOutputPlugin` for the Init that runs.
    pub unsafe fn new(api: *const EgApi, instance: *mut c_void) -> Self {
        // SAFETY: the type is that of the host's header; all supported hosts export it.
        let name = unsafe { symbols::find::<InstanceName>(c"flb_output_name") }
            .map(|output_name| {
                // SAFETY: the instance is the host's own.
                unsafe { output_name(instance) }
            })
            .filter(|name| !name.is_null())
            // SAFETY: the host returns a C string that lives as long as the instance.
            .map_or_else(|| c"event_gateway".to_owned(), |name| unsafe { CStr::from_ptr(name) }.to_owned());
        Self { api, instance, name, registry: OnceLock::new() }
    }

    fn api(&self) -> &EgApi {
        // SAFETY: the host's table lives as long as the image is registered.
        unsafe { &*self.api }
    }

    /// The bytes of a property; `None` if it is unset or empty.
    pub fn property(&self, key: &str) -> Option<Vec<u8>> {
        let get = self.api().output_get_property?;
        let key = CString::new(key).ok()?;
        // SAFETY: the key is a C string; the value, if any, is one that lives as long as the instance.
        let value = unsafe { get(key.as_ptr(), self.instance) };
        // SAFETY: as above.
        (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_bytes().to_vec())
    }

    /// Passes a line to the host's logger, unless the instance's `log_level` suppresses it.
    pub fn log(&self, line: &Line) {
        let level = line.level as c_int;
        let (Some(check), Some(print)) = (self.api().output_log_check, self.api().log_print) else { return };
        // SAFETY: the instance is the host's own.
        if unsafe { check(self.instance, level) } == 0 {
            return;
        }
        let text = format!("[output:event_gateway:{}] {}", self.name.to_string_lossy(), line.text);
        let Ok(text) = CString::new(text.replace('\0', " ")) else { return };
        // SAFETY: both strings are C strings, and the format takes exactly one.
        unsafe { print(level, ptr::null(), 0, c"%s".as_ptr(), text.as_ptr()) };
    }

    /// Creates the metrics with all their label sets, so that later only values change. Must be called in Init.
    pub fn create_metrics(&self, metrics: &Metrics) {
        let Some(get_registry) = self.api().output_get_cmt_instance else { return };
        // SAFETY: the instance is the host's own.
        let registry = unsafe { get_registry(self.instance) };
        // SAFETY: the registry is the host's own, and lives as long as the instance.
        if let Some(registry) = unsafe { Registry::fill(registry, &self.name) }
            && self.registry.set(registry).is_ok()
        {
            self.publish(metrics, 0);
        }
    }

    /// Writes the values into the host's registry.
    pub fn publish(&self, metrics: &Metrics, unix_nanos: u64) {
        if let Some(registry) = self.registry.get() {
            registry.write(&metrics.readings(), unix_nanos);
        }
    }
}
