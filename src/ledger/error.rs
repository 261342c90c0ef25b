//! Why the ledger's file was not read or written.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::store::StoreError;
use super::unusable::{MovedAside, Unusable};

/// Shown after `state_file: ` in a log line, or as the problem of the setting. Whatever the error, the ledger goes on in
/// memory, and the caller of a commit has nothing to undo; the caller of an intent must not send.
#[derive(Debug)]
pub enum LedgerError {
    /// The file cannot be opened or written. At a start this is a wrong setting, unless it may pass; later the ledger
    /// tries again after a pause, and the caller logs it.
    Store {
        /// The path in `state_file`.
        path: PathBuf,
        /// What the system or the database reports.
        error: StoreError,
    },
    /// A start cannot even read the file. The ledger leaves it as it is and tries again; the caller logs it.
    Unreadable {
        /// The path in `state_file`.
        path: PathBuf,
        /// Why it cannot be opened; reading it failed as well.
        error: StoreError,
    },
    /// A start could not read the file, and it was not read since. Nothing takes its place; the caller waits.
    NotReadYet {
        /// The path in `state_file`.
        path: PathBuf,
    },
    /// A damaged or newer file was moved aside. The ledger makes a new one; the caller logs where the old one is.
    MovedAside {
        /// The path in `state_file`, where the new file will be.
        path: PathBuf,
        /// Where the old one is now, and why.
        moved: MovedAside,
    },
    /// Such a file cannot be moved aside. The ledger tries again; the caller logs it.
    NotMovedAside {
        /// The path in `state_file`.
        path: PathBuf,
        /// Why it cannot be used.
        why: Unusable,
        /// Why it cannot be moved.
        error: io::Error,
    },
    /// The open file was removed or replaced. The ledger makes a new one at once; the caller logs it.
    Taken {
        /// The path in `state_file`.
        path: PathBuf,
        /// Whether another file has the name now; otherwise none has.
        is_replaced: bool,
    },
    /// The file is another one than before the pause. The ledger makes a new one; the caller logs it.
    Exchanged {
        /// The path in `state_file`.
        path: PathBuf,
    },
    /// A write failed a moment ago, and the file is left alone for some seconds. The caller waits.
    Paused {
        /// The path in `state_file`.
        path: PathBuf,
    },
    /// More records are in doubt than the ledger remembers. The caller waits until some are dead-lettered.
    TooManyInDoubt {
        /// How many are in doubt.
        records: usize,
    },
    /// There is no file to write an intent to. The settings allow that only where no intents are made.
    NoFile,
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store { path, error } => write!(f, "{} {error}", path.display()),
            Self::Unreadable { path, error } => write!(f, "{} {error}, nor can it be read", path.display()),
            Self::NotReadYet { path } => {
                write!(f, "{} could not be read at the start, nor since", path.display())
            }
            Self::MovedAside { path, moved } => {
                write!(f, "{} {moved}; it is made anew soon", path.display())
            }
            Self::NotMovedAside { path, why, error } => {
                write!(f, "{} {why} and cannot be moved aside ({error})", path.display())
            }
            Self::Taken { path, is_replaced } => {
                let what = if *is_replaced { "replaced" } else { "removed" };
                write!(f, "{} was {what} while it was in use; it is made anew at once", path.display())
            }
            Self::Exchanged { path } => {
                write!(f, "{} is not the file it was; it is made anew soon", path.display())
            }
            Self::Paused { path } => {
                write!(f, "{} could not be written, and is soon tried again", path.display())
            }
            Self::TooManyInDoubt { records } => write!(f, "{records} records wait to be dead-lettered"),
            Self::NoFile => f.write_str("there is no file"),
        }
    }
}

impl std::error::Error for LedgerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotMovedAside { error, .. } => Some(error),
            _ => None,
        }
    }
}
