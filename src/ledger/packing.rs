//! A commit or an intent as bytes: its time, its records one after the other, and a checksum over number and value.
//!
//! Pure: no I/O. The layout is the same under all identity rules.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::record::identity::{Identity, Version, Versioned};

const RECORD_BYTES: usize = 16 + 8 + 4;
const CHECKSUM_BYTES: usize = 8;

pub fn pack(number: u64, at_seconds: u64, records: &[Versioned]) -> Vec<u8> {
    let mut value = Vec::with_capacity(8 + records.len() * RECORD_BYTES + CHECKSUM_BYTES);
    value.extend_from_slice(&at_seconds.to_le_bytes());
    for record in records {
        value.extend_from_slice(&record.identity.0.to_le_bytes());
        value.extend_from_slice(&record.version.0.to_le_bytes());
        value.extend_from_slice(&record.count.to_le_bytes());
    }
    let checksum = xxh3_64_with_seed(&value, number);
    value.extend_from_slice(&checksum.to_le_bytes());
    value
}

/// Time and records.
pub type Unpacked = (u64, Vec<Versioned>);

/// `None` if the bytes are not what [`pack`] made for this number.
pub fn unpack(number: u64, value: &[u8]) -> Option<Unpacked> {
    let (content, checksum) = value.split_last_chunk::<CHECKSUM_BYTES>()?;
    if xxh3_64_with_seed(content, number) != u64::from_le_bytes(*checksum) {
        return None;
    }
    let (at_seconds, packed) = content.split_first_chunk::<8>()?;
    let (chunks, rest) = packed.as_chunks::<RECORD_BYTES>();
    let records = chunks.iter().map(|bytes| unpack_record(bytes)).collect::<Option<Vec<_>>>()?;
    rest.is_empty().then_some((u64::from_le_bytes(*at_seconds), records))
}

fn unpack_record(bytes: &[u8]) -> Option<Versioned> {
    let (identity, bytes) = bytes.split_first_chunk::<16>()?;
    let (version, count) = bytes.split_first_chunk::<8>()?;
    Some(Versioned {
        identity: Identity(u128::from_le_bytes(*identity)),
        version: Version(u64::from_le_bytes(*version)),
        count: u32::from_le_bytes(*count.first_chunk::<4>()?),
    })
}
