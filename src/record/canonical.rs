//! A hash of a value's content that does not depend on how the value is encoded.
//!
//! It ignores the order of a map's keys and the encoding of numbers, strings and lengths. If a key occurs
//! twice, the last value counts, as everywhere. Nothing recurses, because the filter runs on a stack of 24
//! KiB and a sender may nest values as deep as he likes.

use xxhash_rust::xxh3::xxh3_128;

use super::cursor::{Cursor, DecodeError, Token};

/// 128 bits.
pub type Hash = u128;

/// A container whose children are being hashed.
struct Open {
    is_map: bool,
    /// Children still to come; a pair of a map counts as two.
    left: u64,
    /// For a map: where its children's hashes begin. For a list: where the hash so far is.
    start: usize,
}

/// Hashes the value at the cursor and moves the cursor past it.
///
/// # Errors
/// When it is not one whole value.
pub fn hash(cursor: &mut Cursor<'_>) -> Result<Hash, DecodeError> {
    let mut hashes: Vec<Hash> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    loop {
        let token = cursor.token()?;
        let (is_map, left) = match token {
            Token::Map(len) => (true, 2 * u64::from(len)),
            Token::Array(len) => (false, u64::from(len)),
            _ => (false, 0),
        };
        if left > 0 {
            open.push(Open { is_map, left, start: hashes.len() });
            if !is_map {
                hashes.push(tagged(b'a', &[]));
            }
            continue;
        }
        let mut done = scalar(token);
        // Closes every container that ends with this child.
        loop {
            let Some(container) = open.last_mut() else { return Ok(done) };
            if container.is_map {
                hashes.push(done);
            } else if let Some(so_far) = hashes.last_mut() {
                *so_far = pair(*so_far, done);
            }
            container.left -= 1;
            if container.left > 0 {
                break;
            }
            let (is_map, start) = (container.is_map, container.start);
            done = if is_map { of_map(&hashes[start..]) } else { hashes[start] };
            hashes.truncate(start);
            open.pop();
        }
    }
}

/// The hash of named hashes, in any order.
#[must_use]
pub fn of_members(members: &mut [(&'static str, Hash)]) -> Hash {
    members.sort_unstable();
    members.iter().fold(tagged(b'r', &[]), |so_far, (name, value)| {
        pair(pair(so_far, tagged(b's', name.as_bytes())), *value)
    })
}

/// Hashes keys and values in turn; the last of equal keys counts.
fn of_map(children: &[Hash]) -> Hash {
    let (pairs, _) = children.as_chunks::<2>();
    // The index is part of the sort key, so that the last of equal keys stays last. A stable sort would need
    // 4 KiB of stack.
    let mut order: Vec<usize> = (0..pairs.len()).collect();
    order.sort_unstable_by_key(|place| (pairs.get(*place).map(|[key, _]| *key), *place));
    let mut ordered = order.iter().filter_map(|place| pairs.get(*place)).peekable();
    let mut so_far = tagged(b'm', &[]);
    while let Some([key, value]) = ordered.next() {
        if ordered.peek().is_none_or(|[next, _]| next != key) {
            so_far = pair(pair(so_far, *key), *value);
        }
    }
    so_far
}

fn scalar(token: Token<'_>) -> Hash {
    match token {
        Token::Nil => tagged(b'0', &[]),
        Token::Bool(value) => tagged(b'b', &[u8::from(value)]),
        Token::Int(value) => tagged(b'n', &i128::from(value).to_le_bytes()),
        Token::Uint(value) => tagged(b'n', &i128::from(value).to_le_bytes()),
        Token::Float(value) => float(value),
        Token::Str(text) | Token::Bin(text) => tagged(b's', text),
        Token::Ext(kind, bytes) => pair(tagged(b'e', &kind.to_le_bytes()), tagged(b's', bytes)),
        Token::Map(_) => tagged(b'm', &[]),
        Token::Array(_) => tagged(b'a', &[]),
    }
}

/// A float that is a whole number has the hash of that integer.
fn float(value: f64) -> Hash {
    const BEYOND_INTEGERS: f64 = 18_446_744_073_709_551_616.0;
    if value.fract() == 0.0 && value.abs() < BEYOND_INTEGERS {
        #[expect(clippy::cast_possible_truncation, reason = "checked above")]
        let whole = value as i128;
        return tagged(b'n', &whole.to_le_bytes());
    }
    tagged(b'f', &value.to_bits().to_le_bytes())
}

fn pair(one: Hash, other: Hash) -> Hash {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&one.to_le_bytes());
    bytes[16..].copy_from_slice(&other.to_le_bytes());
    xxh3_128(&bytes)
}

/// Includes the type of the value, so that a string differs from a number and a list from a map.
fn tagged(tag: u8, content: &[u8]) -> Hash {
    let hash = xxh3_128(content);
    pair(hash, tag.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rmpv::Value;

    use super::*;

    fn hash_of(value: &Value) -> Hash {
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, value).unwrap();
        hash(&mut Cursor::new(&bytes)).unwrap()
    }

    /// The same content with reversed maps and other encodings.
    fn shuffled(value: &Value) -> Value {
        match value {
            Value::Map(pairs) => {
                Value::Map(pairs.iter().rev().map(|(key, value)| (shuffled(key), shuffled(value))).collect())
            }
            Value::Array(items) => Value::Array(items.iter().map(shuffled).collect()),
            Value::String(text) => Value::Binary(text.as_bytes().to_vec()),
            Value::Integer(number) => number
                .as_i64()
                .filter(|number| number.abs() < 1 << 50)
                .map_or(value.clone(), |_| Value::F64(number.as_f64().unwrap())),
            other => other.clone(),
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Nil),
            any::<bool>().prop_map(Value::from),
            (-3..3i64).prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (0..6u8).prop_map(|halves| Value::F64(f64::from(halves) / 2.0)),
            "[ab0-1]{0,2}".prop_map(|text: String| Value::from(text)),
        ];
        leaf.prop_recursive(4, 24, 4, |inside| {
            prop_oneof![
                prop::collection::vec(inside.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map("[a-d]", inside, 0..4).prop_map(|map| {
                    Value::Map(map.into_iter().map(|(key, value)| (Value::from(key), value)).collect())
                }),
            ]
        })
    }

    /// The content as text with sorted keys, as a second way to compare two values.
    fn said(value: &Value) -> String {
        match value {
            Value::Map(pairs) => {
                let mut pairs: Vec<_> =
                    pairs.iter().map(|(key, value)| format!("{}:{}", said(key), said(value))).collect();
                pairs.sort();
                format!("{{{}}}", pairs.join(","))
            }
            Value::Array(items) => format!("[{}]", items.iter().map(said).collect::<Vec<_>>().join(",")),
            Value::String(text) => format!("{:?}", text.as_str()),
            Value::Binary(bytes) => format!("{:?}", std::str::from_utf8(bytes).ok()),
            Value::Integer(number) => number.to_string(),
            Value::F64(number) => number.to_string(),
            other => other.to_string(),
        }
    }

    proptest! {
        #[test]
        fn it_is_the_same_for_what_says_the_same_and_for_nothing_else(one in any_value(), other in any_value()) {
            prop_assert_eq!(hash_of(&one), hash_of(&shuffled(&one)));
            prop_assert_eq!(hash_of(&one) == hash_of(&other), said(&one) == said(&other));
        }
    }

    #[test]
    fn of_a_key_that_comes_twice_the_last_value_counts() {
        let map = |pairs: &[(&str, i64)]| {
            Value::Map(pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect())
        };
        let hash = |pairs: &[(&str, i64)]| hash_of(&map(pairs));
        assert_eq!(hash(&[("a", 1), ("b", 2), ("a", 3)]), hash(&[("b", 2), ("a", 3)]));
        assert_ne!(hash(&[("a", 3), ("b", 2), ("a", 1)]), hash(&[("b", 2), ("a", 3)]));
    }

    #[test]
    fn borders_and_kinds_count() {
        let values = [
            Value::Nil,
            false.into(),
            0.into(),
            "".into(),
            "0".into(),
            Value::F64(0.5),
            Value::Array(vec![]),
            Value::Map(vec![]),
            Value::Array(vec![Value::Array(vec![])]),
            Value::Array(vec![1.into(), Value::Array(vec![2.into()])]),
            Value::Array(vec![Value::Array(vec![1.into()]), 2.into()]),
            Value::Map(vec![("a".into(), "b".into())]),
            Value::Map(vec![("b".into(), "a".into())]),
            Value::Array(vec!["a".into(), "b".into()]),
            Value::Ext(1, vec![]),
            u64::MAX.into(),
            Value::F64(1e300),
        ];
        for (index, one) in values.iter().enumerate() {
            for other in &values[index + 1..] {
                assert_ne!(hash_of(one), hash_of(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn depth_and_width_cost_no_stack_and_little_time() {
        for bytes in [
            [vec![0x91; 1_000_000], vec![0xc0]].concat(),
            [[0x81, 0xa1, b'a'].repeat(300_000), vec![0xc0]].concat(),
            [vec![0xdd, 0, 0x0f, 0x42, 0x40], vec![1; 1_000_000]].concat(),
            // 300,000 keys of four bytes.
            (0..300_000u32).fold(vec![0xdf, 0, 0x04, 0x93, 0xe0], |mut map, key| {
                map.push(0xce);
                map.extend_from_slice(&key.to_be_bytes());
                map.push(0xc0);
                map
            }),
        ] {
            let of = |bytes: Vec<u8>| hash(&mut Cursor::new(&bytes)).unwrap();
            let small = std::thread::Builder::new().stack_size(16_384).spawn(move || of(bytes));
            small.unwrap().join().unwrap();
        }
    }
}
