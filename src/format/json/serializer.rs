//! Writes serde's data model as compact JSON, directly into the batch.
//!
//! It takes half the time of `serde_json` (`make bench`, docs/performance.md), because it copies strings without escapes as
//! a whole and does not check the names of a struct's fields, which are ours. It also keeps the last value of a repeated
//! key, and can write a document as an index of fields accepts it. Otherwise both write the same text, which a test checks; a
//! key that is not text is an error here.

use std::fmt::{self, Write};

use serde::ser::{
    Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, Serializer,
};

use super::object::{self, ObjectWriter};
use super::{indexed, text};

/// Appends values to a buffer; `INDEXED` selects JSON for an index of fields.
pub(super) struct Json<'o, const INDEXED: bool> {
    out: &'o mut Vec<u8>,
    /// The number of enclosing objects; used only for an index.
    depth: u8,
}

impl<'o, const INDEXED: bool> Json<'o, INDEXED> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, depth: 0 }
    }
}

/// A struct or a list that is being written.
pub(super) struct Open<'o, const INDEXED: bool> {
    out: &'o mut Vec<u8>,
    depth: u8,
    is_empty: bool,
    close: u8,
    /// Where it begins, and the types of its items; used only for an index.
    start: usize,
    types: indexed::ItemTypes,
}

/// A map that is being written.
pub(super) struct Map<'o, const INDEXED: bool> {
    out: &'o mut Vec<u8>,
    depth: u8,
    object: ObjectWriter,
}

impl<'o, const INDEXED: bool> Open<'o, INDEXED> {
    fn new(out: &'o mut Vec<u8>, depth: u8, open: u8, close: u8) -> Self {
        let start = out.len();
        out.push(open);
        Self { out, depth, is_empty: true, close, start, types: indexed::ItemTypes::default() }
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
    }

    fn item(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), fmt::Error> {
        self.separate();
        let start = self.out.len();
        value.serialize(Json::<INDEXED> { out: self.out, depth: self.depth })?;
        if INDEXED {
            self.types.note(self.out.get(start..).unwrap_or_default());
        }
        Ok(())
    }

    fn close(self) -> Result<(), fmt::Error> {
        self.out.push(self.close);
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident $kind:ty;)*) => {
        $(fn $method(self, value: $kind) -> Result<(), fmt::Error> {
            self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            Ok(())
        })*
    };
}

/// The methods for types that no document has.
macro_rules! without {
    ($($method:ident($($kind:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $kind),*) -> Result<$ok, fmt::Error> {
            Err(fmt::Error)
        })*
    };
}

impl<'o, const INDEXED: bool> Serializer for Json<'o, INDEXED> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Open<'o, INDEXED>;
    type SerializeTuple = Open<'o, INDEXED>;
    type SerializeTupleStruct = Impossible<(), fmt::Error>;
    type SerializeTupleVariant = Impossible<(), fmt::Error>;
    type SerializeMap = Map<'o, INDEXED>;
    type SerializeStruct = Open<'o, INDEXED>;
    type SerializeStructVariant = Impossible<(), fmt::Error>;

    numbers! {
        serialize_i8 i8; serialize_i16 i16; serialize_i32 i32; serialize_i64 i64;
        serialize_u8 u8; serialize_u16 u16; serialize_u32 u32;
    }

    fn serialize_u64(self, value: u64) -> Result<(), fmt::Error> {
        if INDEXED && !indexed::is_long(value) {
            return self.collect_str(&value);
        }
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        Ok(())
    }

    without! {
        serialize_unit_struct(&'static str) -> ();
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_bool(self, value: bool) -> Result<(), fmt::Error> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), fmt::Error> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), fmt::Error> {
        if INDEXED && !indexed::is_float(value) {
            return self.collect_str(&value);
        }
        serde_json::to_writer(self.out, &value).map_err(|_| fmt::Error)
    }

    fn serialize_char(self, value: char) -> Result<(), fmt::Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), fmt::Error> {
        text::write(value, self.out);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_none(self) -> Result<(), fmt::Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), fmt::Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<(), fmt::Error> {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'o, INDEXED>, fmt::Error> {
        Ok(Open::new(self.out, self.depth, b'[', b']'))
    }

    fn serialize_tuple(self, _: usize) -> Result<Open<'o, INDEXED>, fmt::Error> {
        self.serialize_seq(None)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Map<'o, INDEXED>, fmt::Error> {
        let object = ObjectWriter::open(self.out);
        Ok(Map { out: self.out, depth: self.depth.saturating_add(1), object })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'o, INDEXED>, fmt::Error> {
        Ok(Open::new(self.out, self.depth.saturating_add(1), b'{', b'}'))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), fmt::Error> {
        self.out.push(b'"');
        write!(Pieces(self.out), "{value}")?;
        self.out.push(b'"');
        Ok(())
    }
}

/// Appends the pieces of a text.
struct Pieces<'o>(&'o mut Vec<u8>);

impl Write for Pieces<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        text::write_inside(piece, self.0);
        Ok(())
    }
}

macro_rules! lists {
    ($($kind:ident)*) => {
        $(impl<const INDEXED: bool> $kind for Open<'_, INDEXED> {
            type Ok = ();
            type Error = fmt::Error;

            fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), fmt::Error> {
                self.item(value)
            }

            fn end(self) -> Result<(), fmt::Error> {
                if INDEXED && self.types.are_mixed() && let Some(open) = self.out.get_mut(self.start) {
                    *open = object::MIXED;
                }
                self.close()
            }
        })*
    };
}

lists! { SerializeSeq SerializeTuple }

impl<const INDEXED: bool> SerializeMap for Map<'_, INDEXED> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), fmt::Error> {
        let start = self.object.separate(self.out);
        key.serialize(Json::<INDEXED> { out: self.out, depth: self.depth })?;
        if self.out.get(start) != Some(&b'"') {
            return Err(fmt::Error);
        }
        if INDEXED {
            indexed::name(self.out, start);
        }
        self.object.note(start, self.out);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), fmt::Error> {
        self.out.push(b':');
        value.serialize(Json::<INDEXED> { out: self.out, depth: self.depth })
    }

    fn end(self) -> Result<(), fmt::Error> {
        let start = self.object.start();
        self.object.close(self.out);
        if INDEXED && indexed::is_too_deep(self.depth) {
            indexed::as_text(self.out, start);
        }
        Ok(())
    }
}

impl<const INDEXED: bool> SerializeStruct for Open<'_, INDEXED> {
    type Ok = ();
    type Error = fmt::Error;

    /// The names of the fields are words, which need no escape.
    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), fmt::Error> {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        value.serialize(Json::<INDEXED> { out: self.out, depth: self.depth })
    }

    fn end(self) -> Result<(), fmt::Error> {
        self.close()
    }
}
