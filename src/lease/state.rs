//! The annotation of the Lease with what its spec has no field for: the watermark, and what is announced.
//!
//! ```text
//! v1.<base64 of:>
//! flags              1 byte: bit 0 says that there is a watermark
//! holder             8 bytes: xxh3 of the holder who wrote it
//! renewals           LEB128, as all numbers below
//! duration           in milliseconds
//! history, from, through                              only with a watermark
//! exceptions         their count, then for each:
//!                    twice the distance to the one before, plus one if it hides others
//!                    4 bytes of its event, and the zigzag distance to the last `above`: only if it hides others
//! announced          their count, then for each the distance to the one before
//! checksum           8 bytes: xxh3 of all before
//! ```
//! Distances wrap around, so that every content has a text, and no text has two meanings.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use xxhash_rust::xxh3::xxh3_64;

use super::leb128::{Cursor, push, unzigzag, zigzag};
use crate::replicas::Millis;
use crate::replicas::lease::LeaseContent;
use crate::replicas::watermark::{Exception, Hidden, Watermark};

const FORM: &str = "v1.";
/// A longer text is not read: nothing that this plugin writes comes near it.
const MOST_BYTES: usize = 64 << 10;
const CHECKSUM_BYTES: usize = 8;
const HAS_WATERMARK: u8 = 1;

/// How long the text should be at most. Each write is a revision of etcd, twice a second at most.
pub const STATE_BYTES: usize = 3 << 10;

/// All but exceptions and announced versions, at most: the numbers above with every bit set, and the first distances, which
/// are whole versions.
const FIXED_BYTES: usize = 80;
/// If neighbours are less than 2³⁴ versions apart.
const EXCEPTION_BYTES: usize = 14;
/// If neighbours are less than 2²¹ versions apart.
const ANNOUNCED_BYTES: usize = 3;

/// How many exceptions a watermark may list so that the text has at most this many bytes beside this many announced
/// versions.
#[must_use]
pub fn exceptions_within(text_bytes: usize, announced: usize) -> usize {
    let packed = text_bytes.saturating_sub(FORM.len()) / 4 * 3;
    let others = FIXED_BYTES.saturating_add(announced.saturating_mul(ANNOUNCED_BYTES));
    packed.saturating_sub(others) / EXCEPTION_BYTES
}

/// What the text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// [`holder_hash`] of who wrote it.
    pub(super) holder: u64,
    pub(super) renewals: u64,
    pub(super) duration: Millis,
    pub(super) watermark: Option<Watermark>,
    pub(super) announced: Vec<u64>,
}

/// Why a text says nothing. The watermark is unknown then; the next write of a holder replaces the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateError {
    /// It has this many bytes, more than any version of the plugin writes.
    TooLong(usize),
    /// A newer version of the plugin wrote it.
    OtherForm,
    /// Somebody has edited it, or it was cut: the checksum is wrong.
    Damaged,
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(bytes) => write!(f, "it has {bytes} bytes, more than {MOST_BYTES}"),
            Self::OtherForm => f.write_str("another version of the plugin wrote it"),
            Self::Damaged => f.write_str("its checksum is wrong"),
        }
    }
}

pub(super) fn holder_hash(holder: &str) -> u64 {
    xxh3_64(holder.as_bytes())
}

/// The text for what a holder writes.
pub(super) fn text(content: &LeaseContent) -> String {
    let mut bytes = vec![u8::from(content.watermark.is_some()) * HAS_WATERMARK];
    bytes.extend(holder_hash(&content.holder).to_le_bytes());
    push(&mut bytes, content.renewals.into());
    push(&mut bytes, content.duration.into());
    if let Some(watermark) = &content.watermark {
        push(&mut bytes, watermark.history.into());
        push(&mut bytes, watermark.from.into());
        push(&mut bytes, watermark.through.into());
        push(&mut bytes, watermark.except.len() as u128);
        let (mut last, mut last_above) = (0_u64, 0_u64);
        for Exception { version, hidden } in &watermark.except {
            let distance = version.wrapping_sub(last);
            push(&mut bytes, u128::from(distance) << 1 | u128::from(hidden.is_some()));
            last = *version;
            if let Some(Hidden { event, above }) = hidden {
                bytes.extend(event.to_le_bytes());
                push(&mut bytes, zigzag(above.wrapping_sub(last_above)).into());
                last_above = *above;
            }
        }
    }
    push(&mut bytes, content.announced.len() as u128);
    let mut last = 0_u64;
    for version in &content.announced {
        push(&mut bytes, version.wrapping_sub(last).into());
        last = *version;
    }
    let checksum = xxh3_64(&bytes);
    bytes.extend(checksum.to_le_bytes());
    format!("{FORM}{}", STANDARD_NO_PAD.encode(bytes))
}

/// Reads a text.
///
/// # Errors
/// Why nothing of it counts.
pub(super) fn read(text: &str) -> Result<State, StateError> {
    if text.len() > MOST_BYTES {
        return Err(StateError::TooLong(text.len()));
    }
    let Some(packed) = text.strip_prefix(FORM) else {
        let number = text.strip_prefix('v').and_then(|rest| rest.split_once('.'));
        let is_form = number.is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        return Err(if is_form { StateError::OtherForm } else { StateError::Damaged });
    };
    let bytes = STANDARD_NO_PAD.decode(packed).map_err(|_| StateError::Damaged)?;
    let (body, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(StateError::Damaged)?;
    if xxh3_64(body) != u64::from_le_bytes(*checksum) {
        return Err(StateError::Damaged);
    }
    state(Cursor::new(body)).ok_or(StateError::Damaged)
}

fn state(mut cursor: Cursor<'_>) -> Option<State> {
    let [flags] = cursor.array()?;
    let holder = u64::from_le_bytes(cursor.array()?);
    let renewals = cursor.number()?;
    let duration = cursor.number()?;
    let watermark = if flags & HAS_WATERMARK == 0 { None } else { Some(watermark(&mut cursor)?) };
    let mut last = 0_u64;
    let announced = cursor.list(|cursor| {
        last = last.wrapping_add(cursor.number()?);
        Some(last)
    })?;
    cursor.is_empty().then_some(State { holder, renewals, duration, watermark, announced })
}

fn watermark(cursor: &mut Cursor<'_>) -> Option<Watermark> {
    let history = u32::try_from(cursor.number()?).ok()?;
    let (from, through) = (cursor.number()?, cursor.number()?);
    let (mut last, mut last_above) = (0_u64, 0_u64);
    let except = cursor.list(|cursor| {
        let number = cursor.long()?;
        last = last.wrapping_add(u64::try_from(number >> 1).ok()?);
        if number & 1 == 0 {
            return Some(Exception { version: last, hidden: None });
        }
        let event = u32::from_le_bytes(cursor.array()?);
        last_above = last_above.wrapping_add(unzigzag(cursor.number()?));
        Some(Exception { version: last, hidden: Some(Hidden { event, above: last_above }) })
    })?;
    Some(Watermark { history, from, through, except })
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exception() -> impl Strategy<Value = Exception> {
        let hidden = proptest::option::of(
            (any::<u32>(), any::<u64>()).prop_map(|(event, above)| Hidden { event, above }),
        );
        (any::<u64>(), hidden).prop_map(|(version, hidden)| Exception { version, hidden })
    }

    fn watermark() -> impl Strategy<Value = Watermark> {
        let except = proptest::collection::vec(exception(), 0..40);
        (any::<u32>(), any::<u64>(), any::<u64>(), except)
            .prop_map(|(history, from, through, except)| Watermark { history, from, through, except })
    }

    pub(in super::super) fn content() -> impl Strategy<Value = LeaseContent> {
        let announced = proptest::collection::vec(any::<u64>(), 0..40);
        let watermark = proptest::option::of(watermark());
        // The spec's own fields have 32 bits, with a sign.
        let most = u64::from(i32::MAX.unsigned_abs());
        let spec = ("[a-z0-9_-]{0,40}", 0..=most * 1_000, 0..=i32::MAX.unsigned_abs());
        (spec, any::<u64>(), watermark, announced).prop_map(
            |((holder, duration, transitions), renewals, watermark, announced)| LeaseContent {
                holder,
                duration,
                transitions,
                renewals,
                watermark,
                announced,
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(content in content()) {
            let state = read(&text(&content)).unwrap();
            prop_assert_eq!(state.holder, holder_hash(&content.holder));
            prop_assert_eq!((state.renewals, state.duration), (content.renewals, content.duration));
            prop_assert_eq!((state.watermark, state.announced), (content.watermark, content.announced));
        }

        #[test]
        fn a_changed_text_says_the_same_or_nothing(
            content in content(),
            edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..4),
        ) {
            let written = text(&content);
            let mut changed = written.clone().into_bytes();
            for (at, byte, what) in edits {
                let at = at.index(changed.len());
                match what {
                    0 => changed[at] = byte & 0x7f,
                    1 => changed.insert(at, byte & 0x7f),
                    _ => changed.truncate(at.max(1)),
                }
            }
            let changed = String::from_utf8(changed).unwrap();
            if let Ok(state) = read(&changed) {
                prop_assert_eq!(Ok(state), read(&written), "{}", changed);
            }
        }

        /// A wrong text with the right checksum, which nobody but a person with a program makes.
        #[test]
        fn no_body_with_a_right_checksum_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let bytes = [&body[..], &xxh3_64(&body).to_le_bytes()].concat();
            let _ = read(&format!("{FORM}{}", STANDARD_NO_PAD.encode(bytes)));
        }

        #[test]
        fn what_fits_by_count_fits_by_length(
            text_bytes in 400_usize..5_000,
            announced in 0_usize..600,
            seed in any::<u64>(),
        ) {
            let count = exceptions_within(text_bytes, announced);
            prop_assume!(count > 0);
            let mut random = seed;
            let mut step = |bits: u32| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                random >> (64 - bits)
            };
            let mut version = u64::MAX >> 1;
            let mut except = Vec::new();
            for _ in 0..count {
                version += step(33);
                let above = (u64::MAX >> 1) + step(33);
                except.push(Exception { version, hidden: Some(Hidden { event: u32::MAX, above }) });
            }
            let mut version = u64::MAX >> 1;
            let announced = (0..announced).map(|_| { version += step(21); version }).collect();
            let content = LeaseContent {
                holder: "gateway".to_owned(),
                duration: 1 << 40,
                transitions: 0,
                renewals: u64::MAX,
                watermark: Some(Watermark { history: u32::MAX, from: u64::MAX, through: u64::MAX, except }),
                announced,
            };
            let length = text(&content).len();
            prop_assert!(length <= text_bytes, "{} of {}", length, text_bytes);
        }
    }

    #[test]
    fn the_default_has_room_for_many() {
        assert_eq!(exceptions_within(STATE_BYTES, 0), 158);
        assert_eq!(exceptions_within(STATE_BYTES, 500), 51);
        assert_eq!(exceptions_within(0, usize::MAX), 0);
    }

    #[test]
    fn each_reason_to_read_nothing_has_its_name() {
        let long = format!("{FORM}{}", "A".repeat(MOST_BYTES));
        for (text, why) in [
            (&*long, StateError::TooLong(long.len())),
            ("v2.AAAA", StateError::OtherForm),
            ("v.AAAA", StateError::Damaged),
            ("v1.", StateError::Damaged),
            ("v1.AAAA", StateError::Damaged),
            ("", StateError::Damaged),
            ("{\"watermark\":7}", StateError::Damaged),
        ] {
            assert_eq!(read(text), Err(why), "{why}");
        }
    }
}
