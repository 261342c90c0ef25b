//! Where in the file of a saved request everything is.
//!
//! ```text
//! marked  mark, 8 bytes │ version, u32 │ identity rules, u32
//! check   HMAC-SHA256 over all but itself, 32 bytes
//! front   checksum over all that follows it, u64 │ length of the head, u64 │ length of the body, u64
//! head    MessagePack, see `Head`
//! body    as it was sent
//! ```
//! The mark says that it is such a file, and which version wrote it. The checksum distinguishes a whole request from one that
//! a crash cut, the check a request of ours from any other.
//!
//! Version 2 had no check, and version 1 no mark either: it began with the checksum. Version 1 takes the mark for a checksum
//! that does not match, and version 2 takes this version for a newer one: both ignore the file. This version likewise
//! ignores a file of a newer version, or with identities of newer rules, and its reader learns that.

use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::Xxh3;

use crate::ledger::key::CHECK_BYTES;
use crate::record::identity::rules::RULES;

pub const MARK: [u8; 8] = *b"egw-sent";
/// The version of the layout behind the mark, and of the head.
pub const VERSION: u32 = 3;
/// The last version without a check.
pub const UNCHECKED: u32 = 2;
/// The length of `marked`.
pub const MARKED_BYTES: usize = MARK.len() + 8;
/// The length of `marked` and `check`.
pub const CHECKED_BYTES: usize = MARKED_BYTES + CHECK_BYTES;
pub const CHECKSUM_BYTES: usize = 8;
/// The length of `front`. Version 1 begins with it.
pub const FRONT_BYTES: usize = CHECKSUM_BYTES + 16;
/// The most that precedes the head in any version.
pub const LONGEST_FRONT_BYTES: usize = CHECKED_BYTES + FRONT_BYTES;
/// 10,000 records, the most that `batch_events` allows, take a third of it.
pub const MOST_HEAD_BYTES: usize = 1 << 20;
/// `batch_bytes` is at most 64 MB, and one record 1 MiB; a longer body was not written by us.
pub const MOST_BODY_BYTES: usize = 80 << 20;

/// Reads version and rules behind the mark.
pub fn marks(bytes: &[u8]) -> Option<(u32, u32)> {
    let marked = bytes.strip_prefix(&MARK)?;
    let number = |at: usize| Some(u32::from_le_bytes(*marked.get(at..)?.first_chunk::<4>()?));
    Some((number(0)?, number(4)?))
}

/// Where the front begins; `None` if this version cannot be read.
pub fn front_at(bytes: &[u8]) -> Option<usize> {
    match marks(bytes) {
        Some((VERSION, rules)) if rules <= RULES => Some(CHECKED_BYTES),
        Some((UNCHECKED, rules)) if rules <= RULES => Some(MARKED_BYTES),
        None if !bytes.starts_with(&MARK) => Some(0),
        _ => None,
    }
}

/// The lengths of head and body.
pub fn lengths(front: &[u8]) -> Option<[usize; 2]> {
    let number = |at: usize| Some(u64::from_le_bytes(*front.get(at..)?.first_chunk::<8>()?));
    let lengths = [number(CHECKSUM_BYTES)?, number(CHECKSUM_BYTES + 8)?];
    let [head, body] = lengths.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    FRONT_BYTES.checked_add(head)?.checked_add(body)?;
    Some([head, body])
}

/// Reads front, head and body: the whole of version 1, and what follows `marked` and `check` in others. `None` if that is
/// not whole.
pub fn read_first<H: DeserializeOwned>(bytes: &[u8]) -> Option<(H, &[u8])> {
    let [head_bytes, body_bytes] = lengths(bytes)?;
    let body_at = FRONT_BYTES + head_bytes;
    let body = bytes.get(body_at..body_at + body_bytes)?;
    let written = u64::from_le_bytes(*bytes.first_chunk::<CHECKSUM_BYTES>()?);
    if checksum(bytes.get(CHECKSUM_BYTES..body_at)?, body) != written {
        return None;
    }
    Some((rmp_serde::from_slice(bytes.get(FRONT_BYTES..body_at)?).ok()?, body))
}

pub fn checksum(head: &[u8], body: &[u8]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(head);
    hasher.update(body);
    hasher.digest()
}
