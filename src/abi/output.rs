//! The exported functions of the output, and the life cycle of an instance.
//!
//! ```text
//! main thread     FLBPluginRegister                    once per image, and once more at each hot reload
//! engine thread   FLBPluginInit … FlushCtx … ExitCtx   once per instance; ExitCtx(NULL) also without an Init
//! ```
//!
//! All state belongs to an instance, because a hot reload registers the same image again while the old instances
//! still work.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fs;
use std::io;
use std::path::Path;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Instant, UNIX_EPOCH};

use super::config_map;
use super::guard::{block_signals, guarded, guarded_and_logged, silence_panics};
use super::host::Host;
use super::layout::{
    EgDefinition, EgDefinitionWithMap, EgEvent, EgOutputPlugin, FLB_OK, FLB_RETRY, OUTPUT_PLUGIN,
    PROXY_GOLANG,
};
use super::version;
use super::wait::{WaitMode, WaitingRoom};
use crate::clock;
use crate::cluster::Cluster;
use crate::config::{self, PathError, Source, shown};
use crate::disk::{self, Access, is_wrong_path};
use crate::failpoint;
use crate::job::HostResult;
use crate::log::{HostLog, Level, Line};
use crate::metrics::Metrics;
use crate::worker::Worker;

/// Register and Init return this if they fail.
const REFUSED: c_int = -1;
/// Init returns this if the instance runs: the host accepts any value above zero.
const STARTED: c_int = 1;
/// The timer publishes the metrics at every tenth tick: once a second.
const TICKS_A_PUBLICATION: u32 = 10;

struct Instance {
    host: Host,
    waiting_room: WaitingRoom,
    worker: Worker,
    metrics: Arc<Metrics>,
    log: Arc<HostLog>,
    /// It outlives the cluster, because the cluster's threads may log while they end.
    cluster_log: Option<Arc<HostLog>>,
    started: Instant,
    ticks: AtomicU32,
    warned_of_blocking: AtomicBool,
}

/// Describes the plugin to the host.
///
/// # Safety
/// The host must pass a `struct flb_plugin_proxy_def` of its own version.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FLBPluginRegister(definition: *mut EgDefinition) -> c_int {
    guarded(REFUSED, || {
        silence_panics();
        failpoint::hit("register");
        if definition.is_null() {
            return REFUSED;
        }
        let ours = EgDefinition {
            kind: OUTPUT_PLUGIN,
            proxy: PROXY_GOLANG,
            flags: 0,
            name: c"event_gateway".as_ptr(),
            description: c"Delivers Kubernetes events to an event gateway, once and acknowledged".as_ptr(),
        };
        // SAFETY: every host's struct starts with these fields; static strings outlive it.
        unsafe { definition.write(ours) };
        if version::takes_config_map() {
            // SAFETY: a host of this version has the longer struct; the table lives as long as the process.
            unsafe { (*definition.cast::<EgDefinitionWithMap>()).config_map = config_map::entries() };
        }
        0
    })
}

/// Starts one instance. Returns a value above zero if it runs.
///
/// # Safety
/// The host must call it on its engine thread, with the struct that it filled for this instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FLBPluginInit(plugin: *mut EgOutputPlugin) -> c_int {
    guarded(REFUSED, || {
        failpoint::hit("init");
        // SAFETY: the host's struct is valid during Init; its fields are copied out.
        let Some(plugin) = (unsafe { plugin.as_ref() }) else { return REFUSED };
        if plugin.api.is_null() || plugin.context.is_null() {
            return REFUSED;
        }
        // SAFETY: both handles belong to the instance that the host creates.
        let host = unsafe { Host::new(plugin.api, plugin.instance) };
        let Some(instance) = start(host) else { return REFUSED };
        let instance = Box::into_raw(instance);
        // SAFETY: the instance lives until ExitCtx frees it, which ends the timer first; `context` is where the host
        // keeps the pointer for FlushCtx and ExitCtx.
        unsafe {
            if !(*instance).waiting_room.open(tick, woken, instance.cast()) {
                (*instance).log.warn(
                    "flush blocks",
                    "this host lacks functions that a flush needs to wait; each delivery will block the host's engine; \
                     nothing is lost; use Fluent Bit 2.2 or later",
                );
                // Without a timer nothing else would write the line.
                (*instance).write_log(HostLog::drain);
            }
            *plugin.context = instance.cast();
        }
        STARTED
    })
}

fn start(host: Host) -> Option<Box<Instance>> {
    let log = Arc::new(HostLog::default());
    let metrics = Arc::new(Metrics::default());
    let source = Source {
        property: &|key| host.property(key),
        readable: &readable,
        contents: &contents,
        writable: &writable,
        environment: &|name| std::env::var(name).ok(),
    };
    let worker = config::read(&source).and_then(|settings| {
        let worker = Worker::start(&settings, &metrics, &log, block_signals)?;
        Ok((settings, worker))
    });
    if let Ok((settings, _)) = &worker {
        metrics.set_time(clock::unix_seconds(clock::wall()));
        host.create_metrics(&metrics);
        log.info("start", shown::output_line(&source, settings));
    }
    let worker = match worker {
        Ok((_, worker)) => worker,
        Err(errors) => {
            for line in log.finish(clock::monotonic()) {
                host.log(&line);
            }
            for error in errors {
                host.log(&Line { level: Level::Error, text: log.shown(error.to_string()) });
            }
            return None;
        }
    };
    let instance = Box::new(Instance {
        host,
        waiting_room: WaitingRoom::new(),
        cluster_log: worker.cluster().map(Cluster::log),
        worker,
        metrics,
        log,
        started: clock::monotonic(),
        ticks: AtomicU32::new(0),
        warned_of_blocking: AtomicBool::new(false),
    });
    instance.write_log(HostLog::drain);
    Some(instance)
}

/// Whether a file can be opened for reading. It is not read, because the path may be a pipe that blocks or never ends.
pub(super) fn readable(path: &Path) -> Result<(), PathError> {
    disk::open_to_read(path).map(drop).map_err(PathError::Io)
}

/// Reads a whole file, up to a size that no person writes by hand.
pub(super) fn contents(path: &Path) -> Result<String, PathError> {
    const MOST_BYTES: u64 = 1 << 20;
    let bytes = disk::read(path, MOST_BYTES).map_err(PathError::Io)?;
    String::from_utf8(bytes).map_err(|_| PathError::NotUtf8)
}

/// Whether a file can exist at this path; it does not create one. A disk that is full, read-only, broken or forbidden
/// is accepted, because such a state may pass, and the code that opens the file logs it. A file of another owner is
/// accepted too, because a person may remove it.
pub(super) fn writable(path: &Path) -> Result<(), PathError> {
    let passing = |error: io::Error| if is_wrong_path(&error) { Err(error) } else { Ok(()) };
    match fs::symlink_metadata(path) {
        Ok(_) => disk::existing(path, Access::Append).map_or_else(passing, |_| Ok(())).map_err(PathError::Io),
        Err(_) => match fs::metadata(disk::folder_of(path)) {
            Ok(metadata) if metadata.is_dir() => Ok(()),
            Ok(_) => Err(PathError::NotInAFolder),
            Err(error) => passing(error).map_err(PathError::Folder),
        },
    }
}

/// Takes a chunk and returns when its host result is known. It runs on a coroutine of 24 KiB, so it only copies,
/// enqueues and waits.
///
/// # Safety
/// The host must pass the pointer that Init stored, `length` bytes and a C string; all are valid until this returns
/// or the host abandons the coroutine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FLBPluginFlushCtx(
    context: *mut c_void,
    data: *const c_void,
    length: usize,
    tag: *const c_char,
) -> c_int {
    guarded(FLB_RETRY, || {
        // SAFETY: Init left an Instance there, and ExitCtx has not run.
        let Some(instance) = (unsafe { context.cast::<Instance>().as_ref() }) else { return FLB_RETRY };
        let panicked = "taking a chunk panicked; it is retried";
        guarded_and_logged(&instance.log, panicked, FLB_RETRY, || {
            failpoint::hit("flush");
            if data.is_null() || length == 0 {
                return FLB_OK;
            }
            // SAFETY: the host's `length` bytes are valid, and they are copied before this function waits.
            let data = unsafe { slice::from_raw_parts(data.cast::<u8>(), length) };
            // SAFETY: the host passes a C string, which is copied as well.
            let tag = if tag.is_null() { b"" } else { unsafe { CStr::from_ptr(tag) }.to_bytes() };
            let wake = instance.waiting_room.wake();
            let Some(pending) = instance.worker.enqueue(tag, data, wake) else { return FLB_RETRY };
            instance.warn_of_blocking();
            match instance.waiting_room.wait(pending) {
                HostResult::Ok => FLB_OK,
                HostResult::Retry => FLB_RETRY,
            }
        })
    })
}

/// Ends one instance. When this returns, its thread has ended and its files are closed.
///
/// # Safety
/// The host must call it on the engine thread, with the pointer that Init stored, or with NULL if there was no Init
/// (`--dry-run`, a refused reload).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FLBPluginExitCtx(context: *mut c_void) -> c_int {
    guarded(FLB_OK, || {
        if context.is_null() {
            return FLB_OK;
        }
        // SAFETY: Init created it with Box::into_raw, and the host calls this once for it. Coroutines that still hold
        // a reference are never resumed.
        let mut instance = unsafe { Box::from_raw(context.cast::<Instance>()) };
        instance.waiting_room.close();
        failpoint::hit("exit");
        instance.worker.stop();
        let ran = clock::monotonic().saturating_duration_since(instance.started);
        instance.log.info("exit", format!("{} (ran for {} s)", instance.metrics.totals(), ran.as_secs()));
        instance.publish_metrics();
        instance.write_log(HostLog::finish);
        FLB_OK
    })
}

/// The engine's timer calls this: it writes logs and metrics, and resumes the finished flushes on a host where no
/// waker could be registered.
unsafe extern "C" fn tick(_: *mut c_void, data: *mut c_void) {
    guarded((), || {
        // SAFETY: `data` is the Instance that started the timer; ExitCtx ends the timer before it frees it.
        let Some(instance) = (unsafe { data.cast::<Instance>().as_ref() }) else { return };
        let panicked = "the engine's timer panicked; it runs again at the next tick";
        guarded_and_logged(&instance.log, panicked, (), || {
            failpoint::hit("tick");
            // This comes first, so that a failure below does not keep a flush waiting.
            instance.waiting_room.resume_finished();
            let ticks = instance.ticks.fetch_add(1, Relaxed);
            if ticks.is_multiple_of(TICKS_A_PUBLICATION) {
                instance.publish_metrics();
            }
            instance.write_log(HostLog::drain);
        });
    });
}

/// The waker calls this: it resumes the finished flushes.
unsafe extern "C" fn woken(event: *mut c_void) -> c_int {
    guarded(0, || {
        // SAFETY: Init registered the event with the Instance as its data; ExitCtx unregisters it before it frees
        // either.
        let instance = unsafe { (*event.cast::<EgEvent>()).data.cast::<Instance>().as_ref() };
        let Some(instance) = instance else { return 0 };
        let panicked = "the engine's waker panicked; its timer takes over";
        guarded_and_logged(&instance.log, panicked, 0, || {
            instance.waiting_room.clear_waker();
            failpoint::hit("woken");
            instance.waiting_room.resume_finished();
            0
        })
    })
}

impl Instance {
    fn write_log(&self, take: fn(&HostLog, Instant) -> Vec<Line>) {
        failpoint::hit("log");
        let now = clock::monotonic();
        for log in self.cluster_log.iter().chain([&self.log]) {
            for line in take(log, now) {
                self.host.log(&line);
            }
        }
    }

    fn publish_metrics(&self) {
        failpoint::hit("publish");
        if let Some(cluster) = self.worker.cluster() {
            cluster.publish(&self.metrics);
        }
        if let Some(verification) = self.worker.verification() {
            verification.publish(&self.metrics);
        }
        let now = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.metrics.set_time(now.as_secs());
        self.host.publish(&self.metrics, u64::try_from(now.as_nanos()).unwrap_or(u64::MAX));
    }

    fn warn_of_blocking(&self) {
        let is_blocking = self.waiting_room.mode() == WaitMode::BlockingWorker;
        if is_blocking && !self.warned_of_blocking.swap(true, Relaxed) {
            self.log.warn(
                "workers",
                "workers is set: each flush blocks a thread, grace is ignored and a hot reload may crash the host; \
                 nothing is lost; leave workers unset: this plugin delivers on its own thread without blocking",
            );
        }
    }
}
