//! Compresses the body of a request.

use flate2::{Compress, CompressError, Compression, FlushCompress, Status};

/// The window that every reader of gzip must support.
const WINDOW_BITS: u8 = 15;
/// The least room for the output; a body of one event needs no more.
const ROOM_BYTES: usize = 1 << 10;
/// Events shrink to about a tenth, so this much room usually suffices.
const SHRINKS_TO: usize = 8;

/// Compresses one body after the other. It is kept, because its tables take a third of a megabyte: allocating them costs
/// more than compressing a body of a few events.
pub struct Gzip {
    state: Compress,
}

impl Default for Gzip {
    /// Uses level 1: the next levels take twice the time to save a few percent.
    fn default() -> Self {
        Self { state: Compress::new_gzip(Compression::fast(), WINDOW_BITS) }
    }
}

impl Gzip {
    /// Appends the compressed body to `packed`.
    ///
    /// # Errors
    /// None is known, because the output is in memory.
    pub fn pack(&mut self, body: &[u8], packed: &mut Vec<u8>) -> Result<(), CompressError> {
        self.state.reset();
        let mut rest = body;
        loop {
            packed.reserve(ROOM_BYTES + rest.len() / SHRINKS_TO);
            let before = self.state.total_in();
            let status = self.state.compress_vec(rest, packed, FlushCompress::Finish)?;
            if status == Status::StreamEnd {
                return Ok(());
            }
            let read = usize::try_from(self.state.total_in() - before).unwrap_or(rest.len());
            rest = rest.get(read..).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn each_body_comes_out_as_it_went_in() {
        let mut gzip = Gzip::default();
        let noise: Vec<u8> =
            (0..100_000_u32).flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_be_bytes()).collect();
        for body in [&b""[..], b"{}\n", &[b'x'; 100_000], &noise, b"{}\n"] {
            let mut packed = Vec::new();
            gzip.pack(body, &mut packed).expect("a body");
            let mut unpacked = Vec::new();
            GzDecoder::new(&*packed).read_to_end(&mut unpacked).expect("gzip");
            assert!(unpacked == body, "{} bytes became {}", body.len(), unpacked.len());
        }
    }
}
