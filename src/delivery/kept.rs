//! A request as it went out, and its bytes in a file.
//!
//! ```text
//! checksum of the rest, u64 │ length of the head, u64 │ length of the body, u64 │ head, msgpack │ body
//! ```

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::gateway::{Packed, Post};
use crate::ledger::Versioned;
use crate::ledger::identity::{Identity, Version};
use crate::render::Answers;

const CHECKSUM_BYTES: usize = 8;
/// What stands before the head.
const FRONT_BYTES: usize = CHECKSUM_BYTES + 16;

/// A request as it went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub head: Head,
    pub body: Vec<u8>,
}

/// All of it but the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Endpoint and format, hashed: sent elsewhere it would be another request.
    pub target: u64,
    content_type: String,
    idempotency_key: String,
    is_gzip: bool,
    /// What it carries, in order: identity in two halves, version, count; nothing of what has no identity.
    records: Vec<Option<(u64, u64, u64, u32)>>,
}

impl Head {
    #[must_use]
    pub fn new(target: u64, post: &Post<'_>, records: &[Option<Versioned>]) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        let halves = |identity: u128| ((identity >> 64) as u64, identity as u64);
        let record = |record: &Versioned| {
            let (high, low) = halves(record.identity.0);
            (high, low, record.version.0, record.count)
        };
        Self {
            target,
            content_type: post.content_type.to_owned(),
            idempotency_key: post.idempotency_key.to_owned(),
            is_gzip: post.body.is_gzip,
            records: records.iter().map(|named| named.as_ref().map(record)).collect(),
        }
    }

    /// Everything that stands before the body in a file. `None` when it cannot be said in bytes.
    #[must_use]
    pub fn before(&self, body: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = vec![0; FRONT_BYTES];
        rmp_serde::encode::write(&mut bytes, self).ok()?;
        let lengths = [bytes.len() - FRONT_BYTES, body.len()];
        for (place, length) in bytes[CHECKSUM_BYTES..FRONT_BYTES].chunks_exact_mut(8).zip(lengths) {
            place.copy_from_slice(&(length as u64).to_le_bytes());
        }
        let checksum = checksum(&bytes[CHECKSUM_BYTES..], body);
        bytes[..CHECKSUM_BYTES].copy_from_slice(&checksum.to_le_bytes());
        Some(bytes)
    }
}

impl Kept {
    /// Reads what [`Head::before`] and the body behind it made; what comes after is of no matter. `None` when it is
    /// not whole.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk::<8>()?));
        let lengths = [number(CHECKSUM_BYTES)?, number(CHECKSUM_BYTES + 8)?];
        let [head_bytes, body_bytes] = lengths.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let body_at = FRONT_BYTES.checked_add(head_bytes)?;
        let body = bytes.get(body_at..body_at.checked_add(body_bytes)?)?;
        if checksum(bytes.get(CHECKSUM_BYTES..body_at)?, body) != number(0)? {
            return None;
        }
        let head = rmp_serde::from_slice(bytes.get(FRONT_BYTES..body_at)?).ok()?;
        Some(Self { head, body: body.to_vec() })
    }

    #[must_use]
    pub fn post(&self, answers: Answers) -> Post<'_> {
        Post {
            body: Packed { bytes: &self.body, is_gzip: self.head.is_gzip },
            content_type: &self.head.content_type,
            idempotency_key: &self.head.idempotency_key,
            answers,
            records: self.head.records.len(),
        }
    }

    /// What it carries, in order; `None` is a record without an identity.
    #[must_use]
    pub fn records(&self) -> Vec<Option<Versioned>> {
        let record = |(high, low, version, count): &(u64, u64, u64, u32)| Versioned {
            identity: Identity(u128::from(*high) << 64 | u128::from(*low)),
            version: Version(*version),
            count: *count,
        };
        self.head.records.iter().map(|named| named.as_ref().map(record)).collect()
    }

    /// Those of its records that have an identity.
    #[must_use]
    pub fn named(&self) -> Vec<Versioned> {
        self.records().into_iter().flatten().collect()
    }
}

fn checksum(head: &[u8], body: &[u8]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(head);
    hasher.update(body);
    hasher.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        let body = vec![7; 100];
        let records = [
            Some(Versioned {
                identity: Identity(u128::MAX - 5),
                version: Version(u64::MAX),
                count: u32::MAX,
            }),
            None,
            Some(Versioned { identity: Identity(3), version: Version(0), count: 1 }),
        ];
        let packed = Packed { bytes: &body, is_gzip: true };
        let post = Post {
            body: packed,
            content_type: "application/x-ndjson",
            idempotency_key: "0f",
            answers: Answers::Status,
            records: records.len(),
        };
        let head = Head::new(1, &post, &records);
        let kept = Kept { head, body: body.clone() };
        assert_eq!(kept.records(), records);
        kept
    }

    #[test]
    fn it_is_read_as_it_was_written_whatever_follows() {
        let kept = kept();
        let mut bytes = kept.head.before(&kept.body).unwrap();
        bytes.extend_from_slice(&kept.body);
        assert_eq!(Kept::read(&bytes), Some(kept.clone()));
        bytes.extend_from_slice(&[9; 50]);
        assert_eq!(Kept::read(&bytes), Some(kept));
    }

    #[test]
    fn what_is_not_whole_is_nothing() {
        let kept = kept();
        let mut bytes = kept.head.before(&kept.body).unwrap();
        bytes.extend_from_slice(&kept.body);
        for length in 0..bytes.len() {
            assert_eq!(Kept::read(&bytes[..length]), None, "cut at {length}");
        }
        for at in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                assert_eq!(Kept::read(&bytes), None, "byte {at} with {flip:#x}");
            }
        }
        assert_eq!(Kept::read(&[0xff; 100]), None);
        assert_eq!(Kept::read(&[0; 100]), None, "the mark of a request that is settled");
    }
}
