//! The folder of a file, and file names in it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::FileId;
use super::own::our_uid;

const OTHERS_WRITE: u32 = 0o002;
/// In a sticky folder only the owner of a file may rename or remove it.
const STICKY: u32 = 0o1000;
/// Linux follows at most this many symlinks in one path.
const MOST_SYMLINKS: usize = 40;

/// The path with a suffix appended to its name.
#[must_use]
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The folder that contains the file.
#[must_use]
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the name of a file durable: syncs its folder.
///
/// # Errors
/// If the disk fails. A file system without this call, and a folder that may be entered but not read, are no error.
pub fn sync_folder(file: &Path) -> io::Result<()> {
    // Without O_DIRECTORY, opening a FIFO would wait for its other end.
    let folder = File::options().read(true).custom_flags(libc::O_DIRECTORY).open(folder_of(file));
    match folder.and_then(|folder| folder.sync_all()) {
        Err(error) if !is_unsupported(&error) => Err(error),
        _ => Ok(()),
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported)
}

/// Whether the path is wrong, which only a person can fix. All other errors are about the disk and may pass: full,
/// read-only, broken, forbidden, too many open files.
#[must_use]
pub fn is_wrong_path(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | IsADirectory | InvalidInput | InvalidFilename)
}

/// A warning about folders in which other users may replace files; `None` if the folders are private.
#[must_use]
pub fn not_private(folders: &[&Path]) -> Option<String> {
    let mut who: Vec<String> = folders.iter().filter_map(|folder| others_in(folder)).collect();
    who.sort();
    who.dedup();
    let who = who.join("; ");
    (!who.is_empty()).then(|| {
        format!(
            "{who}: others can replace the files of this plugin there, and so hide or repeat events; give the folder to \
             the plugin's user alone (mode 0700, or 2770 with fsGroup)"
        )
    })
}

/// Who else may replace the files of a folder; `None` if nobody may, or if we cannot look. A user who may write into a
/// parent folder may replace the folder itself, and one who may write into the folder of a symlink on the way may
/// replace the symlink. Root is not counted because it may do anything, and a group because it gets rights on purpose.
fn others_in(folder: &Path) -> Option<String> {
    let mut looked_at = Vec::new();
    look_up(&std::path::absolute(folder).ok()?, MOST_SYMLINKS, &mut looked_at)
}

/// Checks each folder on the way to this path and on the way to the targets of its symlinks. It checks each only once,
/// because circular links would never end.
fn look_up(path: &Path, most_symlinks: usize, looked_at: &mut Vec<FileId>) -> Option<String> {
    let mut is_new = |place: &Path| {
        let id = FileId::at(place).ok().filter(|id| !looked_at.contains(id));
        looked_at.extend(id);
        id.is_some()
    };
    let mut links = Vec::new();
    for place in path.ancestors() {
        if let (Ok(target), Some(beside)) = (fs::read_link(place), place.parent())
            && is_new(place)
        {
            links.push(beside.join(target));
        }
        // The path without symlinks and dots.
        if let Ok(place) = fs::canonicalize(place)
            && is_new(&place)
            && let Some(found) = others_of(&place)
        {
            return Some(found);
        }
    }
    let left = most_symlinks.checked_sub(1)?;
    links.iter().find_map(|link| look_up(link, left, looked_at))
}

fn others_of(place: &Path) -> Option<String> {
    let metadata = fs::metadata(place).ok()?;
    if metadata.mode() & OTHERS_WRITE != 0 && metadata.mode() & STICKY == 0 {
        let mode = metadata.mode() & 0o7777;
        return Some(format!("all users may write into {} (mode {mode:04o})", place.display()));
    }
    let (uid, ours) = (metadata.uid(), our_uid());
    (uid != ours && uid != 0).then(|| format!("{} belongs to user {uid}", place.display()))
}
