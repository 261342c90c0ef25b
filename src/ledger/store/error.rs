//! Why the file of the ledger cannot be used, and which of these an error of redb is.

use std::fmt;
use std::io;

use redb::{DatabaseError, StorageError};

use crate::disk::{is_refused, is_wrong_path};
use crate::ledger::unusable::Unusable;

/// Why the file cannot be used.
#[derive(Debug)]
pub enum StoreError {
    /// Another instance, in this process or another, has it open. A start refuses the setting; later the ledger tries again.
    InUse,
    /// It is no ledger, or a damaged one, or one of a newer version. The caller moves it aside and makes a new one.
    Unusable(Unusable),
    /// From the disk, its permissions, or a path that leads nowhere. If it may pass, the caller tries again later.
    Io(io::Error),
    /// From a sync: it is unknown what the file holds now, whatever it shows. The caller makes a new one.
    Unsynced(io::Error),
}

impl StoreError {
    pub(super) fn damaged(why: impl Into<String>) -> Self {
        Self::Unusable(Unusable::Damaged(why.into()))
    }

    /// Whether there is no such file, or no folder for it.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }

    /// Whether another instance uses the file, or another user put it there. It must stay where it is.
    #[must_use]
    pub fn is_anothers(&self) -> bool {
        match self {
            Self::InUse => true,
            Self::Io(error) => is_refused(error),
            Self::Unusable(_) | Self::Unsynced(_) => false,
        }
    }

    /// Whether the disk is to blame, which may recover, and not the path.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Io(error) => !is_wrong_path(error),
            Self::Unsynced(_) => true,
            Self::InUse | Self::Unusable(_) => false,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => {
                f.write_str("is in use by another instance; each instance needs a file of its own")
            }
            Self::Unusable(why) => why.fmt(f),
            Self::Io(why) | Self::Unsynced(why) => write!(f, "cannot be used ({why})"),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::DatabaseAlreadyOpen => Self::InUse,
            DatabaseError::Storage(error) => error.into(),
            other => Self::damaged(other.to_string()),
        }
    }
}

impl From<StorageError> for StoreError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Io(error)
                if !matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                Self::Io(error)
            }
            other => Self::damaged(other.to_string()),
        }
    }
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => StorageError::Io(error).into(),
            redb::Error::PreviousIo => Self::Io(io::Error::other("an earlier write failed")),
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            other => Self::damaged(other.to_string()),
        }
    }
}
