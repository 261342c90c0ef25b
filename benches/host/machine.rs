//! The machine on which it was measured.

use std::fs;
use std::process::Command;

use crate::support::fluent_bit::FluentBit;

pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub kernel: String,
    pub fluent_bit: String,
}

impl Machine {
    pub fn with(host: &FluentBit) -> Self {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpus.lines().find(|line| line.starts_with("model name"));
        let model =
            model.and_then(|line| line.split_once(": ")).map_or(std::env::consts::ARCH, |(_, cpu)| cpu);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        // The allocator influences the figures; the official images have jemalloc.
        let help = Command::new(&host.path).arg("--help").output();
        let jemalloc =
            help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("FLB_HAVE_JEMALLOC"));
        let (major, minor, patch) = host.version;
        let allocator = if jemalloc { "jemalloc" } else { "the system's malloc" };
        Machine {
            cpu: model.trim().to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            // The suffix of a distribution or a cloud says nothing about speed.
            kernel: kernel.trim().split('-').next().unwrap_or_default().to_owned(),
            fluent_bit: format!("Fluent Bit {major}.{minor}.{patch} with {allocator}"),
        }
    }

    /// One line.
    pub fn text(&self) -> String {
        format!("{}, {}, {} cores, Linux {}", self.fluent_bit, self.cpu, self.cores, self.kernel)
    }
}
