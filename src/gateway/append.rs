//! One write at the end of a file: afterwards all of it is on the disk, or nothing.

use std::fs::{self, File};
use std::io::{self, Write};

use crate::disk::FileId;

/// Bytes of a failed write that may still be at the end of the file.
#[derive(Debug, Clone, Copy)]
pub struct FailedWrite {
    of: FileId,
    from: u64,
    to: u64,
}

impl FailedWrite {
    /// Whether the write left no bytes behind.
    pub fn is_empty(self) -> bool {
        self.from == self.to
    }

    /// Cuts the bytes off the file; `false` if they stay. They stay if something follows them, because another writer,
    /// such as a second instance on the same file, may have appended.
    pub fn undo(self, file: &File) -> bool {
        let is_last = |metadata: fs::Metadata| metadata.len() == self.to && FileId::of(&metadata) == self.of;
        file.metadata().is_ok_and(is_last) && file.set_len(self.from).is_ok()
    }
}

/// Appends `lines` with one write and one sync. If either fails, it cuts off what was written. `before` is the file's
/// metadata before the write.
///
/// # Errors
/// The disk's first error, and the bytes that could not be cut off.
pub fn append(
    file: &mut File,
    lines: &[u8],
    before: &fs::Metadata,
) -> Result<(), (Option<FailedWrite>, io::Error)> {
    let from = before.len();
    let (written, error) = match write_once(file, lines) {
        Ok(written) if written == lines.len() => match file.sync_data() {
            Ok(()) => return Ok(()),
            Err(error) => (written, error),
        },
        Ok(written) => (written, io::Error::new(io::ErrorKind::WriteZero, "the disk took only a part")),
        Err(error) => (0, error),
    };
    let remains = FailedWrite { of: FileId::of(before), from, to: from.saturating_add(written as u64) };
    Err(((!remains.undo(file)).then_some(remains), error))
}

fn write_once(file: &mut File, lines: &[u8]) -> io::Result<usize> {
    loop {
        match file.write(lines) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
