//! Moves a file aside that cannot be used: it stays for a person to look at.

use std::fs;
use std::path::Path;

use crate::disk::{self, with_suffix};
use crate::ledger::error::LedgerError;
use crate::ledger::unusable::{MovedAside, Unusable};
use crate::time::Stamp;

/// Moves a file to `<file>.damaged-<time>` or `<file>.newer-<time>`.
///
/// # Errors
/// If it cannot be moved: [`LedgerError::NotMovedAside`].
pub fn move_aside(path: &Path, why: Unusable, now_seconds: u64) -> Result<MovedAside, LedgerError> {
    let time = Stamp::from_unix_seconds(now_seconds)
        .map_or_else(|| now_seconds.to_string(), |at| at.to_string().replace([':', '-'], ""));
    let to = disk::free_name(with_suffix(path, &format!("{}-{time}", why.suffix())));
    match fs::rename(path, &to) {
        Ok(()) => Ok(MovedAside { to, why }),
        Err(error) => Err(LedgerError::NotMovedAside { path: path.to_owned(), why, error }),
    }
}
