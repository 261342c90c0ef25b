//! `ExportLogsServiceResponse` in protobuf: field 1, a message of the fields 1 (int64) and 2 (string).
//!
//! `prost` could decode it without a protobuf compiler, but it rejects a whole response that was cut. This reader returns
//! the fields before the cut, because rejected records must not count as delivered. It also saves a crate.

/// `partial_success`; if it is absent, zero and an empty text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PartialSuccess {
    pub rejected: i64,
    pub message: String,
}

/// The tag of the one field: a message.
pub(super) const PARTIAL_SUCCESS: u8 = 0x0a;

/// The decoded response.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    /// The fields up to the first byte that is not protobuf.
    pub partial: PartialSuccess,
    /// The whole body is protobuf.
    pub is_whole: bool,
}

pub(super) fn read(body: &[u8]) -> Decoded {
    let mut partial = PartialSuccess::default();
    let mut outer = Fields(body);
    let mut is_whole = true;
    for (field, value) in outer.by_ref() {
        let (1, Wire::Bytes(inside)) = (field, value) else { continue };
        let mut fields = Fields(inside);
        is_whole &= fields.read_into(&mut partial);
    }
    // A message that was cut is read up to the cut.
    if let Some(cut) = outer.0.strip_prefix(&[PARTIAL_SUCCESS]) {
        let mut rest = Fields(cut);
        if rest.varint().is_some() {
            rest.read_into(&mut partial);
        }
    }
    Decoded { partial, is_whole: is_whole && outer.0.is_empty() }
}

/// The fields of a message, up to the first that is cut or of a deprecated type.
struct Fields<'b>(&'b [u8]);

enum Wire<'b> {
    Varint(u64),
    Bytes(&'b [u8]),
    Fixed,
}

impl<'b> Iterator for Fields<'b> {
    type Item = (u64, Wire<'b>);

    fn next(&mut self) -> Option<Self::Item> {
        let before = self.0;
        let field = self.field();
        if field.is_none() {
            self.0 = before;
        }
        field
    }
}

impl<'b> Fields<'b> {
    /// Reads the fields into `partial`. Returns whether all could be read.
    fn read_into(&mut self, partial: &mut PartialSuccess) -> bool {
        for (field, value) in self.by_ref() {
            match (field, value) {
                (1, Wire::Varint(number)) => partial.rejected = number.cast_signed(),
                (2, Wire::Bytes(text)) => partial.message = String::from_utf8_lossy(text).into_owned(),
                _ => {}
            }
        }
        self.0.is_empty()
    }

    fn field(&mut self) -> Option<(u64, Wire<'b>)> {
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
    fn fields_before_a_cut_count() {
        for (bytes, rejected, message, is_whole) in [
            (&b""[..], 0, "", true),
            (b"\x0a\x07\x08\x03\x12\x03old", 3, "old", true),
            // The text or the message is cut, or the next field is of an unknown type.
            (b"\x0a\x06\x08\x03\x12\x03ol", 3, "", false),
            (b"\x0a\x07\x08\x03\x12\x03ol", 3, "", false),
            (b"\x0a\x07", 0, "", false),
            (b"\x0a\x02\x08\x03\x0b", 3, "", false),
            (b"\x0a\x02\x08\x03\xff", 3, "", false),
            (b"\x09________\x0d____\x0a\x02\x08\x01", 1, "", true),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 0, "", false),
        ] {
            let partial = PartialSuccess { rejected, message: message.into() };
            assert_eq!(read(bytes), Decoded { partial, is_whole }, "{bytes:?}");
        }
    }
}
