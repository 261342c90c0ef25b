//! Opens files that the plugin only reads: tokens, certificates, templates.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a regular file and follows symlinks. Never waits for the other end of a FIFO.
///
/// # Errors
/// System errors, and an error if it is not a regular file.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    let no_file = || io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
    // Opening a device may have an effect.
    if !fs::metadata(path)?.is_file() {
        return Err(no_file());
    }
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    // It may have been replaced since the check.
    if file.metadata()?.is_file() { Ok(file) } else { Err(no_file()) }
}

/// Reads a whole file.
///
/// # Errors
/// As [`open_to_read`], and an error if the file is larger than `most_bytes`.
pub fn read(path: &Path, most_bytes: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open_to_read(path)?.take(most_bytes.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > most_bytes {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {most_bytes} bytes"),
        ));
    }
    Ok(content)
}
