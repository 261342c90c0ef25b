//! Names, folders and syncs of the ledger's file: what has to be minded below the database.
//!
//! A name is on the disk only when its folder was synced. And after a sync that failed nobody knows what is on
//! the disk: the kernel says so once, takes the pages for written, and shows them as if they were.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend};

use super::rules::RULES;
use crate::time::Stamp;

/// Links that are followed by hand; more are a loop.
const MAX_LINKS: usize = 16;

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Of the file that has this name now.
    ///
    /// # Errors
    /// When there is none, or nobody may look.
    pub fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::of(&metadata))
    }

    #[must_use]
    pub fn of(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// An open file.
pub struct Disk {
    file: FileBackend,
    id: FileId,
    sync_failed: Arc<AtomicBool>,
}

impl Disk {
    /// Opens a file for reading and writing, or makes an empty one where there is none and `makes` is set.
    ///
    /// # Errors
    /// From the system, and for what is no regular file: opening a pipe would wait for ever.
    pub fn open(path: &Path, makes: bool) -> Result<Self, DatabaseError> {
        if let Ok(metadata) = fs::metadata(path)
            && !metadata.is_file()
        {
            let what = if metadata.is_dir() { "it is a directory" } else { "it is no regular file" };
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what).into());
        }
        let file = File::options().read(true).write(true).create(makes).truncate(false).open(path)?;
        let id = FileId::of(&file.metadata()?);
        Ok(Self { file: FileBackend::new(file)?, id, sync_failed: Arc::default() })
    }

    pub fn id(&self) -> FileId {
        self.id
    }

    /// Becomes true with the first sync that fails.
    pub fn sync_failed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.sync_failed)
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

type Border = Bound<u64>;

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let synced = self.file.sync_data();
        if synced.is_err() {
            self.sync_failed.store(true, Ordering::Relaxed);
        }
        synced
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Border, end: Border) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Border, end: Border) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Border, end: Border) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Border, end: Border) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Border, end: Border) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Border, end: Border) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

/// The file's own path, behind links; also where the last of them points to nothing yet.
#[must_use]
pub fn behind_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        path = match path.parent() {
            Some(folder) => folder.join(target),
            None => target,
        };
    }
    path
}

/// The path with something behind its name.
#[must_use]
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Why a file cannot be used as it is, and never will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// It is no ledger, or one that was damaged.
    Damaged(String),
    /// A newer version of this plugin wrote it, by these identity rules.
    Newer { rules: u32 },
}

impl Unusable {
    fn suffix(&self) -> &'static str {
        match self {
            Self::Damaged(_) => ".damaged",
            Self::Newer { .. } => ".newer",
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(why) => write!(f, "is damaged ({why})"),
            Self::Newer { rules } => write!(
                f,
                "was written by a newer version of this plugin (identity rules {rules}; this version knows {RULES})"
            ),
        }
    }
}

/// A file that was moved out of the way. Shown it reads: is damaged (…) and was moved to …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedAside {
    pub to: PathBuf,
    pub why: Unusable,
}

impl MovedAside {
    /// What a person can do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self.why {
            Unusable::Damaged(_) => "look at the disk",
            Unusable::Newer { .. } => "put it back when the newer version runs again",
        }
    }
}

impl fmt::Display for MovedAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and was moved to {}", self.why, self.to.display())
    }
}

/// Moves a file to `<file>.damaged-<time>` or `<file>.newer-<time>`.
///
/// # Errors
/// When it cannot be; text for a person.
pub fn move_aside(path: &Path, why: Unusable, now_seconds: u64) -> Result<MovedAside, String> {
    let time = Stamp::from_unix_seconds(now_seconds)
        .map_or_else(|| now_seconds.to_string(), |at| at.to_string().replace([':', '-'], ""));
    let to = with_suffix(path, &format!("{}-{time}", why.suffix()));
    match fs::rename(path, &to) {
        Ok(()) => Ok(MovedAside { to, why }),
        Err(error) => Err(format!("{} {why} and cannot be moved aside ({error})", path.display())),
    }
}

/// Has the name of a file written down for good.
///
/// # Errors
/// When the disk cannot. File systems that offer no such thing, and folders that may be entered but not read,
/// are passed over.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if !is_not_offered(&error) => Err(error),
        _ => Ok(()),
    }
}

fn is_not_offered(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported)
}

/// Whether it is the path that is wrong, which a person wrote, and not the disk, which comes and goes: full,
/// read-only, broken, forbidden, too many open files.
#[must_use]
pub fn is_wrong_path(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | IsADirectory | InvalidInput | InvalidFilename)
}
