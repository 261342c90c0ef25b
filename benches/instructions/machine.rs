//! What the number of instructions depends on: the compiler, its target, and the vector instructions that the libraries
//! detect.

use std::env;
use std::process::{Command, ExitCode};

/// The argument that asks for the features.
pub const FLAG: &str = "--features";

/// One line for the head of the file.
pub fn text(features: &str) -> String {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(rustc).arg("-vV").output().expect("the compiler that built this");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let value = |key: &str| said.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("unknown");
    format!("rustc {}, {}, {features}", value("release: "), value("host: "))
}

/// Prints the features by which zlib-rs, memchr and the C library choose their code.
pub fn print_features() -> ExitCode {
    let there = features().into_iter().filter(|(_, there)| *there).map(|(name, _)| name);
    println!("{}", there.collect::<Vec<_>>().join(" "));
    ExitCode::SUCCESS
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<(&'static str, bool)> {
    macro_rules! detected {
        ($($name:tt)*) => { vec![$(($name, is_x86_feature_detected!($name))),*] };
    }
    detected!("sse4.2" "pclmulqdq" "popcnt" "avx" "avx2" "bmi1" "bmi2" "avx512f" "avx512bw" "vpclmulqdq")
}

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<(&'static str, bool)> {
    macro_rules! detected {
        ($($name:tt)*) => { vec![$(($name, std::arch::is_aarch64_feature_detected!($name))),*] };
    }
    detected!("neon" "crc" "aes" "sve")
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<(&'static str, bool)> {
    Vec::new()
}
