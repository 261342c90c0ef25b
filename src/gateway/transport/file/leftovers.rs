//! Files that earlier lives left under a temporary name: cut back to what is whole, and completed.
//!
//! What is read of them may be nowhere but in memory: a sync that failed is told once, and the life that was told is
//! gone. So all of it is written again, in place, before the sync that counts.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::name;
use super::part::Part;
use super::whole::{whole_lines, whole_members};

const BUFFER_BYTES: usize = 64 << 10;

/// Completes all that nobody has locked. How many there were.
///
/// # Errors
/// The first from the disk, with the file it is about; the others are completed all the same.
pub fn complete_all(folder: &Path, goes_on: impl Fn() -> bool) -> Result<usize, (PathBuf, io::Error)> {
    let in_folder = |error| (folder.to_owned(), error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(in_folder)? {
        let path = entry.map_err(in_folder)?.path();
        // Neither a pipe, which would hold us, nor where a link leads.
        let is_file = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
        if is_file && name::whole(&path).is_some() {
            paths.push(path);
        }
    }
    paths.sort();
    let (mut count, mut first_error) = (0, None);
    for path in paths.into_iter().take_while(|_| goes_on()) {
        match complete(&path) {
            Ok(is_completed) => count += usize::from(is_completed),
            Err(error) => drop(first_error.get_or_insert((path, error))),
        }
    }
    first_error.map_or(Ok(count), Err)
}

/// `false`: it is in use.
fn complete(path: &Path) -> io::Result<bool> {
    let Some(mut part) = Part::left_at(path)? else { return Ok(false) };
    let reader = BufReader::with_capacity(BUFFER_BYTES, part.file());
    let good_bytes = if part.is_gzip() { whole_members(reader)? } else { whole_lines(reader)? };
    write_again(part.file(), good_bytes)?;
    part.set_good_bytes(good_bytes);
    part.complete()?;
    Ok(true)
}

/// The same bytes at the same place, so that the kernel takes none of them for written.
fn write_again(file: &File, len_bytes: u64) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut at = 0;
    while at < len_bytes {
        let left = usize::try_from(len_bytes - at).unwrap_or(BUFFER_BYTES);
        let Some(block) = buffer.get_mut(..left.min(BUFFER_BYTES)) else { break };
        file.read_exact_at(block, at)?;
        file.write_all_at(block, at)?;
        at += block.len() as u64;
    }
    Ok(())
}
