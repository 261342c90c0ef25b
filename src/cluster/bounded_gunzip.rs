//! Unpacks gzip with a bound on the size and on the compression ratio.
//!
//! A few KiB of gzip can unpack to hundreds of MiB. The snapshot file is text that gzip shrinks about
//! tenfold; the bounds leave room for clusters whose objects are all alike.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::rc::Rc;

use flate2::read::GzDecoder;

/// The largest clusters have 150,000 pods of about 1 KiB per line.
const BOUNDS: Bounds = Bounds { free_bytes: 16 << 20, most_ratio: 60, most_bytes: 512 << 20 };

#[derive(Clone, Copy)]
struct Bounds {
    /// Any file may unpack to this size.
    free_bytes: u64,
    /// Beyond that, this many bytes per packed byte.
    most_ratio: u64,
    most_bytes: u64,
}

/// Reads what a packed file contains.
pub struct BoundedGunzip<'f> {
    packed: GzDecoder<Counted<'f>>,
    packed_bytes: Rc<Cell<u64>>,
    unpacked_bytes: u64,
    bounds: Bounds,
}

struct Counted<'f> {
    file: &'f File,
    bytes: Rc<Cell<u64>>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.bytes.set(self.bytes.get().saturating_add(count as u64));
        Ok(count)
    }
}

impl<'f> BoundedGunzip<'f> {
    #[must_use]
    pub fn of(file: &'f File) -> Self {
        Self::within(BOUNDS, file)
    }

    fn within(bounds: Bounds, file: &'f File) -> Self {
        let packed_bytes = Rc::new(Cell::new(0));
        let packed = GzDecoder::new(Counted { file, bytes: Rc::clone(&packed_bytes) });
        Self { packed, packed_bytes, unpacked_bytes: 0, bounds }
    }
}

impl Read for BoundedGunzip<'_> {
    /// Reads unpacked bytes.
    ///
    /// # Errors
    /// Of kind `FileTooLarge` beyond the bounds.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.packed.read(buffer)?;
        self.unpacked_bytes = self.unpacked_bytes.saturating_add(count as u64);
        let Bounds { free_bytes, most_ratio, most_bytes } = self.bounds;
        let by_ratio = self.packed_bytes.get().saturating_mul(most_ratio);
        let most_bytes = most_bytes.min(by_ratio.max(free_bytes));
        if self.unpacked_bytes > most_bytes {
            let packed_bytes = self.packed_bytes.get();
            let text = format!("{packed_bytes} bytes of it unpack to more than {most_bytes}");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(blocks: u64, block: &[u8]) -> File {
        let mut writer = GzEncoder::new(tempfile::tempfile().unwrap(), Compression::fast());
        (0..blocks).for_each(|_| writer.write_all(block).unwrap());
        let mut file = writer.finish().unwrap();
        file.rewind().unwrap();
        file
    }

    #[test]
    fn what_unpacks_to_far_more_than_it_is_long_is_too_large() {
        const BLOCK: u64 = 1 << 20;
        for (blocks, is_refused) in [(16, false), (17, true), (732, true)] {
            let file = packed(blocks, &vec![b' '; 1 << 20]);
            let read = io::copy(&mut BoundedGunzip::of(&file), &mut io::sink());
            match read {
                Ok(bytes) => assert!(!is_refused && bytes == blocks * BLOCK, "{blocks}"),
                Err(error) => assert!(is_refused && error.kind() == io::ErrorKind::FileTooLarge, "{error}"),
            }
            // Bytes after the end of the gzip member do not count as packed bytes.
            let mut file = packed(blocks, &vec![b' '; 1 << 20]);
            file.seek(io::SeekFrom::End(0)).unwrap();
            file.set_len(1 << 30).unwrap();
            file.rewind().unwrap();
            assert_eq!(
                io::copy(&mut BoundedGunzip::of(&file), &mut io::sink()).is_err(),
                is_refused,
                "{blocks}"
            );
        }
    }

    #[test]
    fn what_hardly_packs_at_all_is_bounded_as_well() {
        let mut state = 1_u64;
        let mut block = vec![0; 1 << 20];
        block.fill_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            b'a' + (state >> 60) as u8
        });
        let file = packed(5, &block);
        let bounds = Bounds { most_bytes: 4 << 20, ..BOUNDS };
        let error = io::copy(&mut BoundedGunzip::within(bounds, &file), &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
