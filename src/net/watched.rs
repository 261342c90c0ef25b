//! A small file that is read again when it has changed.
//!
//! Kubernetes updates mounted secrets by replacing a symlink (`..data`); others write in place. The metadata, read
//! through symlinks, shows both. A check costs one `stat` per request.

use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::disk;

/// Tokens and certificate bundles are far smaller; the limit keeps a wrong path (a disk, a log) from filling the memory.
const LARGEST_BYTES: u64 = 4 << 20;

/// The metadata that shows whether a file has changed. It includes the change time, because `cp -p` keeps the
/// modification time, and a fixed permission does not change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileState {
    device: u64,
    inode: u64,
    len_bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<&Metadata> for FileState {
    fn from(of: &Metadata) -> Self {
        Self {
            device: of.dev(),
            inode: of.ino(),
            len_bytes: of.len(),
            modified: (of.mtime(), of.mtime_nsec()),
            changed: (of.ctime(), of.ctime_nsec()),
        }
    }
}

/// A path, and the state of its file when it was last read.
#[derive(Debug)]
pub struct WatchedFile {
    path: PathBuf,
    seen: Option<FileState>,
}

impl WatchedFile {
    /// Reads nothing yet. So an existing file has "changed".
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, seen: None }
    }

    /// As it was set; symlinks in it are not resolved.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file has changed since it was last read. A file that could not be read has not "changed" until its
    /// metadata is different, so the same problem is not logged at every request.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.state() != self.seen
    }

    fn state(&self) -> Option<FileState> {
        fs::metadata(&self.path).ok().as_ref().map(FileState::from)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// Says why it cannot be read, without its content.
    pub fn read(&mut self) -> Result<Vec<u8>, WatchedError> {
        // The state is taken before the content, so that a change in between is noticed later.
        self.seen = self.state();
        let failed = |error| WatchedError { path: self.path.clone(), error };
        disk::read(&self.path, LARGEST_BYTES).map_err(failed)
    }
}

/// A file cannot be read. At the start the setting is refused; later the caller keeps what it read before.
#[derive(Debug)]
pub struct WatchedError {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for WatchedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be read ({})", self.path.display(), self.error)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_way_to_change_a_file_shows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let mut file = WatchedFile::new(path.clone());
        assert!(!file.changed(), "missing, and never read");
        assert!(file.read().is_err());
        fs::write(&path, "one").unwrap();
        assert!(file.changed());
        assert_eq!(file.read().unwrap(), b"one");
        assert!(!file.changed());

        // In place, same length, and with the times set back.
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20)); // the kernel's clock for files ticks slowly
        fs::write(&path, "two").unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        assert!(file.changed());
        assert_eq!(file.read().unwrap(), b"two");

        fs::remove_file(&path).unwrap();
        assert!(file.changed());
        assert!(file.read().is_err());
        assert!(!file.changed(), "the same problem is logged once");
    }

    #[test]
    fn a_symlink_replaced_as_kubernetes_does_it_counts_as_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for version in ["1", "2"] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("token"), version).unwrap();
        }
        symlink("1", at("..data")).unwrap();
        symlink("..data/token", at("token")).unwrap();
        let mut file = WatchedFile::new(at("token"));
        assert_eq!(file.read().unwrap(), b"1");
        assert!(!file.changed());
        symlink("2", at("..new")).unwrap();
        fs::rename(at("..new"), at("..data")).unwrap();
        assert!(file.changed());
        assert_eq!(file.read().unwrap(), b"2");
    }

    #[test]
    fn neither_a_pipe_nor_a_disk_is_read() {
        for odd in ["/dev/zero", "/"] {
            let problem = WatchedFile::new(odd.into()).read().unwrap_err().to_string();
            assert!(problem.contains("not a regular file"), "{problem}");
        }
        let large = tempfile::NamedTempFile::new().unwrap();
        large.as_file().set_len(LARGEST_BYTES + 1).unwrap();
        assert!(WatchedFile::new(large.path().into()).read().unwrap_err().to_string().contains("larger"));
    }
}
