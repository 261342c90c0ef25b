//! Opens files that the plugin writes.
//!
//! The checks are made on the open file, so that nobody can exchange it after them. The look at the name before only
//! spares devices from being opened, which may do something.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::Refused;

/// Without a wait for the other end of a FIFO, and not where a symlink leads. std adds `O_CLOEXEC`.
const CAREFULLY: i32 = libc::O_NOFOLLOW | libc::O_NONBLOCK;
/// All rights that a mode has room for.
const RIGHTS: u32 = 0o777;
/// What others may do. The group's rights stay: with `fsGroup` the kubelet gives the group of the pod what the owner
/// has, on every mount.
const OTHERS: u32 = 0o007;
const OWNER_ONLY: u32 = 0o600;
const OWNER_AND_READING_GROUP: u32 = 0o640;
/// Somebody removes and makes the file again and again.
const MOST_TRIES: usize = 3;

/// What is to be done with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
    ReadWrite,
    /// Writes go to the end; it can be read as well.
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

/// Opens a file that is there, and takes away what others may do with it.
///
/// # Errors
/// From the system, and [`Refused`] when it is not a file of ours.
pub fn existing(path: &Path, access: Access) -> io::Result<File> {
    if let Ok(metadata) = fs::symlink_metadata(path) {
        is_regular(&metadata)?;
    }
    let file = access.options().open(path).map_err(|error| match error.raw_os_error() {
        // It was put there since. In a loop of folders there is no such name.
        Some(libc::ELOOP) if fs::symlink_metadata(path).is_ok() => Refused::Symlink.into(),
        _ => error,
    })?;
    let metadata = file.metadata()?;
    is_ours(&metadata)?;
    if metadata.mode() & OTHERS != 0 {
        set_mode(&file, metadata.mode() & RIGHTS & !OTHERS)?;
    }
    Ok(file)
}

/// Opens a file that is there, or makes an empty one, for its owner only.
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

/// Makes a file for its owner only, whatever the umask is.
///
/// # Errors
/// From the system, when there is anything at the path, and [`Refused`] when the file system gives it other rights or
/// another owner. There is no file then.
pub fn new(path: &Path, access: Access) -> io::Result<File> {
    made(path, access, OWNER_ONLY, |file, mode| match mode & RIGHTS {
        OWNER_ONLY => Ok(()),
        _ => set_mode(file, OWNER_ONLY),
    })
}

/// Makes a file that the group may read, unless the umask forbids that: one that is for another program.
///
/// # Errors
/// As [`new`].
pub fn new_for_group(path: &Path, access: Access) -> io::Result<File> {
    made(path, access, OWNER_AND_READING_GROUP, |file, mode| match mode & OTHERS {
        0 => Ok(()),
        _ => set_mode(file, mode & OWNER_AND_READING_GROUP),
    })
}

fn made(
    path: &Path,
    access: Access,
    mode: u32,
    narrow: impl FnOnce(&File, u32) -> io::Result<()>,
) -> io::Result<File> {
    let mut options = access.options();
    if access == Access::Read {
        // A file that was just made is there to be written.
        options.write(true);
    }
    let file = options.create_new(true).mode(mode).open(path)?;
    let checked = file.metadata().and_then(|metadata| {
        let (uid, ours) = (metadata.uid(), our_uid());
        if uid != ours {
            return Err(Refused::OwnerGiven { uid, ours }.into());
        }
        narrow(&file, metadata.mode())
    });
    if let Err(error) = checked {
        // The error that counts is the first.
        let _ = fs::remove_file(path);
        return Err(error);
    }
    Ok(file)
}

/// Some file systems say yes to a new mode and keep the old one.
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    let set = file.set_permissions(Permissions::from_mode(mode));
    let now = file.metadata()?.mode();
    if now & OTHERS == 0 {
        return Ok(());
    }
    let why = set.err().map_or_else(|| "its file system keeps it".to_owned(), |error| error.to_string());
    Err(Refused::Wide { mode: now & RIGHTS, why }.into())
}

/// # Errors
/// [`Refused`].
pub(super) fn is_ours(metadata: &Metadata) -> Result<(), Refused> {
    is_regular(metadata)?;
    let (uid, ours, links) = (metadata.uid(), our_uid(), metadata.nlink());
    if uid != ours {
        return Err(Refused::Owner { uid, ours });
    }
    if links > 1 {
        return Err(Refused::HardLinks { links });
    }
    Ok(())
}

fn is_regular(metadata: &Metadata) -> Result<(), Refused> {
    let kind = metadata.file_type();
    let what = match kind {
        _ if kind.is_file() => return Ok(()),
        _ if kind.is_symlink() => return Err(Refused::Symlink),
        _ if kind.is_dir() => "a directory",
        _ if kind.is_fifo() => "a FIFO",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Err(Refused::NoFile { what })
}

/// The user whose files we make.
pub(super) fn our_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}
