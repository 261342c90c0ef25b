//! `ExportLogsServiceResponse` in protobuf: field 1, a message of the fields 1 (int64) and 2 (string).
//!
//! Ten lines of reader for two fields: a generated one would bring a compiler of protobuf into the build.

use super::partial::Partial;

/// What is said, up to where it is no protobuf any more.
pub(super) fn partial(body: &[u8]) -> Partial {
    let mut partial = Partial::default();
    for (field, value) in Fields(body) {
        let (1, Wire::Bytes(inside)) = (field, value) else { continue };
        for (field, value) in Fields(inside) {
            match (field, value) {
                (1, Wire::Varint(number)) => partial.rejected = number.cast_signed(),
                (2, Wire::Bytes(text)) => partial.message = String::from_utf8_lossy(text).into_owned(),
                _ => {}
            }
        }
    }
    partial
}

/// The fields of a message, up to one that is cut or of a kind that is no longer in use.
struct Fields<'b>(&'b [u8]);

enum Wire<'b> {
    Varint(u64),
    Bytes(&'b [u8]),
    Fixed,
}

impl<'b> Iterator for Fields<'b> {
    type Item = (u64, Wire<'b>);

    fn next(&mut self) -> Option<Self::Item> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => self.take(8).map(|_| Wire::Fixed)?,
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                Wire::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Wire::Fixed)?,
            _ => return None,
        };
        Some((tag >> 3, value))
    }
}

impl<'b> Fields<'b> {
    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_before_it_broke_counts() {
        for (bytes, rejected, message) in [
            (&b""[..], 0, ""),
            (b"\x0a\x07\x08\x03\x12\x03old", 3, "old"),
            // The text is cut, or what follows is of no kind that is known.
            (b"\x0a\x06\x08\x03\x12\x03ol", 3, ""),
            (b"\x0a\x02\x08\x03\x0b", 3, ""),
            (b"\x0a\x02\x08\x03\xff", 3, ""),
            (b"\x09________\x0d____\x0a\x02\x08\x01", 1, ""),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 0, ""),
        ] {
            assert_eq!(partial(bytes), Partial { rejected, message: message.into() }, "{bytes:?}");
        }
    }
}
