//! A saved request as bytes in a file, with a check.
//!
//! `layout` says where in the file everything is. The check, made with the key from the ledger's file, distinguishes a
//! request of ours from one that another process put there, and that would be sent under our credentials. Versions 1 and 2
//! had no check: the records of their requests are read, and the requests are not sent.

mod layout;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::format::Format;
use crate::gateway::{Packed, Post};
use crate::ledger::CheckKey;
use crate::ledger::key::CHECK_BYTES;
use crate::record::identity::rules::RULES;
use crate::record::identity::{Identity, Version, Versioned};
pub use layout::LONGEST_FRONT_BYTES;
use layout::{
    CHECKED_BYTES, CHECKSUM_BYTES, FRONT_BYTES, MARK, MARKED_BYTES, MOST_BODY_BYTES, MOST_HEAD_BYTES,
    UNCHECKED, VERSION, checksum, front_at, lengths, marks, read_first,
};

/// A request as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedRequest {
    pub head: Head,
    pub body: Vec<u8>,
}

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    Request(SavedRequest),
    /// A request that is whole and must not be sent, and its records.
    Unproven(Unproven, Vec<Versioned>),
    /// A newer version of this plugin wrote it.
    Newer {
        version: u32,
        rules: u32,
    },
    /// Nothing, or a request that is settled or not whole.
    Nothing,
}

/// Why a request must not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unproven {
    /// An older version of this plugin wrote it, without a check.
    Unchecked,
    /// Its check was not made with this key.
    Foreign,
}

type SavedRecord = Option<(u64, u64, u64, u32)>;

/// The head of versions 1 and 2.
#[derive(Deserialize)]
struct UncheckedHead {
    #[expect(dead_code, reason = "it has to be there")]
    target: u64,
    #[expect(dead_code, reason = "it has to be there")]
    content_type: String,
    #[expect(dead_code, reason = "it has to be there")]
    idempotency_key: String,
    #[expect(dead_code, reason = "it has to be there")]
    is_gzip: bool,
    records: Vec<SavedRecord>,
}

/// All of a request but its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// For whom it was made: see `binding`.
    pub target: [u8; 32],
    /// When it was made, by the ledger's time.
    pub made_seconds: u64,
    content_type: String,
    idempotency_key: String,
    is_gzip: bool,
    /// Its records, in order: identity in two halves, version, count; `None` for a record without an identity.
    records: Vec<SavedRecord>,
}

impl Head {
    #[must_use]
    pub fn new(target: [u8; 32], made_seconds: u64, post: &Post<'_>, records: &[Option<Versioned>]) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        let halves = |identity: u128| ((identity >> 64) as u64, identity as u64);
        let record = |record: &Versioned| {
            let (high, low) = halves(record.identity.0);
            (high, low, record.version.0, record.count)
        };
        Self {
            target,
            made_seconds,
            content_type: post.content_type.to_owned(),
            idempotency_key: post.idempotency_key.to_owned(),
            is_gzip: post.body.is_gzip,
            records: records.iter().map(|named| named.as_ref().map(record)).collect(),
        }
    }

    /// The bytes of a file before the body. `None` if they cannot be made.
    #[must_use]
    pub fn bytes_before_body(&self, key: &CheckKey, body: &[u8]) -> Option<Vec<u8>> {
        let mut whole = vec![0; CHECKED_BYTES + FRONT_BYTES];
        rmp_serde::encode::write(&mut whole, self).ok()?;
        let (marked, bytes) = whole.split_at_mut(MARKED_BYTES);
        let (check, bytes) = bytes.split_at_mut(CHECK_BYTES);
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
        check.copy_from_slice(&key.check(&[marked, bytes, body])?);
        Some(whole)
    }
}

impl SavedRequest {
    /// How many bytes of a file to read, by its first [`LONGEST_FRONT_BYTES`]; 0 if neither this version nor an older one
    /// writes such a file.
    #[must_use]
    pub fn len_bytes(front: &[u8]) -> usize {
        let Some(at) = front_at(front) else { return 0 };
        let [head_bytes, body_bytes] = match front.get(at..).and_then(lengths) {
            Some(lengths) => lengths,
            None => return 0,
        };
        let is_bounded = head_bytes <= MOST_HEAD_BYTES && body_bytes <= MOST_BODY_BYTES;
        if is_bounded { at + FRONT_BYTES + head_bytes + body_bytes } else { 0 }
    }

    /// Reads [`Head::bytes_before_body`] and the body behind it, as this version or an older one wrote them; what follows is ignored.
    /// Without a key no request can be proven.
    #[must_use]
    pub fn read(bytes: &[u8], key: Option<&CheckKey>) -> Found {
        let Some(at) = front_at(bytes) else {
            return match marks(bytes) {
                Some((version, rules)) if version >= UNCHECKED => Found::Newer { version, rules },
                _ => Found::Nothing,
            };
        };
        if at < CHECKED_BYTES {
            let read = bytes.get(at..).and_then(read_first::<UncheckedHead>);
            return read.map_or(Found::Nothing, |(head, _)| {
                Found::Unproven(Unproven::Unchecked, versioned(&head.records).flatten().collect())
            });
        }
        let Some((head, body)) = bytes.get(at..).and_then(read_first::<Head>) else { return Found::Nothing };
        let (marked, rest) = bytes.split_at(MARKED_BYTES);
        let (check, rest) = rest.split_at(CHECK_BYTES);
        // What follows the body is left of a longer request.
        let whole = lengths(rest).and_then(|[head, body]| rest.get(..FRONT_BYTES + head + body));
        if whole.zip(key).is_some_and(|(whole, key)| key.fits(&[marked, whole], check)) {
            return Found::Request(Self { head, body: body.to_vec() });
        }
        Found::Unproven(Unproven::Foreign, versioned(&head.records).flatten().collect())
    }

    #[must_use]
    pub fn post<'a>(&'a self, format: &'a dyn Format) -> Post<'a> {
        Post {
            body: Packed { bytes: &self.body, is_gzip: self.head.is_gzip },
            content_type: &self.head.content_type,
            idempotency_key: &self.head.idempotency_key,
            format,
            records: self.head.records.len(),
        }
    }

    /// Its records, in order; `None` is a record without an identity.
    #[must_use]
    pub fn records(&self) -> Vec<Option<Versioned>> {
        versioned(&self.head.records).collect()
    }

    /// Those of its records that have an identity.
    #[must_use]
    pub fn named(&self) -> Vec<Versioned> {
        self.records().into_iter().flatten().collect()
    }
}

fn versioned(records: &[SavedRecord]) -> impl Iterator<Item = Option<Versioned>> {
    let record = |(high, low, version, count): &(u64, u64, u64, u32)| Versioned {
        identity: Identity(u128::from(*high) << 64 | u128::from(*low)),
        version: Version(*version),
        count: *count,
    };
    records.iter().map(move |named| named.as_ref().map(record))
}
