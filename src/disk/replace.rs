//! Puts a new file in the place of an old one: written under another name, then renamed.
//!
//! A rename follows no symlink, neither at its old name nor at its new one. The looks before it keep what is foreign
//! where it is.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::own::{is_ours, new};
use super::{Access, beside, with_suffix};

/// Files of one second that were moved aside.
const MOST_NAMES: usize = 100;

/// Makes an empty file, in place of one of ours that a crash has left under this name.
///
/// # Errors
/// From the system, and [`super::Refused`] when something foreign has the name, which stays as it is.
pub fn in_place_of_leftover(path: &Path) -> io::Result<File> {
    remove_own(path).and_then(|()| new(path, Access::Write)).map_err(|error| beside(path, error))
}

/// Gives a file its final name, in place of the file of ours that has it now.
///
/// # Errors
/// From the system, and [`super::Refused`] when something foreign has the final name. Both are then as they were.
pub fn rename_over(from: &Path, to: &Path) -> io::Result<()> {
    look(to)?;
    fs::rename(from, to)
}

/// Removes a file of ours, if there is one.
///
/// # Errors
/// From the system, and [`super::Refused`] when it is none of ours.
pub fn remove_own(path: &Path) -> io::Result<()> {
    if look(path)? { fs::remove_file(path) } else { Ok(()) }
}

/// A name that nothing has: this one, or one with a number behind it.
#[must_use]
pub fn free_name(path: PathBuf) -> PathBuf {
    let numbered = (1..MOST_NAMES).map(|number| with_suffix(&path, &format!("-{number}")));
    let is_free = |path: &PathBuf| fs::symlink_metadata(path).is_err();
    std::iter::once(path.clone()).chain(numbered).find(is_free).unwrap_or(path)
}

/// Whether there is a file of ours; `false`: there is nothing.
fn look(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(is_ours(&metadata).map(|()| true)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
