//! The filters, tests and functions of templates. Filters whose output could be much larger than their input are our own
//! and bounded; the others are the engine's.

use std::collections::BTreeMap;

use minijinja::value::{Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, filters, functions, tests};

use super::names::{KnownNames, too_large};
use super::{values, view};
use crate::pattern::Patterns;
use crate::record::MAX_RECORD_BYTES;
use crate::time::Stamp;

/// The longest format for times.
const MOST_FORMAT_BYTES: usize = 100;

macro_rules! all_of {
    ($environment:ident.$add:ident, $known:expr; $($name:literal $what:expr;)*) => {
        $($environment.$add($name, $what); $known.push($name);)*
    };
}

macro_rules! charged {
    ($environment:ident, $known:expr, $takes_nothing:literal; $($name:literal $what:expr;)*) => {
        $(
            $environment.add_filter($name, charged(Value::from_function($what), $takes_nothing));
            $known.push($name);
        )*
    };
}

/// Wraps a filter. Many records do not have what a template refers to, so a filter returns null for null, unless
/// `takes_nothing`. The bytes of its input and output are charged for, because a filter may run for each item of a list.
fn charged(
    filter: Value,
    takes_nothing: bool,
) -> impl Fn(&mut State<'_, '_>, Value, Rest<ValueOrKwargs>) -> Result<Value, Error> + Send + Sync + 'static {
    move |state: &mut State<'_, '_>, value: Value, rest: Rest<ValueOrKwargs>| {
        if !takes_nothing && is_nothing(&value) {
            return Ok(Value::from(()));
        }
        let mut texts = value.as_str().map_or(0, str::len);
        let given = std::iter::once(value).chain(rest.0.into_iter().map(Value::from));
        let made = filter.call(state, &given.collect::<Vec<_>>())?;
        texts += made.as_str().map_or(0, str::len);
        view::charge(state, texts)?;
        Ok(made)
    }
}

fn is_nothing(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Undefined | ValueKind::None)
}

/// Adds all names to the engine, and to the names that leaves may use.
pub(super) fn add_to(environment: &mut Environment<'static>, known: &mut KnownNames) {
    all_of! { environment.add_filter, known.filters;
        "bool" filters::bool;
        "count" count;
        "d" default;
        "default" default;
        "length" count;
    }
    charged! { environment, known.filters, true;
        "string" string;
        "tojson" tojson;
    }
    charged! { environment, known.filters, false;
        "abs" filters::abs;
        "capitalize" filters::capitalize;
        "date" date;
        "first" filters::first;
        "float" filters::float;
        "int" filters::int;
        "items" filters::items;
        "join" join;
        "last" filters::last;
        "list" filters::list;
        "lower" filters::lower;
        "map" filters::map;
        "max" filters::max;
        "min" filters::min;
        "omit" omit;
        "pick" pick;
        "reject" filters::reject;
        "rejectattr" filters::rejectattr;
        "rename" rename;
        "replace" replace;
        "reverse" filters::reverse;
        "round" filters::round;
        "select" filters::select;
        "selectattr" filters::selectattr;
        "sort" filters::sort;
        "split" split;
        "times" times;
        "title" filters::title;
        "trim" filters::trim;
        "truncate" truncate;
        "unique" filters::unique;
        "unix" unix;
        "upper" filters::upper;
    }
    all_of! { environment.add_test, known.tests;
        "boolean" tests::is_boolean;
        "defined" tests::is_defined;
        "endingwith" tests::is_endingwith;
        "eq" tests::is_eq;
        "false" tests::is_false;
        "float" tests::is_float;
        "ge" tests::is_ge;
        "gt" tests::is_gt;
        "in" tests::is_in;
        "integer" tests::is_integer;
        "iterable" tests::is_iterable;
        "le" tests::is_le;
        "lt" tests::is_lt;
        "mapping" tests::is_mapping;
        "ne" tests::is_ne;
        "none" tests::is_none;
        "number" tests::is_number;
        "sequence" tests::is_sequence;
        "startingwith" tests::is_startingwith;
        "string" tests::is_string;
        "true" tests::is_true;
        "undefined" tests::is_undefined;
    }
    all_of! { environment.add_function, known.functions;
        "range" functions::range;
    }
}

fn wrong(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why.into())
}

/// Appends a text, up to the size of a record.
fn append(out: &mut String, text: &str) -> Result<(), Error> {
    if out.len() + text.len() > MAX_RECORD_BYTES {
        return Err(wrong(too_large()));
    }
    out.push_str(text);
    Ok(())
}

/// Replaces an undefined value or null, because absent values are null in a native document. If `of_false` is true, it also
/// replaces any value that counts as false.
fn default(value: Value, instead: Option<Value>, of_false: Option<bool>) -> Value {
    let is_replaced = is_nothing(&value) || (of_false == Some(true) && !value.is_true());
    if is_replaced { instead.unwrap_or_else(|| Value::from("")) } else { value }
}

fn count(value: &Value) -> Result<usize, Error> {
    if is_nothing(value) { Ok(0) } else { filters::length(value) }
}

fn string(value: &Value) -> Result<String, Error> {
    values::text(value)
}

fn tojson(value: &Value) -> Result<String, Error> {
    let mut out = Vec::new();
    values::write_json(value, &mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Joins the items of a list with `between`, or the pairs of a map with `within` between key and value.
fn join(value: &Value, between: Option<&str>, within: Option<&str>) -> Result<String, Error> {
    let mut out = String::new();
    let is_map = value.kind() == ValueKind::Map;
    if value.kind() == ValueKind::String {
        return Err(wrong("join is for lists and maps"));
    }
    for (index, item) in value.try_iter()?.enumerate() {
        if index > 0 {
            append(&mut out, between.unwrap_or_default())?;
        }
        append(&mut out, &values::text(&item)?)?;
        if is_map {
            append(&mut out, within.unwrap_or("="))?;
            append(&mut out, &values::text(&value.get_item(&item)?)?)?;
        }
    }
    Ok(out)
}

fn replace(value: &Value, from: &str, to: &str) -> Result<String, Error> {
    if from.is_empty() {
        return Err(wrong("replace needs a text to look for"));
    }
    let text = values::text(value)?;
    let mut out = String::new();
    for (index, part) in text.split(from).enumerate() {
        if index > 0 {
            append(&mut out, to)?;
        }
        append(&mut out, part)?;
    }
    Ok(out)
}

fn split(state: &State<'_, '_>, text: &str, by: &str) -> Result<Value, Error> {
    if by.is_empty() {
        return Err(wrong("split needs a text to look for"));
    }
    let parts = text.split(by).map(|part| view::charge(state, view::ITEM).map(|()| Value::from(part)));
    Ok(Value::from(parts.collect::<Result<Vec<_>, _>>()?))
}

/// The first characters of a text, with a mark if it was cut; the mark counts.
fn truncate(value: &Value, characters: usize, mark: Option<&str>) -> Result<String, Error> {
    let text = values::text(value)?;
    if text.char_indices().nth(characters).is_none() {
        return Ok(text);
    }
    let mark = mark.unwrap_or("…");
    let kept = characters.saturating_sub(mark.chars().count());
    let end = text.char_indices().nth(kept).map_or(text.len(), |(end, _)| end);
    let mut out = text.get(..end).unwrap_or_default().to_owned();
    append(&mut out, mark)?;
    Ok(out)
}

fn times(value: f64, factor: f64) -> Value {
    let product = value * factor;
    // Below this a float holds every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if product.fract() == 0.0 && product.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "checked above")]
        return Value::from(product as i64);
    }
    Value::from(product)
}

/// The time that a value means: RFC 3339, or seconds since 1970.
fn stamp(value: &Value) -> Option<Stamp> {
    match value.as_str() {
        Some(text) => Stamp::parse_set(text),
        None => Stamp::from_unix_millis(f64::try_from(value.clone()).ok()? * 1e3),
    }
}

/// The time in UTC, as RFC 3339 or in a format of `strftime`; null if the value is not a time.
fn date(value: &Value, format: Option<&str>) -> Result<Option<String>, Error> {
    let Some(stamp) = stamp(value) else { return Ok(None) };
    match format {
        None => Ok(Some(stamp.to_string())),
        Some(format) if format.len() <= MOST_FORMAT_BYTES => stamp
            .formatted(format)
            .map(Some)
            .ok_or_else(|| wrong(format!("{format:?} is not a format of strftime"))),
        Some(_) => Err(wrong(format!("the format is longer than {MOST_FORMAT_BYTES} bytes"))),
    }
}

/// The time since 1970 in `s`, `ms`, `us` or `ns`; null if the value is not a time.
fn unix(value: &Value, unit: Option<&str>) -> Result<Option<Value>, Error> {
    let nanos = match unit.unwrap_or("s") {
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" => 1_000,
        "ns" => 1,
        other => return Err(wrong(format!("{other:?} is not one of s, ms, us and ns"))),
    };
    let Some(stamp) = stamp(value) else { return Ok(None) };
    Ok(i64::try_from(stamp.unix_nanos().div_euclid(nanos)).ok().map(Value::from))
}

/// The pairs of a map for which `name` returns a key, under that key.
fn chosen(value: &Value, name: impl Fn(String) -> Option<String>) -> Result<Value, Error> {
    if value.kind() != ValueKind::Map {
        return Err(wrong(format!("expected a map, and this is a {}", value.kind())));
    }
    let mut map = BTreeMap::new();
    for key in value.try_iter()? {
        if let Some(name) = name(values::text(&key)?) {
            map.insert(name, value.get_item(&key)?);
        }
    }
    Ok(Value::from(map))
}

fn pick(value: &Value, patterns: &str) -> Result<Value, Error> {
    let patterns = Patterns::parse(patterns);
    chosen(value, |key| patterns.matches(&key).then_some(key))
}

fn omit(value: &Value, patterns: &str) -> Result<Value, Error> {
    let patterns = Patterns::parse(patterns);
    chosen(value, |key| (!patterns.matches(&key)).then_some(key))
}

/// Replaces a text in the keys of a map, such as dots by `_`.
fn rename(value: &Value, from: &str, to: &str) -> Result<Value, Error> {
    if from.is_empty() || to.len() > from.len() {
        return Err(wrong("rename needs a text to look for, and a replacement that is not longer"));
    }
    chosen(value, |key| Some(key.replace(from, to)))
}
