//! The key `headers`: additional headers for every request.
//!
//! ```text
//! X-Team: platform, X-List: "a, b", X-Said: "\"so\" in C:\\temp"
//! ```
//! A value that starts with a quotation mark ends at the next one and may contain commas; in it `\"` is a quotation mark
//! and `\\` a backslash. Any other value ends at the next comma and is taken literally. Errors name the header but never
//! its value, because values are often secrets.

use std::fmt;

use ureq::http::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::reader::Reader;

const EXPECTED: &str = "Name: value, Name: \"value, with commas\"";

/// The headers that the plugin sets itself; a second value would contradict it.
const OWN_HEADERS: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "idempotency-key",
    "te",
    "transfer-encoding",
    "upgrade",
];

type Header = (HeaderName, HeaderValue);

/// A header, and its name as written.
type Parsed<'t> = Result<(&'t str, Header), HeaderError>;

/// What is wrong with one part of the setting, which is then refused. The value is never shown.
#[derive(Debug, PartialEq, Eq)]
enum HeaderError {
    NoColon,
    Name,
    /// The plugin sets this header itself.
    Own(HeaderName),
    NotAscii(HeaderName),
    Value(HeaderName, &'static str),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoColon => f.write_str("has a part without a colon"),
            Self::Name => f.write_str("has a part whose name is not a valid header name"),
            Self::Own(name) => write!(f, "sets {name}, which the plugin sets itself"),
            Self::NotAscii(name) => write!(f, "has for {name} a value that is not ASCII"),
            Self::Value(name, problem) => write!(f, "has for {name} {problem}"),
        }
    }
}

pub(super) fn read(from: &mut Reader<'_>) -> Option<Vec<Header>> {
    let Some(text) = from.text("headers") else { return Some(Vec::new()) };
    let before = from.errors.len();
    let mut headers = Vec::new();
    for parsed in parse(&text) {
        match parsed {
            Ok((_, header)) => headers.push(header),
            Err(error) => from.refuse("headers", error.to_string(), EXPECTED),
        }
    }
    (from.errors.len() == before).then_some(headers)
}

/// The names alone, for a log.
pub(super) fn names(text: &str) -> String {
    let names = parse(text).filter_map(Result::ok).map(|(written, _)| format!("{written}: …"));
    names.collect::<Vec<_>>().join(", ")
}

/// Each header or its error.
fn parse(text: &str) -> impl Iterator<Item = Parsed<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        // Empty parts are ignored.
        rest = rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
        if rest.is_empty() {
            return None;
        }
        let (parsed, behind) = first(rest);
        rest = behind;
        Some(parsed)
    })
}

/// The first header of a text, and what follows it.
fn first(text: &str) -> (Parsed<'_>, &str) {
    let (part, behind) = text.split_once(',').unwrap_or((text, ""));
    let Some((name, value)) = part.split_once(':') else {
        return (Err(HeaderError::NoColon), behind);
    };
    let written = name.trim();
    let name = written.parse::<HeaderName>();
    let (value, behind) = if value.trim_start().starts_with('"') {
        match unquoted(text) {
            Ok((value, behind)) => (value, behind),
            // Nobody knows where the value ends, so the rest cannot be parsed.
            Err(problem) => return (Err(wrong(name, problem)), ""),
        }
    } else {
        (value.trim().to_owned(), behind)
    };
    let parsed = match (name, value.parse::<HeaderValue>()) {
        (Ok(name), _) if OWN_HEADERS.contains(&name.as_str()) => Err(HeaderError::Own(name)),
        // The HTTP client does not send other characters in this header.
        (Ok(name), Ok(value)) if name == AUTHORIZATION && value.to_str().is_err() => {
            Err(HeaderError::NotAscii(name))
        }
        (Ok(name), Ok(value)) => Ok((written, (name, value))),
        (name, _) => Err(wrong(name, "a value that a header cannot hold")),
    };
    (parsed, behind)
}

fn wrong<E>(name: Result<HeaderName, E>, problem: &'static str) -> HeaderError {
    name.map_or(HeaderError::Name, |name| HeaderError::Value(name, problem))
}

/// The value in quotation marks after the first colon of a text, and the text after the next comma.
fn unquoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let (_, value_and_rest) = text.split_once(':').unwrap_or_default();
    let mut signs = value_and_rest.trim_start().chars();
    signs.next(); // the first quotation mark
    loop {
        match signs.next() {
            Some('"') => break,
            Some('\\') => match signs.next() {
                Some(sign @ ('"' | '\\')) => value.push(sign),
                _ => return Err("a backslash before something other than a quotation mark or a backslash"),
            },
            Some(sign) => value.push(sign),
            None => return Err("a quotation mark that is never closed"),
        }
    }
    let behind = signs.as_str().trim_start();
    match behind.strip_prefix(',') {
        Some(behind) => Ok((value, behind)),
        None if behind.is_empty() => Ok((value, "")),
        None => Err("text after a value in quotation marks"),
    }
}
