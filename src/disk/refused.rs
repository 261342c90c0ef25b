//! Why a file is not used, and what a person does about it.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What lies at the path of a file that the plugin writes, and is not used. Its text says what it is and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// A symlink, wherever it leads.
    Symlink,
    /// A folder, a FIFO, a socket or a device.
    NoFile { what: &'static str },
    /// The file has other names: what is written to it shows under them, too.
    HardLinks { links: u64 },
    /// Another user's file.
    Owner { uid: u32, ours: u32 },
    /// The file system gave a file that we have just made to another user.
    OwnerGiven { uid: u32, ours: u32 },
    /// Others may read or write it, and their rights cannot be taken away.
    Wide { mode: u32, why: String },
    /// What lies at another path than the one that was set: one beside it, which the file is made under.
    Beside { path: PathBuf, refused: Box<Refused> },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symlink => f.write_str(
                "it is a symlink, and the plugin follows none to a file that it writes: remove it, or set the path \
                 that it leads to",
            ),
            Self::NoFile { what } => {
                write!(f, "it is {what} and no regular file: remove it, or set another path")
            }
            Self::HardLinks { links } => write!(
                f,
                "it has {links} hard links, so that it is a file of another path, too: remove the others, or move it \
                 away"
            ),
            Self::Owner { uid, ours } => write!(
                f,
                "it belongs to the user {uid}, and the plugin runs as {ours}: if it is a file of this plugin, chown it \
                 to {ours}; otherwise remove it"
            ),
            Self::OwnerGiven { uid, ours } => write!(
                f,
                "its file system gives new files to the user {uid}, and the plugin runs as {ours}: mount it with \
                 uid={ours}, or run as {uid}"
            ),
            Self::Wide { mode, why } => write!(
                f,
                "others may use it (mode {mode:04o}), and the plugin cannot take that away ({why}): chmod it to 0600, \
                 or mount its file system with file_mode=0600"
            ),
            Self::Beside { path, refused } => write!(f, "beside it is {}: {refused}", path.display()),
        }
    }
}

impl Error for Refused {}

impl From<Refused> for io::Error {
    /// Only what can be no file is an error of the path. The rest is a matter of rights, which a person may change
    /// while the plugin runs.
    fn from(refused: Refused) -> Self {
        let kind = match refused {
            Refused::NoFile { .. } => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::PermissionDenied,
        };
        Self::new(kind, refused)
    }
}

/// The same error, saying at which path, where that is not the one that was set.
#[must_use]
pub fn beside(path: &Path, error: io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Refused>()) {
        Some(refused) => Refused::Beside { path: path.to_owned(), refused: Box::new(refused.clone()) }.into(),
        None => error,
    }
}

/// Whether an error says that something foreign lies at the path, which must be left alone.
#[must_use]
pub fn is_refused(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Refused>())
}
