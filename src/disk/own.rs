//! Opens files that the plugin writes.
//!
//! The checks are made on the open file, so that nobody can replace it afterwards. The check by name before that only
//! avoids opening devices, because opening one may have an effect.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::FileError;

/// Does not wait for the other end of a FIFO, and does not follow a symlink. std adds `O_CLOEXEC`.
const CAREFULLY: i32 = libc::O_NOFOLLOW | libc::O_NONBLOCK;
/// The permission bits of a mode.
const RIGHTS: u32 = 0o777;
/// The rights of other users. The group keeps its rights, because with `fsGroup` the kubelet gives the pod's group the
/// owner's rights at every mount.
const OTHERS: u32 = 0o007;
const OWNER_ONLY: u32 = 0o600;
const OWNER_AND_READING_GROUP: u32 = 0o640;
/// How often opening is tried while someone else creates and removes the file.
const MOST_TRIES: usize = 3;

/// How the file is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads only, also from a file that is created empty.
    Read,
    /// Writes begin at the start of the file and do not truncate it.
    Write,
    /// As `Write`; the file can also be read.
    ReadWrite,
    /// Writes go to the end; the file can also be read.
    Append,
}

impl Access {
    fn options(self) -> OpenOptions {
        let mut options = OpenOptions::new();
        options.custom_flags(CAREFULLY);
        match self {
            Self::Read => options.read(true),
            Self::Write => options.write(true),
            Self::ReadWrite => options.read(true).write(true),
            Self::Append => options.read(true).append(true),
        };
        options
    }
}

/// Opens an existing file, and removes other users' rights to it.
///
/// # Errors
/// System errors, and [`FileError`] if it is not our file.
pub fn existing(path: &Path, access: Access) -> io::Result<File> {
    if let Ok(metadata) = fs::symlink_metadata(path) {
        is_regular(&metadata)?;
    }
    let file = access.options().open(path).map_err(|error| match error.raw_os_error() {
        // The symlink was created after the check. In a loop of symlinked folders the name does not exist.
        Some(libc::ELOOP) if fs::symlink_metadata(path).is_ok() => FileError::Symlink.into(),
        _ => error,
    })?;
    let metadata = file.metadata()?;
    is_ours(&metadata)?;
    if metadata.mode() & OTHERS != 0 {
        set_mode(&file, metadata.mode() & RIGHTS & !OTHERS)?;
    }
    Ok(file)
}

/// Opens an existing file, or creates an empty one, for its owner only.
///
/// # Errors
/// As [`existing`].
pub fn existing_or_new(path: &Path, access: Access) -> io::Result<File> {
    let mut last = None;
    for _ in 0..MOST_TRIES {
        match existing(path, access) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        match new(path, access) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = Some(error),
            made => return made,
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::AlreadyExists.into()))
}

/// Creates a file for its owner only, whatever the umask is.
///
/// # Errors
/// System errors, also if anything exists at the path, and [`FileError`] if the file system gives it other rights or
/// another owner; the new file is then removed.
pub fn new(path: &Path, access: Access) -> io::Result<File> {
    create(path, access, OWNER_ONLY, |file, mode| match mode & RIGHTS {
        OWNER_ONLY => Ok(()),
        _ => set_mode(file, OWNER_ONLY),
    })
}

/// Creates a file that the group may read, unless the umask forbids that. It is meant for another program.
///
/// # Errors
/// As [`new`].
pub fn new_for_group(path: &Path, access: Access) -> io::Result<File> {
    create(path, access, OWNER_AND_READING_GROUP, |file, mode| match mode & OTHERS {
        0 => Ok(()),
        _ => set_mode(file, mode & OWNER_AND_READING_GROUP),
    })
}

fn create(
    path: &Path,
    access: Access,
    mode: u32,
    narrow: impl FnOnce(&File, u32) -> io::Result<()>,
) -> io::Result<File> {
    let mut options = access.options();
    if access == Access::Read {
        // std creates a file only if it may be written.
        options.write(true);
    }
    let file = options.create_new(true).mode(mode).open(path)?;
    let checked = file.metadata().and_then(|metadata| {
        let (uid, ours) = (metadata.uid(), our_uid());
        if uid != ours {
            return Err(FileError::OwnerGiven { uid, ours }.into());
        }
        narrow(&file, metadata.mode())
    });
    if let Err(error) = checked {
        // An error here is ignored: the first error is the one to return.
        let _ = fs::remove_file(path);
        return Err(error);
    }
    Ok(file)
}

/// Sets the mode and checks it, because some file systems report success and keep the old mode.
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    let set = file.set_permissions(Permissions::from_mode(mode));
    let now = file.metadata()?.mode();
    if now & OTHERS == 0 {
        return Ok(());
    }
    let why = set.err().map_or_else(|| "its file system keeps it".to_owned(), |error| error.to_string());
    Err(FileError::TooOpen { mode: now & RIGHTS, why }.into())
}

/// # Errors
/// [`FileError`].
pub(super) fn is_ours(metadata: &Metadata) -> Result<(), FileError> {
    is_regular(metadata)?;
    let (uid, ours, links) = (metadata.uid(), our_uid(), metadata.nlink());
    if uid != ours {
        return Err(FileError::Owner { uid, ours });
    }
    if links > 1 {
        return Err(FileError::HardLinks { links });
    }
    Ok(())
}

fn is_regular(metadata: &Metadata) -> Result<(), FileError> {
    let kind = metadata.file_type();
    let what = match kind {
        _ if kind.is_file() => return Ok(()),
        _ if kind.is_symlink() => return Err(FileError::Symlink),
        _ if kind.is_dir() => "a directory",
        _ if kind.is_fifo() => "a FIFO",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Err(FileError::NotRegular { what })
}

/// The user that owns the files we create.
pub(super) fn our_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}
