//! OTLP in protobuf: `opentelemetry/proto/logs/v1/logs.proto`, the fields that a log has.
//!
//! A nested message is written behind room for its length, which is filled in when the message ends. The room has a fixed
//! size, because protobuf allows a varint to be longer than necessary.

use super::log::{AttributeValue, Attributes, Log, SCOPE};

/// The bytes of a length. Messages are shorter than 2²⁸ bytes.
const LENGTH_BYTES: usize = 4;

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;

/// Appends the field `resource_logs` of an `ExportLogsServiceRequest`.
pub(super) fn write(log: &Log<'_>, out: &mut Vec<u8>) {
    message(1, out, |out| {
        message(1, out, |out| attributes(1, &log.resource, out));
        message(2, out, |out| {
            message(1, out, |out| {
                text(1, SCOPE.0, out);
                text(2, SCOPE.1, out);
            });
            message(2, out, |out| record(log, out));
        });
    });
}

fn record(log: &Log<'_>, out: &mut Vec<u8>) {
    if log.time_nanos > 0 {
        tag(1, FIXED64, out);
        out.extend_from_slice(&log.time_nanos.to_le_bytes());
    }
    tag(2, VARINT, out);
    varint(u64::from(log.severity), out);
    text(3, log.severity_text, out);
    message(5, out, |out| text(1, &log.body, out));
    attributes(6, &log.attributes, out);
    tag(11, FIXED64, out);
    out.extend_from_slice(&log.observed_nanos.to_le_bytes());
    text(12, log.event_name, out);
}

fn attributes(field: u32, attributes: &Attributes<'_>, out: &mut Vec<u8>) {
    for (name, value) in attributes {
        message(field, out, |out| {
            text(1, name, out);
            message(2, out, |out| self::value(value, out));
        });
    }
}

/// The fields of an `AnyValue`.
fn value(value: &AttributeValue<'_>, out: &mut Vec<u8>) {
    match value {
        AttributeValue::Text(said) => text(1, said, out),
        AttributeValue::Int(number) => {
            tag(3, VARINT, out);
            varint(number.cast_unsigned(), out);
        }
        AttributeValue::List(texts) => message(5, out, |out| {
            for said in texts {
                message(1, out, |out| text(1, said, out));
            }
        }),
    }
}

fn message(field: u32, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    tag(field, BYTES, out);
    let place = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    write(out);
    let mut left = out.len() - place - LENGTH_BYTES;
    for (index, byte) in out[place..place + LENGTH_BYTES].iter_mut().enumerate() {
        let more = if index + 1 < LENGTH_BYTES { 0x80 } else { 0 };
        *byte = more | u8::try_from(left & 0x7f).unwrap_or_default();
        left >>= 7;
    }
}

fn text(field: u32, text: &str, out: &mut Vec<u8>) {
    tag(field, BYTES, out);
    varint(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

fn tag(field: u32, kind: u8, out: &mut Vec<u8>) {
    varint(u64::from(field << 3) | u64::from(kind), out);
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while let more @ 0x80.. = number {
        out.push(0x80 | u8::try_from(more & 0x7f).unwrap_or_default());
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or_default());
}
