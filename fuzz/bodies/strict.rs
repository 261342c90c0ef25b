//! A strict reader of JSON, which refuses an object with a key twice, and one of protobuf, which refuses a list of
//! attributes with a name twice. Most readers keep one of them without a word, and some receivers refuse the record.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON value with its members in their order.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// # Errors
    /// When the text is no JSON value, or an object of it has a key twice.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            Self::List(items) => items.get(name.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// What lies at the end of these names and numbers.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |tree, step| tree.get(step))
    }
}

/// The key that an object of this JSON has twice. What is no JSON, as it was cut, is not looked at.
pub fn repeated_key(text: &str) -> Option<String> {
    Tree::read(text).err().filter(|why| why.contains(REPEATED))
}

const REPEATED: &str = "a key twice";

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Int(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Int(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let (mut keys, mut members) = (BTreeSet::new(), Vec::new());
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format!("{REPEATED}: {key:?}")));
            }
            members.push((key, map.next_value()?));
        }
        Ok(Tree::Map(members))
    }
}

/// The attribute that a list of an OTLP request in protobuf has twice: those of a resource, and those of a log record.
pub fn repeated_attribute(request: &[u8]) -> Option<String> {
    let logs = of(request, 1);
    let resources = logs.iter().flat_map(|log| of(log, 1));
    let records = logs.iter().flat_map(|log| of(log, 2)).flat_map(|scope| of(scope, 2));
    let mut lists = resources.map(|one| of(one, 1)).chain(records.map(|one| of(one, 6)));
    lists.find_map(|attributes| {
        let mut names = BTreeSet::new();
        let name = |attribute| of(attribute, 1).into_iter().next().unwrap_or_default();
        let twice = attributes.into_iter().map(name).find(|name| !names.insert(name.to_vec()));
        twice.map(|name| String::from_utf8_lossy(name).into_owned())
    })
}

/// The messages and texts under this number.
fn of(mut message: &[u8], number: u64) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        let length = match tag & 7 {
            0 => {
                varint(&mut message);
                continue;
            }
            1 => 8,
            2 => usize::try_from(varint(&mut message)).expect("a length"),
            other => panic!("protobuf of type {other}"),
        };
        let (value, rest) = message.split_at(length);
        message = rest;
        if tag >> 3 == number {
            found.push(value);
        }
    }
    found
}

fn varint(message: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    while let Some((byte, rest)) = message.split_first() {
        *message = rest;
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    number
}

/// A check that cannot fail checks nothing.
#[test]
fn what_comes_twice_is_seen() {
    for twice in [r#"{"a":1,"a":1}"#, r#"[{"b":[{"\u0061":1,"c":2,"a":null}]}]"#, r#"{"a":1,"a":"cut he"#] {
        assert!(repeated_key(twice).is_some_and(|why| why.contains("\"a\"")), "{twice}");
    }
    for once in [r#"{"a":{"a":1},"b":{"a":"{\"a\":1,\"a\":1}"}}"#, r#"{"a":"cut he"#] {
        assert_eq!(repeated_key(once), None);
    }
    let message = |number: u8, inside: &[u8]| {
        [&[number << 3 | 2, u8::try_from(inside.len()).expect("short")], inside].concat()
    };
    let attribute = |number, name: &[u8]| message(number, &message(1, name));
    let of_resource = |attributes: &[u8]| message(1, &message(1, attributes));
    let of_record =
        |attributes: &[u8]| message(1, &message(2, &message(2, &[&[0x10, 9], attributes].concat())));
    let [one, two] = [b"a", b"b"].map(|name| [attribute(1, b"a"), attribute(1, name)].concat());
    assert_eq!(repeated_attribute(&of_resource(&one)).as_deref(), Some("a"));
    assert_eq!(repeated_attribute(&[of_resource(&two), of_resource(&two)].concat()), None);
    let [one, two] = [b"a", b"b"].map(|name| [attribute(6, b"a"), attribute(6, name)].concat());
    assert_eq!(repeated_attribute(&[of_resource(&two), of_record(&one)].concat()).as_deref(), Some("a"));
    assert_eq!(repeated_attribute(&of_record(&two)), None);
}
