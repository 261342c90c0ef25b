//! Replaces a file: the new one is written under another name and then renamed.
//!
//! A rename does not follow symlinks, neither at the old name nor at the new one. The checks before it make sure that
//! only our own files are replaced.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::own::{is_ours, new};
use super::{Access, beside, with_suffix};

/// The most numbers that are tried for files that were moved aside in the same second.
const MOST_NAMES: usize = 100;

/// Creates an empty file, and first removes a file of ours that a crash left under this name.
///
/// # Errors
/// System errors, and [`super::FileError`] if something that is not ours has the name; it stays as it is.
pub fn in_place_of_leftover(path: &Path) -> io::Result<File> {
    remove_own(path).and_then(|()| new(path, Access::Write)).map_err(|error| beside(path, error))
}

/// Gives a file its final name, and replaces a file of ours that has it now.
///
/// # Errors
/// System errors, and [`super::FileError`] if something that is not ours has the final name. Nothing is changed then.
pub fn rename_over(from: &Path, to: &Path) -> io::Result<()> {
    exists_and_is_ours(to)?;
    fs::rename(from, to)
}

/// Removes a file of ours, if there is one.
///
/// # Errors
/// System errors, and [`super::FileError`] if it is not ours.
pub fn remove_own(path: &Path) -> io::Result<()> {
    if exists_and_is_ours(path)? { fs::remove_file(path) } else { Ok(()) }
}

/// A path at which nothing exists: this one, or this one with a number appended.
#[must_use]
pub fn free_name(path: PathBuf) -> PathBuf {
    let numbered = (1..MOST_NAMES).map(|number| with_suffix(&path, &format!("-{number}")));
    let is_free = |path: &PathBuf| fs::symlink_metadata(path).is_err();
    std::iter::once(path.clone()).chain(numbered).find(is_free).unwrap_or(path)
}

/// `true` for a file of ours, `false` if nothing exists; anything else is an error.
fn exists_and_is_ours(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(is_ours(&metadata).map(|()| true)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
