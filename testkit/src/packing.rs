//! Records in every framing, packed by another writer than ours, as tightly as can be or as widely.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use rmpv::Value;

/// The record around a body: one of the framings, chosen by a number.
pub fn framed(body: &Value, framing: usize, wide: bool) -> Vec<u8> {
    let heads: [&[u8]; 5] = [
        &[0x92, 0x92, 0xd7, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0x80],
        &[0xdd, 0, 0, 0, 2, 0xdd, 0, 0, 0, 2, 0xd7, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0xdf, 0, 0, 0, 0],
        &[0x92, 0xd7, 0, 0, 0, 0, 9, 0, 0, 0, 0],
        &[0x92, 0xce, 0x65, 0, 0, 0],
        &[0xdc, 0, 2, 0xcb, 0x41, 0xd0, 0, 0, 0, 0, 0, 0],
    ];
    let mut record = heads[framing % heads.len()].to_vec();
    encode(&mut record, body, wide);
    record
}

/// Writes a value, every length and integer in its shortest form, or in its longest.
fn encode(out: &mut Vec<u8>, value: &Value, wide: bool) {
    let head = |out: &mut Vec<u8>, marker: u8, len: usize| {
        out.push(marker);
        out.extend(u32::try_from(len).unwrap().to_be_bytes());
    };
    match value {
        // rmpv writes a text that is no UTF-8 as bytes.
        Value::String(text) => {
            if wide {
                head(out, 0xdb, text.as_bytes().len());
            } else {
                rmp::encode::write_str_len(out, u32::try_from(text.as_bytes().len()).unwrap()).unwrap();
            }
            out.extend(text.as_bytes());
        }
        Value::Integer(number) if wide => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => {
                out.push(0xd3);
                out.extend(number.to_be_bytes());
            }
            (None, number) => {
                out.push(0xcf);
                out.extend(number.unwrap().to_be_bytes());
            }
        },
        Value::Array(values) => {
            if wide {
                head(out, 0xdd, values.len());
            } else {
                rmp::encode::write_array_len(out, u32::try_from(values.len()).unwrap()).unwrap();
            }
            values.iter().for_each(|value| encode(out, value, wide));
        }
        Value::Map(pairs) => {
            if wide {
                head(out, 0xdf, pairs.len());
            } else {
                rmp::encode::write_map_len(out, u32::try_from(pairs.len()).unwrap()).unwrap();
            }
            for (key, value) in pairs {
                encode(out, key, wide);
                encode(out, value, wide);
            }
        }
        other => rmpv::encode::write_value(out, other).unwrap(),
    }
}
