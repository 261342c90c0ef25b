//! A full disk, as far as a process can tell.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// A host that may write no file beyond so many bytes: the call fails, as on a disk without room.
pub fn files_of_at_most(bytes: u64) -> impl FnOnce(&mut Command) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    move |command| {
        #[allow(unsafe_code)]
        // SAFETY: setrlimit and signal may be called after a fork.
        unsafe {
            command.pre_exec(move || {
                libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
                libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit);
                Ok(())
            });
        }
    }
}
