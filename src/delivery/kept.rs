//! A request as it went out, and its bytes in a file.
//!
//! ```text
//! mark, 8 bytes │ version, u32 │ identity rules, u32 │
//! checksum of the rest, u64 │ length of the head, u64 │ length of the body, u64 │ head, msgpack │ body
//! ```
//! The first versions wrote no mark, and began with the checksum: such a file is read as version 1. To them the mark is a
//! checksum that does not match, so they take a file of today for one that is not whole, and ignore it. A file of a newer
//! version, or with identities of newer rules, is ignored here as well, and its reader learns that.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::gateway::{Packed, Post};
use crate::ledger::Versioned;
use crate::ledger::identity::{Identity, Version};
use crate::ledger::rules::RULES;
use crate::render::Answers;

const MARK: [u8; 8] = *b"egw-sent";
/// Of the layout behind the mark, and of the head.
const VERSION: u32 = 2;
/// Mark, version and rules.
const MARKED_BYTES: usize = MARK.len() + 8;
const CHECKSUM_BYTES: usize = 8;
/// What stands before the head in version 1.
const FRONT_BYTES: usize = CHECKSUM_BYTES + 16;

/// A request as it went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub head: Head,
    pub body: Vec<u8>,
}

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    Request(Kept),
    /// A newer version of this plugin wrote it.
    Newer {
        version: u32,
        rules: u32,
    },
    /// Nothing, or a request that is settled or not whole.
    Nothing,
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
        let mut whole = vec![0; MARKED_BYTES + FRONT_BYTES];
        rmp_serde::encode::write(&mut whole, self).ok()?;
        let (marked, bytes) = whole.split_at_mut(MARKED_BYTES);
        let (mark, numbers) = marked.split_at_mut(MARK.len());
        mark.copy_from_slice(&MARK);
        for (place, number) in numbers.chunks_exact_mut(4).zip([VERSION, RULES]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let lengths = [bytes.len() - FRONT_BYTES, body.len()];
        for (place, length) in bytes[CHECKSUM_BYTES..FRONT_BYTES].chunks_exact_mut(8).zip(lengths) {
            place.copy_from_slice(&(length as u64).to_le_bytes());
        }
        let checksum = checksum(&bytes[CHECKSUM_BYTES..], body);
        bytes[..CHECKSUM_BYTES].copy_from_slice(&checksum.to_le_bytes());
        Some(whole)
    }
}

impl Kept {
    /// Reads what [`Head::before`] and the body behind it made, in this version or an older one; what comes after is of
    /// no matter.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Found {
        let Some(marked) = bytes.strip_prefix(&MARK) else {
            return Self::read_first(bytes).map_or(Found::Nothing, Found::Request);
        };
        let number = |at: usize| Some(u32::from_le_bytes(*marked.get(at..)?.first_chunk::<4>()?));
        match (number(0), number(4)) {
            (Some(VERSION), Some(rules)) if rules <= RULES => {
                Self::read_first(&bytes[MARKED_BYTES..]).map_or(Found::Nothing, Found::Request)
            }
            (Some(version), Some(rules)) if version >= VERSION => Found::Newer { version, rules },
            _ => Found::Nothing,
        }
    }

    /// What stands there in version 1, and behind the mark in this one. `None` when it is not whole.
    fn read_first(bytes: &[u8]) -> Option<Self> {
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
        assert_eq!(Kept::read(&bytes), Found::Request(kept.clone()));
        bytes.extend_from_slice(&[9; 50]);
        assert_eq!(Kept::read(&bytes), Found::Request(kept));
    }

    /// Written by the last version that knew no mark (cc4bf20).
    #[test]
    fn a_request_of_the_first_versions_is_read() {
        let bytes = include_bytes!("../../tests/data/state/request-1");
        assert_eq!(Kept::read(bytes), Found::Request(kept()));
    }

    #[test]
    fn a_request_of_today_is_not_whole_to_the_first_versions() {
        let kept = kept();
        let mut bytes = kept.head.before(&kept.body).unwrap();
        bytes.extend_from_slice(&kept.body);
        assert_eq!(Kept::read_first(&bytes), None);
    }

    #[test]
    fn a_newer_request_is_never_misread() {
        let kept = kept();
        let mut good = kept.head.before(&kept.body).unwrap();
        good.extend_from_slice(&kept.body);
        for (version, rules) in [(VERSION + 1, RULES), (VERSION, RULES + 1), (u32::MAX, 0)] {
            let mut bytes = good.clone();
            bytes[8..12].copy_from_slice(&version.to_le_bytes());
            bytes[12..16].copy_from_slice(&rules.to_le_bytes());
            assert_eq!(Kept::read(&bytes), Found::Newer { version, rules });
            // Nor does it matter what a newer version writes behind that.
            assert_eq!(Kept::read(&bytes[..16]), Found::Newer { version, rules });
        }
        for version in [0u32, 1] {
            let mut bytes = good.clone();
            bytes[8..12].copy_from_slice(&version.to_le_bytes());
            assert_eq!(Kept::read(&bytes), Found::Nothing, "no version wrote that");
        }
    }

    #[test]
    fn what_is_not_whole_is_nothing() {
        let kept = kept();
        let mut bytes = kept.head.before(&kept.body).unwrap();
        bytes.extend_from_slice(&kept.body);
        for length in 0..bytes.len() {
            assert_eq!(Kept::read(&bytes[..length]), Found::Nothing, "cut at {length}");
        }
        for at in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                // In version or rules it may look like a newer one, which is ignored as well.
                let is_nothing = match Kept::read(&bytes) {
                    Found::Request(_) => false,
                    Found::Newer { .. } => (MARK.len()..MARKED_BYTES).contains(&at),
                    Found::Nothing => true,
                };
                assert!(is_nothing, "byte {at} with {flip:#x}");
            }
        }
        assert_eq!(Kept::read(&[0xff; 100]), Found::Nothing);
        assert_eq!(Kept::read(&[0; 100]), Found::Nothing, "the mark of a request that is settled");
    }
}
