//! Values as no sender should make them, from dice: a hundred times as fast as a property's strategies, for runs
//! of millions. They do not shrink; a seed and a number bring each again.
use rmpv::{Utf8String, Value};

use super::dice::Dice;

/// How many cases a comparison is made on: as many as `ORACLE_CASES` says, or else so many. `ORACLE_SEED` says
/// which.
pub fn numbers(default: u64) -> impl Iterator<Item = (u64, Dice)> {
    let read = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse().expect("the variable is a number"))
    };
    let (count, seed) = (read("ORACLE_CASES", default), read("ORACLE_SEED", 1));
    (0..count).map(move |number| (number, Dice(seed.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ number)))
}

/// Up to `longest` characters: plain, special to JSON, control characters, of two to four bytes, noncharacters.
pub fn text(dice: &mut Dice, longest: usize) -> String {
    (0..dice.below(longest + 1))
        .map(|_| match dice.below(16) {
            0 => ['"', '\\', '/', '\u{7f}', '\u{85}', '\u{2028}', '\u{fffe}', '\u{feff}'][dice.below(8)],
            1 => char::from(u8::try_from(dice.below(32)).expect("small")),
            2 => char::from_u32(u32::try_from(dice.below(0x11_0000)).expect("small")).unwrap_or('\u{10ffff}'),
            _ => char::from(b' ' + u8::try_from(dice.below(95)).expect("small")),
        })
        .collect()
}

fn bytes(dice: &mut Dice, longest: usize) -> Vec<u8> {
    (0..dice.below(longest + 1)).map(|_| dice.roll().to_le_bytes()[0]).collect()
}

fn scalar(dice: &mut Dice) -> Value {
    let bits = |dice: &mut Dice| dice.roll() >> dice.below(64);
    match dice.below(12) {
        0 => Value::from(bits(dice)),
        1 => Value::from(bits(dice).cast_signed().wrapping_neg()),
        2 => Value::F64(f64::from_bits(dice.roll())),
        3 => Value::F32(f32::from_bits(u32::try_from(dice.roll() >> 32).expect("32 bits"))),
        4 => Value::Nil,
        5 => Value::Boolean(dice.one_in(2)),
        6 => Value::Binary(bytes(dice, 9)),
        // Kind 0 is the host's own: a time, at the head of a record.
        7 => Value::Ext(1 + (dice.roll().to_le_bytes()[0] >> 2).cast_signed(), bytes(dice, 20)),
        8 => no_utf8(dice),
        _ => Value::String(Utf8String::from(text(dice, 12))),
    }
}

/// The decoder is the one way to a string that is no UTF-8.
fn no_utf8(dice: &mut Dice) -> Value {
    let bytes = bytes(dice, 12);
    let mut packed = vec![0xd9, u8::try_from(bytes.len()).expect("short")];
    packed.extend(bytes);
    rmpv::decode::read_value(&mut &*packed).expect("a string")
}

/// A map whose keys are nearly always of these, down to so many levels.
pub fn map(dice: &mut Dice, keys: &[&str], levels: usize) -> Value {
    let pairs = (0..dice.below(9)).map(|_| {
        let key = match dice.below(14) {
            0 => scalar(dice),
            1 => Value::Array((0..dice.below(3)).map(|_| scalar(dice)).collect()),
            _ => Value::from(keys[dice.below(keys.len())]),
        };
        let value = match dice.below(5) {
            0 if levels > 0 => Value::Array((0..dice.below(5)).map(|_| scalar(dice)).collect()),
            1 | 2 if levels > 0 => map(dice, keys, levels - 1),
            _ => scalar(dice),
        };
        (key, value)
    });
    Value::Map(pairs.collect())
}
