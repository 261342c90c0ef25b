//! Compresses bodies as the setting `compress` says.

use flate2::CompressError;

use super::gzip::Gzip;
use super::transport::Packed;
use crate::config::Compress;

/// A larger buffer is shrunk to this before the next body.
const KEPT_BYTES: usize = 4 << 20;

/// Compresses one body at a time, and keeps its buffer for the next.
pub struct Packer {
    /// `None`: bodies are sent uncompressed.
    gzip: Option<Gzip>,
    /// The last compressed body; kept to reuse its memory.
    packed: Vec<u8>,
}

impl Packer {
    /// Compresses as the setting requires.
    #[must_use]
    pub fn new(compress: Compress) -> Self {
        Self { gzip: (compress == Compress::Gzip).then(Gzip::default), packed: Vec::new() }
    }

    /// Compresses the body if the setting says so.
    ///
    /// # Errors
    /// None is known, because the output is in memory.
    pub fn pack<'a>(&'a mut self, body: &'a [u8]) -> Result<Packed<'a>, CompressError> {
        let Some(gzip) = &mut self.gzip else { return Ok(Packed { bytes: body, is_gzip: false }) };
        self.packed.clear();
        self.packed.shrink_to(KEPT_BYTES);
        gzip.pack(body, &mut self.packed)?;
        Ok(Packed { bytes: &self.packed, is_gzip: true })
    }
}
