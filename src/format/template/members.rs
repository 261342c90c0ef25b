//! The members of the native document that a template refers to, as MessagePack. Other members are not written.

use std::ops::Range;

use rmp_serde::encode::Error;
use serde::ser::{Impossible, Serialize, SerializeStruct, Serializer};

/// The names of the wanted members, in the order of their places.
#[derive(Debug, Default)]
pub(super) struct Wanted(Vec<&'static str>);

impl Wanted {
    /// The place of a member; adds it if it is new.
    pub(super) fn place(&mut self, name: &'static str) -> usize {
        self.of(name).unwrap_or_else(|| {
            self.0.push(name);
            self.0.len() - 1
        })
    }

    /// The number of wanted members.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The place of a member, if it is wanted.
    pub(super) fn of(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|wanted| *wanted == name)
    }
}

/// The wanted members of one record.
#[derive(Debug)]
pub(super) struct Members {
    /// The members, one behind the other.
    pub(super) bytes: Vec<u8>,
    /// The range of each wanted member; empty if the document does not have it.
    places: Vec<Range<usize>>,
}

impl Members {
    /// Writes the wanted members of a document.
    ///
    /// # Errors
    /// If a value cannot be written as MessagePack.
    pub(super) fn of(document: &impl Serialize, wanted: &Wanted) -> Result<Self, Error> {
        // The members of most records are shorter.
        let bytes = Vec::with_capacity(1 << 10);
        let mut members = Self { bytes, places: vec![0..0; wanted.0.len()] };
        let chosen = Chosen { members: &mut members, wanted };
        document.serialize(chosen)?;
        Ok(members)
    }

    /// The range of a member in the bytes.
    pub(super) fn place(&self, place: usize) -> Option<Range<usize>> {
        self.places.get(place).filter(|range| !range.is_empty()).cloned()
    }

    /// The MessagePack of a member.
    pub(super) fn get(&self, place: usize) -> Option<&[u8]> {
        self.bytes.get(self.place(place)?)
    }
}

/// Serializes one struct, and of it only the wanted members.
struct Chosen<'m> {
    members: &'m mut Members,
    wanted: &'m Wanted,
}

impl SerializeStruct for Chosen<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        let Some(place) = self.wanted.of(name) else { return Ok(()) };
        let bytes = &mut self.members.bytes;
        let start = bytes.len();
        value.serialize(&mut rmp_serde::Serializer::new(&mut *bytes).with_struct_map())?;
        if let Some(range) = self.members.places.get_mut(place) {
            *range = start..bytes.len();
        }
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

fn no_document<T>() -> Result<T, Error> {
    Err(Error::InvalidDataModel("a document is a struct"))
}

/// The methods for values other than structs.
macro_rules! no_document {
    ($($method:ident($($kind:ty),*) -> $made:ty;)*) => {
        $(fn $method(self, $(_: $kind),*) -> Result<$made, Error> {
            no_document()
        })*
    };
}

impl Serializer for Chosen<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Error>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Error> {
        Ok(self)
    }

    no_document! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Error> {
        no_document()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Result<(), Error> {
        no_document()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        no_document()
    }
}
