//! One instance as the host sees it: its properties, its log and its metrics.
//!
//! All of it is for the host's own threads only: the logger falls back to stderr elsewhere, and the metric
//! maps take no lock before 5.1.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::OnceLock;

use super::layout::EgApi;
use super::symbols::{self, InstanceName, MetricCreate, MetricSet};
use crate::journal::Line;
use crate::metrics::{Kind, Metrics};

/// The host's handles of one instance, valid from Init until ExitCtx returns.
pub struct Host {
    api: *const EgApi,
    instance: *mut c_void,
    /// The alias, or `event_gateway.N`.
    name: CString,
    published: OnceLock<Published>,
}

// SAFETY: the handles are used on the host's threads only: in Init, in ExitCtx and in the engine's timer,
// which never run at the same time. The delivering thread never sees a Host.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

/// The metrics as the host's registry knows them, in the order of [`Metrics::DESCRIBED`].
struct Published {
    metrics: Vec<(*mut c_void, MetricSet)>,
}

impl Host {
    /// # Safety
    /// The pointers must be those that the host put into `EgOutputPlugin` for the Init that runs.
    pub unsafe fn new(api: *const EgApi, instance: *mut c_void) -> Self {
        // SAFETY: the type of the host's header; all supported hosts export it.
        let name = unsafe { symbols::find::<InstanceName>(c"flb_output_name") }
            .map(|output_name| {
                // SAFETY: the instance is the host's own.
                unsafe { output_name(instance) }
            })
            .filter(|name| !name.is_null())
            // SAFETY: the host answers with a C string that lives as long as the instance.
            .map_or_else(|| c"event_gateway".to_owned(), |name| unsafe { CStr::from_ptr(name) }.to_owned());
        Self { api, instance, name, published: OnceLock::new() }
    }

    fn api(&self) -> &EgApi {
        // SAFETY: the host's table lives as long as the image is registered.
        unsafe { &*self.api }
    }

    /// The bytes of a property; `None` when it is unset or empty.
    pub fn property(&self, key: &str) -> Option<Vec<u8>> {
        let get = self.api().output_get_property?;
        let key = CString::new(key).ok()?;
        // SAFETY: the key is a C string; the value, if any, is one that lives as long as the instance.
        let value = unsafe { get(key.as_ptr(), self.instance) };
        // SAFETY: as above.
        (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_bytes().to_vec())
    }

    /// Hands a line to the host's logger, if the instance's `log_level` lets it pass.
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

    /// Makes the metrics and touches every label set, so that later only values change. To be called in
    /// Init.
    pub fn announce(&self, metrics: &Metrics) {
        if self.published.set(self.register().unwrap_or(Published { metrics: Vec::new() })).is_ok() {
            self.publish(metrics, 0);
        }
    }

    fn register(&self) -> Option<Published> {
        let get_registry = self.api().output_get_cmt_instance?;
        // SAFETY: the instance is the host's own.
        let registry = unsafe { get_registry(self.instance) };
        if registry.is_null() {
            return None;
        }
        // SAFETY: the types of the host's headers, the same in 2.2 to 5.1.
        let (counter, counter_set, gauge, gauge_set) = unsafe {
            (
                symbols::find::<MetricCreate>(c"cmt_counter_create")?,
                symbols::find::<MetricSet>(c"cmt_counter_set")?,
                symbols::find::<MetricCreate>(c"cmt_gauge_create")?,
                symbols::find::<MetricSet>(c"cmt_gauge_set")?,
            )
        };
        let labels = [c"name".as_ptr()];
        let mut published = Vec::with_capacity(Metrics::DESCRIBED.len());
        for described in Metrics::DESCRIBED {
            let (create, set) = match described.kind {
                Kind::Counter => (counter, counter_set),
                Kind::Gauge => (gauge, gauge_set),
            };
            let (Ok(name), Ok(help)) = (CString::new(described.name), CString::new(described.help)) else {
                return None;
            };
            // SAFETY: the registry is the host's own, all strings are C strings that it copies.
            let metric = unsafe {
                create(
                    registry,
                    c"event_gateway".as_ptr(),
                    c"".as_ptr(),
                    name.as_ptr(),
                    help.as_ptr(),
                    1,
                    labels.as_ptr(),
                )
            };
            published.push((metric, set));
        }
        Some(Published { metrics: published })
    }

    /// Writes the values into the host's registry.
    pub fn publish(&self, metrics: &Metrics, unix_nanos: u64) {
        let Some(published) = self.published.get() else { return };
        let labels: [*const c_char; 1] = [self.name.as_ptr()];
        for ((metric, set), value) in published.metrics.iter().zip(metrics.values()) {
            if !metric.is_null() {
                #[expect(clippy::cast_precision_loss, reason = "the host keeps doubles")]
                let value = value as f64;
                // SAFETY: the metric was made in this registry with one label; the host copies the label.
                unsafe { set(*metric, unix_nanos, value, 1, labels.as_ptr()) };
            }
        }
    }
}
