//! Where things lie: the repository, and cargo's folder for what tests write.

use std::fs;
use std::path::{Path, PathBuf};

#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the repository")
}

/// Cargo names it to test programs alone (`CARGO_TARGET_TMPDIR`), when they are compiled: it lies beside the folder of the
/// profile, in which the running program lies.
#[must_use]
pub fn temporary() -> PathBuf {
    let program = std::env::current_exe().expect("the path of this program");
    let target = program.ancestors().nth(3).expect("a program in target/PROFILE/deps");
    let folder = target.join("tmp");
    fs::create_dir_all(&folder).expect("cargo's folder for tests");
    folder
}
