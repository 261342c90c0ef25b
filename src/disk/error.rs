//! Why the plugin refuses to use a file, and what to do about it.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The reason why the plugin does not use what it found at the path of a file that it writes. Its text says what it is
/// and what to do. The caller leaves the file as it is and reports the text: `NotRegular` as an error of the key if it is
/// found at the start, everything else as an ERROR in the log, and tries again later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    /// It is a symlink.
    Symlink,
    /// It is a folder, a FIFO, a socket or a device.
    NotRegular {
        /// With its article, such as `a FIFO`.
        what: &'static str,
    },
    /// The file has other names, under which everything written to it appears as well.
    HardLinks {
        /// At least 2.
        links: u64,
    },
    /// The file belongs to another user.
    Owner {
        /// Its owner.
        uid: u32,
        /// The effective user id of the plugin.
        ours: u32,
    },
    /// The file system gave a file that we just created to another user.
    OwnerGiven {
        /// The owner that it got.
        uid: u32,
        /// The effective user id of the plugin.
        ours: u32,
    },
    /// Other users may read or write it, and their rights cannot be removed.
    TooOpen {
        /// The mode as found, shown in octal.
        mode: u32,
        /// Why it stays so: the system's error.
        why: String,
    },
    /// The refused file is at a path beside the one that was set, under which the file is first written.
    Beside {
        /// The other path.
        path: PathBuf,
        /// Why the file there is not used.
        refused: Box<FileError>,
    },
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symlink => f.write_str(
                "it is a symlink, and the plugin does not follow symlinks to files that it writes: remove it, or set \
                 the path that it leads to",
            ),
            Self::NotRegular { what } => {
                write!(f, "it is {what} and not a regular file: remove it, or set another path")
            }
            Self::HardLinks { links } => write!(
                f,
                "it has {links} hard links, so it also appears under another path: remove the others, or move it away"
            ),
            Self::Owner { uid, ours } => write!(
                f,
                "it belongs to user {uid}, and the plugin runs as {ours}: if it is a file of this plugin, chown it to \
                 {ours}; otherwise remove it"
            ),
            Self::OwnerGiven { uid, ours } => write!(
                f,
                "its file system gives new files to user {uid}, and the plugin runs as {ours}: mount it with \
                 uid={ours}, or run as {uid}"
            ),
            Self::TooOpen { mode, why } => write!(
                f,
                "other users may use it (mode {mode:04o}), and the plugin cannot change that ({why}): chmod it to \
                 0600, or mount its file system with file_mode=0600"
            ),
            Self::Beside { path, refused } => write!(f, "beside it is {}: {refused}", path.display()),
        }
    }
}

impl Error for FileError {}

impl From<FileError> for io::Error {
    /// Only `NotRegular` is an error of the path. The others are about permissions, which a person may change while the
    /// plugin runs.
    fn from(refused: FileError) -> Self {
        let kind = match refused {
            FileError::NotRegular { .. } => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::PermissionDenied,
        };
        Self::new(kind, refused)
    }
}

/// The same error with the path it is about, for a path other than the one that was set.
#[must_use]
pub fn beside(path: &Path, error: io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<FileError>()) {
        Some(refused) => {
            FileError::Beside { path: path.to_owned(), refused: Box::new(refused.clone()) }.into()
        }
        None => error,
    }
}

/// Whether an error is a [`FileError`]: a file that is not ours is at the path and must stay as it is.
#[must_use]
pub fn is_refused(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<FileError>())
}
