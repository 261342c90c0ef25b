//! The resources that another process has used, from the kernel's counters.

use std::time::Duration;

/// The processor time of all its threads since its start, in user and kernel mode. It is exact to the nanosecond, while
/// /proc counts in hundredths of a second.
#[allow(unsafe_code)]
pub fn cpu_time(pid: u32) -> Duration {
    let pid = i32::try_from(pid).expect("a pid");
    let (mut clock, mut time) = (0, libc::timespec { tv_sec: 0, tv_nsec: 0 });
    // SAFETY: both calls write to the value they are given, which lives across them, and to nothing else.
    let known = unsafe {
        libc::clock_getcpuclockid(pid, &raw mut clock) == 0 && libc::clock_gettime(clock, &raw mut time) == 0
    };
    assert!(known, "process {pid} is gone");
    let seconds = u64::try_from(time.tv_sec).expect("a time");
    Duration::new(seconds, u32::try_from(time.tv_nsec).expect("less than a second"))
}

/// Memory in KiB: now, and at its peak.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub now_kib: u64,
    pub peak_kib: u64,
}

pub fn memory(pid: u32) -> Memory {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process");
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        number.unwrap_or_else(|| panic!("no {name} of process {pid}"))
    };
    Memory { now_kib: kib("VmRSS:"), peak_kib: kib("VmHWM:") }
}
