//! Is a saved request read as it was written, and is nothing else taken for one?

use super::*;
use crate::config::FormatName;
use crate::format::Renderer;

fn key() -> CheckKey {
    CheckKey::from_bytes(&[7; 32]).unwrap()
}

fn written(saved: &SavedRequest) -> Vec<u8> {
    let mut bytes = saved.head.bytes_before_body(&key(), &saved.body).unwrap();
    bytes.extend_from_slice(&saved.body);
    bytes
}

fn read(bytes: &[u8]) -> Found {
    // As a file is read.
    let front = &bytes[..bytes.len().min(LONGEST_FRONT_BYTES)];
    let len_bytes = SavedRequest::len_bytes(front).clamp(front.len(), bytes.len());
    let found = SavedRequest::read(&bytes[..len_bytes], Some(&key()));
    assert_eq!(found, SavedRequest::read(bytes, Some(&key())));
    found
}

fn saved() -> SavedRequest {
    let body = vec![7; 100];
    let records = [
        Some(Versioned { identity: Identity(u128::MAX - 5), version: Version(u64::MAX), count: u32::MAX }),
        None,
        Some(Versioned { identity: Identity(3), version: Version(0), count: 1 }),
    ];
    let renderer = Renderer::new(FormatName::Native, "").unwrap();
    let packed = Packed { bytes: &body, is_gzip: true };
    let post = Post {
        body: packed,
        content_type: "application/x-ndjson",
        idempotency_key: "0f",
        format: renderer.format(),
        records: records.len(),
    };
    let head = Head::new([1; 32], 7, &post, &records);
    let saved = SavedRequest { head, body: body.clone() };
    assert_eq!(saved.records(), records);
    saved
}

#[test]
fn it_is_read_as_it_was_written_whatever_follows() {
    let saved = saved();
    let mut bytes = written(&saved);
    assert_eq!(read(&bytes), Found::Request(saved.clone()));
    bytes.extend_from_slice(&[9; 50]);
    assert_eq!(read(&bytes), Found::Request(saved));
}

/// The file is one of the last version without a mark (cc4bf20), and the same behind the mark of version 2.
#[test]
fn only_the_records_of_a_request_without_a_check_are_read() {
    let first = include_bytes!("../../../tests/data/state/request-1");
    let second = [&MARK[..], &UNCHECKED.to_le_bytes(), &RULES.to_le_bytes(), first].concat();
    for bytes in [&first[..], &second] {
        assert_eq!(read(bytes), Found::Unproven(Unproven::Unchecked, saved().named()));
    }
}

#[test]
fn a_request_of_another_key_is_foreign() {
    let (saved, bytes) = (saved(), written(&saved()));
    let foreign = Found::Unproven(Unproven::Foreign, saved.named());
    assert_eq!(SavedRequest::read(&bytes, CheckKey::from_bytes(&[8; 32]).as_ref()), foreign);
    assert_eq!(SavedRequest::read(&bytes, None), foreign);
}

#[test]
fn a_request_of_today_is_nothing_to_older_versions() {
    let bytes = written(&saved());
    assert!(read_first::<UncheckedHead>(&bytes).is_none(), "version 1");
    assert!(marks(&bytes).unwrap().0 > UNCHECKED, "version 2");
}

#[test]
fn a_newer_request_is_never_misread() {
    let good = written(&saved());
    for (version, rules) in
        [(VERSION + 1, RULES), (VERSION, RULES + 1), (UNCHECKED, RULES + 1), (u32::MAX, 0)]
    {
        let mut bytes = good.clone();
        bytes[8..12].copy_from_slice(&version.to_le_bytes());
        bytes[12..16].copy_from_slice(&rules.to_le_bytes());
        assert_eq!(read(&bytes), Found::Newer { version, rules });
        // Nor does it matter what a newer version writes behind that.
        assert_eq!(read(&bytes[..16]), Found::Newer { version, rules });
    }
    for version in [0u32, 1] {
        let mut bytes = good.clone();
        bytes[8..12].copy_from_slice(&version.to_le_bytes());
        assert_eq!(read(&bytes), Found::Nothing, "no version wrote that");
    }
}

/// Who can write the file can make a checksum, too.
#[test]
fn no_byte_can_be_changed_with_its_checksum_made_good() {
    let good = written(&saved());
    for at in (0..MARKED_BYTES).chain(MARKED_BYTES..good.len()) {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        let front = &mut bytes[CHECKED_BYTES..];
        let Some([head, body]) = lengths(front) else { continue };
        let Some(whole) = front.get(..FRONT_BYTES.saturating_add(head).saturating_add(body)) else {
            continue;
        };
        let (head, body) = whole[CHECKSUM_BYTES..].split_at(16 + head);
        let sum = checksum(head, body).to_le_bytes();
        bytes[CHECKED_BYTES..CHECKED_BYTES + CHECKSUM_BYTES].copy_from_slice(&sum);
        if bytes != good {
            assert!(!matches!(read(&bytes), Found::Request(_)), "byte {at}");
        }
    }
}

#[test]
fn lengths_beyond_all_bounds_are_not_read() {
    let mut bytes = written(&saved());
    for (at, length) in [(56, MOST_HEAD_BYTES), (64, MOST_BODY_BYTES), (56, usize::MAX), (64, usize::MAX - 9)]
    {
        bytes[at..at + 8].copy_from_slice(&(length as u64).saturating_add(1).to_le_bytes());
        assert_eq!(SavedRequest::len_bytes(&bytes[..LONGEST_FRONT_BYTES]), 0);
        assert_eq!(read(&bytes), Found::Nothing);
    }
}

#[test]
fn what_is_not_whole_is_nothing() {
    let bytes = written(&saved());
    for length in 0..bytes.len() {
        assert_eq!(read(&bytes[..length]), Found::Nothing, "cut at {length}");
    }
    for at in 0..bytes.len() {
        for flip in [1, 0x80, 0xff] {
            let mut bytes = bytes.clone();
            bytes[at] ^= flip;
            // In version or rules it may look like a newer one, which is ignored as well.
            let is_nothing = match read(&bytes) {
                Found::Request(_) => false,
                Found::Newer { .. } => (MARK.len()..MARKED_BYTES).contains(&at),
                // The checksum is good still.
                Found::Unproven(why, _) => {
                    why == Unproven::Foreign && (MARK.len()..CHECKED_BYTES).contains(&at)
                }
                Found::Nothing => true,
            };
            assert!(is_nothing, "byte {at} with {flip:#x}");
        }
    }
    assert_eq!(read(&[0xff; 100]), Found::Nothing);
    assert_eq!(read(&[0; 100]), Found::Nothing, "the mark of a settled request");
}
