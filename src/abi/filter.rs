//! The exported struct of the filter, and the life cycle of an instance.
//!
//! ```text
//! main thread     cb_pre_run                      before a reload, and in the dry run of 5.1.1
//! engine thread   cb_pre_run, cb_init … cb_exit   once per instance; for a processor of a threaded input
//!                                                 they start on the input's thread since 4.0.3
//! either thread   cb_filter                       one call per instance at a time; on the input's
//!                                                 coroutine of 24 KiB, if it has one
//! ```
//!
//! Output and filter share one image: `flb-filter_service_impact.so` is a link to it, because the host derives the
//! name of the struct from the name of the file.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::time::Instant;

use super::filter_host::FilterHost;
use super::guard::{block_signals, guarded, guarded_and_logged, silence_panics};
use super::layout::{EgFilterPlugin, FILTER_LOGS, FLB_FILTER_MODIFIED, FLB_FILTER_NOTOUCH};
use super::output::{contents, readable, writable};
use crate::clock;
use crate::config::{self, ConfigError, FilterSettings, Source, shown};
use crate::enrich::{Enricher, Impacts};
use crate::failpoint;
use crate::log::{HostLog, Level, Line};

/// cb_pre_run and cb_init return this to refuse the instance.
const REFUSED: c_int = -1;

/// The struct that the host copies when it opens `flb-filter_service_impact.so`.
#[unsafe(no_mangle)]
pub static filter_service_impact_plugin: EgFilterPlugin = EgFilterPlugin {
    event_type: FILTER_LOGS,
    flags: 0,
    name: c"service_impact".as_ptr(),
    description: c"Adds the affected Services to Kubernetes events, and drops repeated events".as_ptr(),
    config_map: ptr::null(),
    pre_run: Some(pre_run),
    init: Some(init),
    filter: Some(filter),
    exit: Some(exit),
    notification: ptr::null(),
    reserved: [0; 7],
};

struct Instance {
    host: FilterHost,
    enricher: Enricher,
    log: Arc<HostLog>,
    /// It outlives the cluster, because the cluster's threads may log while they end.
    cluster_log: Option<Arc<HostLog>>,
    started: Instant,
}

/// Checks the settings and does nothing else: the host may call neither cb_init nor cb_exit afterwards.
unsafe extern "C" fn pre_run(instance: *mut c_void, _: *mut c_void, _: *mut c_void) -> c_int {
    guarded(REFUSED, || {
        silence_panics();
        failpoint::hit("filter_pre_run");
        if instance.is_null() {
            return REFUSED;
        }
        // SAFETY: the host passes the instance that this callback is for.
        let host = unsafe { FilterHost::new(instance) };
        match settings(&host) {
            Ok(_) => 0,
            Err(errors) => refuse(&host, &HostLog::default(), errors),
        }
    })
}

unsafe extern "C" fn init(instance: *mut c_void, _: *mut c_void, _: *mut c_void) -> c_int {
    guarded(REFUSED, || {
        silence_panics();
        failpoint::hit("filter_init");
        if instance.is_null() {
            return REFUSED;
        }
        // SAFETY: the host passes the instance that it creates; it lives until cb_exit returns.
        let host = unsafe { FilterHost::new(instance) };
        let log = Arc::new(HostLog::default());
        let enricher = settings(&host).and_then(|(settings, shown)| {
            let impacts = Impacts::start(&settings.correlation, &log, block_signals)?;
            let enricher = Enricher::start(&settings, impacts, &log, block_signals)?;
            log.info("start", shown);
            Ok(enricher)
        });
        match enricher {
            Ok(enricher) => {
                let cluster_log = enricher.log_of_cluster();
                let started = clock::monotonic();
                hand_over(Box::new(Instance { host, enricher, log, cluster_log, started }))
            }
            Err(errors) => {
                for line in log.finish(clock::monotonic()) {
                    host.log(&line);
                }
                refuse(&host, &log, errors)
            }
        }
    })
}

/// Gives the instance to the host.
fn hand_over(instance: Box<Instance>) -> c_int {
    instance.write_log(HostLog::drain);
    let instance = Box::into_raw(instance);
    // SAFETY: the instance is valid: it was just created, and only cb_exit or the code below frees it.
    if unsafe { (*instance).host.set_context(instance.cast()) } {
        return 0;
    }
    // SAFETY: the host did not take it, so we still own it.
    drop(unsafe { Box::from_raw(instance) });
    REFUSED
}

/// The settings, and the log line that shows them.
fn settings(host: &FilterHost) -> Result<(FilterSettings, String), Vec<ConfigError>> {
    let source = Source {
        property: &|key| host.property(key),
        readable: &readable,
        contents: &contents,
        writable: &writable,
        environment: &|name| std::env::var(name).ok(),
    };
    let settings = config::read_filter(&source)?;
    let shown = shown::filter_line(&source, &settings);
    Ok((settings, shown))
}

fn refuse(host: &FilterHost, log: &HostLog, errors: Vec<ConfigError>) -> c_int {
    for error in errors {
        host.log(&Line { level: Level::Error, text: log.shown(error.to_string()) });
    }
    REFUSED
}

/// Processes one chunk and says whether it changed. It ignores `i_ins` and the config, which are opaque; in a
/// processor of an output, `i_ins` is not even an input.
unsafe extern "C" fn filter(
    data: *const c_void,
    length: usize,
    _: *const c_char,
    _: c_int,
    out: *mut *mut c_void,
    out_length: *mut usize,
    _: *mut c_void,
    _: *mut c_void,
    context: *mut c_void,
    _: *mut c_void,
) -> c_int {
    guarded(FLB_FILTER_NOTOUCH, || {
        // SAFETY: cb_init left an Instance there, and cb_exit has not run.
        let Some(instance) = (unsafe { context.cast::<Instance>().as_ref() }) else {
            return FLB_FILTER_NOTOUCH;
        };
        let panicked = "a chunk panicked; it passes unchanged";
        let changed = guarded_and_logged(&instance.log, panicked, None, || {
            failpoint::hit("filter");
            if data.is_null() || length == 0 || out.is_null() || out_length.is_null() {
                return None;
            }
            // SAFETY: the host's `length` bytes are valid until this function returns.
            let data = unsafe { slice::from_raw_parts(data.cast::<u8>(), length) };
            instance.enricher.chunk(data)
        });
        // The log is written only after the work, because the logger needs 8 KiB of the same stack.
        instance.write_log(HostLog::drain);
        let Some(changed) = changed else { return FLB_FILTER_NOTOUCH };
        let Some(buffer) = for_the_host(&changed) else { return FLB_FILTER_NOTOUCH };
        // SAFETY: both pointers are the host's and were checked above.
        unsafe {
            *out = buffer;
            *out_length = changed.len();
        }
        FLB_FILTER_MODIFIED
    })
}

/// A copy that the host releases with `free`; NULL if it is empty, because the host would leak any other pointer.
/// `None` if memory is exhausted.
fn for_the_host(bytes: &[u8]) -> Option<*mut c_void> {
    if bytes.is_empty() {
        return Some(ptr::null_mut());
    }
    // SAFETY: malloc accepts any size.
    let buffer = unsafe { libc::malloc(bytes.len()) };
    if buffer.is_null() {
        return None;
    }
    // SAFETY: the block is new and has this size.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast(), bytes.len()) };
    Some(buffer)
}

/// Ends one instance. When this returns, its file is closed and its thread has ended, unless the disk hangs.
unsafe extern "C" fn exit(context: *mut c_void, _: *mut c_void) -> c_int {
    guarded(0, || {
        if context.is_null() {
            return 0;
        }
        // SAFETY: cb_init created it with Box::into_raw, and the host calls this once for it.
        let instance = unsafe { Box::from_raw(context.cast::<Instance>()) };
        failpoint::hit("filter_exit");
        let Instance { host, enricher, log, cluster_log, started } = *instance;
        let (counts, ran) = (enricher.counts(), clock::monotonic().saturating_duration_since(started));
        // Its threads may log while they end.
        drop(enricher);
        log.info("exit", format!("{counts} (ran for {} s)", ran.as_secs()));
        write_logs(&host, cluster_log.as_ref(), &log, HostLog::finish);
        0
    })
}

impl Instance {
    #[inline(never)]
    fn write_log(&self, take: Take) {
        write_logs(&self.host, self.cluster_log.as_ref(), &self.log, take);
    }
}

/// How lines are taken out of a log: [`HostLog::drain`] or [`HostLog::finish`].
type Take = fn(&HostLog, Instant) -> Vec<Line>;

fn write_logs(host: &FilterHost, of_cluster: Option<&Arc<HostLog>>, own: &Arc<HostLog>, take: Take) {
    for log in of_cluster.into_iter().chain([own]) {
        for line in take(log, clock::monotonic()) {
            host.log(&line);
        }
    }
}
