//! The exported struct of the filter, and the life of an instance.
//!
//! ```text
//! main thread     cb_pre_run                      before a reload, and in the dry run of 5.1.1
//! engine thread   cb_pre_run, cb_init … cb_exit   once an instance; those of a processor of a threaded
//!                                                 input begin on the input's thread since 4.0.3
//! any of both     cb_filter                       one call of an instance at a time; on the input's
//!                                                 coroutine of 24 KiB, if it has one
//! ```
//!
//! The image is the output's: `flb-filter_service_impact.so` is a link to it, as the host finds the struct
//! by the name of the file.

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

/// What cb_pre_run and cb_init answer to be refused.
const REFUSED: c_int = -1;

/// What the host copies when it opens `flb-filter_service_impact.so`.
#[unsafe(no_mangle)]
pub static filter_service_impact_plugin: EgFilterPlugin = EgFilterPlugin {
    event_type: FILTER_LOGS,
    flags: 0,
    name: c"service_impact".as_ptr(),
    description: c"Adds to Kubernetes events which Services they touch, and drops repetitions".as_ptr(),
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
    /// It outlives the cluster: the end of the cluster's threads may have something to say.
    cluster_log: Option<Arc<HostLog>>,
    started: Instant,
}

/// Checks the settings and does nothing else: no cb_init need follow, nor any cb_exit.
unsafe extern "C" fn pre_run(instance: *mut c_void, _: *mut c_void, _: *mut c_void) -> c_int {
    guarded(REFUSED, || {
        silence_panics();
        failpoint::hit("filter_pre_run");
        if instance.is_null() {
            return REFUSED;
        }
        // SAFETY: the instance of this very callback.
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
        // SAFETY: the instance that is being made; it lives until cb_exit returns.
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
                run(Box::new(Instance { host, enricher, log, cluster_log, started }))
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
fn run(instance: Box<Instance>) -> c_int {
    instance.tell_log(HostLog::drain);
    let instance = Box::into_raw(instance);
    // SAFETY: the instance is there: it was just made, and only cb_exit, or we below, free it.
    if unsafe { (*instance).host.set_context(instance.cast()) } {
        return 0;
    }
    // SAFETY: the host has not taken it, so it is still ours alone.
    drop(unsafe { Box::from_raw(instance) });
    REFUSED
}

/// The settings, and the line that shows them.
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

/// Answers what becomes of a chunk. `i_ins` and the config are opaque, and not looked at: as a processor of
/// an output, the former is not even an input.
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
        let panicked = "a chunk panicked; it goes on as it came";
        let changed = guarded_and_logged(&instance.log, panicked, None, || {
            failpoint::hit("filter");
            if data.is_null() || length == 0 || out.is_null() || out_length.is_null() {
                return None;
            }
            // SAFETY: the host's bytes, `length` of them, until we return.
            let data = unsafe { slice::from_raw_parts(data.cast::<u8>(), length) };
            instance.enricher.chunk(data)
        });
        // Not until the work is done: the logger takes 8 KiB of stack, and so must not stand on top of it.
        instance.tell_log(HostLog::drain);
        let Some(changed) = changed else { return FLB_FILTER_NOTOUCH };
        let Some(buffer) = for_the_host(&changed) else { return FLB_FILTER_NOTOUCH };
        // SAFETY: the host's places for both, checked above.
        unsafe {
            *out = buffer;
            *out_length = changed.len();
        }
        FLB_FILTER_MODIFIED
    })
}

/// A copy that the host frees by `free`: NULL for nothing, as the host would forget any other pointer.
/// `None`: there is no memory.
fn for_the_host(bytes: &[u8]) -> Option<*mut c_void> {
    if bytes.is_empty() {
        return Some(ptr::null_mut());
    }
    // SAFETY: malloc takes any size.
    let buffer = unsafe { libc::malloc(bytes.len()) };
    if buffer.is_null() {
        return None;
    }
    // SAFETY: a fresh block of this size.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast(), bytes.len()) };
    Some(buffer)
}

/// Ends one instance: when this returns its file is closed and its thread has ended, unless the disk hangs.
unsafe extern "C" fn exit(context: *mut c_void, _: *mut c_void) -> c_int {
    guarded(0, || {
        if context.is_null() {
            return 0;
        }
        // SAFETY: cb_init made it by Box::into_raw, and the host calls this once for it.
        let instance = unsafe { Box::from_raw(context.cast::<Instance>()) };
        failpoint::hit("filter_exit");
        let Instance { host, enricher, log, cluster_log, started } = *instance;
        let (counts, ran) = (enricher.counts(), clock::monotonic().saturating_duration_since(started));
        // Its threads may have something to say about their end.
        drop(enricher);
        log.info("exit", format!("{counts} (ran for {} s)", ran.as_secs()));
        tell(&host, cluster_log.as_ref(), &log, HostLog::finish);
        0
    })
}

impl Instance {
    #[inline(never)]
    fn tell_log(&self, take: Take) {
        tell(&self.host, self.cluster_log.as_ref(), &self.log, take);
    }
}

/// How lines are taken out of a log: [`HostLog::drain`] or [`HostLog::finish`].
type Take = fn(&HostLog, Instant) -> Vec<Line>;

fn tell(host: &FilterHost, of_cluster: Option<&Arc<HostLog>>, own: &Arc<HostLog>, take: Take) {
    for log in of_cluster.into_iter().chain([own]) {
        for line in take(log, clock::monotonic()) {
            host.log(&line);
        }
    }
}
