//! The folder of a file, and names in it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::FileId;
use super::own::our_uid;

const OTHERS_WRITE: u32 = 0o002;
/// In such a folder only the owner of a file renames or removes it.
const STICKY: u32 = 0o1000;
/// Linux follows no more of them in one path.
const MOST_SYMLINKS: usize = 40;

/// The path with something behind its name.
#[must_use]
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Where the file lies.
#[must_use]
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Has the name of a file written down for good.
///
/// # Errors
/// When the disk cannot. File systems that offer no such thing, and folders that may be entered but not read,
/// are passed over.
pub fn sync_folder(file: &Path) -> io::Result<()> {
    // Opening a FIFO would wait for its other end.
    let folder = File::options().read(true).custom_flags(libc::O_DIRECTORY).open(folder_of(file));
    match folder.and_then(|folder| folder.sync_all()) {
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

/// What to say of folders whose files others may exchange; `None` when they are private.
#[must_use]
pub fn not_private(folders: &[&Path]) -> Option<String> {
    let mut who: Vec<String> = folders.iter().filter_map(|folder| others_in(folder)).collect();
    who.sort();
    who.dedup();
    let who = who.join("; ");
    (!who.is_empty()).then(|| {
        format!(
            "{who}: others can exchange the files of this plugin there, and so hide events or repeat them; let the folder \
             belong to the plugin's user alone (mode 0700, or 2770 with fsGroup)"
        )
    })
}

/// Who else may exchange the files of a folder; `None` when nobody may, or nobody may look. Whoever may write into a
/// folder above may exchange the folder itself, and whoever may write into the folder of a symlink on the way, the
/// symlink. Root may do anything, and a group is given rights on purpose.
fn others_in(folder: &Path) -> Option<String> {
    let mut looked_at = Vec::new();
    look_up(&std::path::absolute(folder).ok()?, MOST_SYMLINKS, &mut looked_at)
}

/// Looks at each folder that leads to this one, and to where its symlinks lead; at each once, as links in a circle or many
/// links to one place would never end.
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
        // As it is without symlinks and dots.
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
        return Some(format!("everybody may write into {} (mode {mode:04o})", place.display()));
    }
    let (uid, ours) = (metadata.uid(), our_uid());
    (uid != ours && uid != 0).then(|| format!("{} belongs to the user {uid}", place.display()))
}
