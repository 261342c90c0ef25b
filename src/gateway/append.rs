//! One write at the end of a file: all of it lies on the disk afterwards, or nothing.

use std::fs::{self, File};
use std::io::{self, Write};

use crate::disk::FileId;

/// What was not written, and may stand there all the same.
#[derive(Debug, Clone, Copy)]
pub struct Remains {
    of: FileId,
    from: u64,
    to: u64,
}

impl Remains {
    /// Whether nothing of it stands there.
    pub fn is_nothing(self) -> bool {
        self.from == self.to
    }

    /// Only what is ours: another writer (a second instance on the same file) may have appended behind it.
    pub fn take_back(self, file: &File) -> bool {
        let is_last = |metadata: fs::Metadata| metadata.len() == self.to && FileId::of(&metadata) == self.of;
        file.metadata().is_ok_and(is_last) && file.set_len(self.from).is_ok()
    }
}

/// One write, one sync; all or nothing, if the disk lets us.
///
/// # Errors
/// From the disk, with what could not be taken back.
pub fn append(
    file: &mut File,
    lines: &[u8],
    before: &fs::Metadata,
) -> Result<(), (Option<Remains>, io::Error)> {
    let from = before.len();
    let (written, error) = match write_once(file, lines) {
        Ok(written) if written == lines.len() => match file.sync_data() {
            Ok(()) => return Ok(()),
            Err(error) => (written, error),
        },
        Ok(written) => (written, io::Error::new(io::ErrorKind::WriteZero, "the disk took only a part")),
        Err(error) => (0, error),
    };
    let remains = Remains { of: FileId::of(before), from, to: from.saturating_add(written as u64) };
    // The first error is the one to report.
    Err(((!remains.take_back(file)).then_some(remains), error))
}

fn write_once(file: &mut File, lines: &[u8]) -> io::Result<usize> {
    loop {
        match file.write(lines) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
