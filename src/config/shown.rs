//! The settings as they take effect, in one line for the log. Never a secret.
//!
//! ```text
//! delivers to https://gateway.example/events, Services from https://kubernetes.default.svc, version 0.1.0: \
//! format=native, compress=gzip, …, headers="X-Key: …", namespaces="shop, kube-*", labels=*
//! ```
//! It goes through the table of keys, so no key can be forgotten, and shows what the reader took: what the user
//! wrote, or the default. What is neither set nor has a default is left out, and what has no effect on this endpoint. Values with commas or spaces
//! stand in quotation marks.

use std::path::Path;

use super::keys::{FILTER_KEYS, KEYS, Key, Shows};
use super::remote::url;
use super::{CorrelationSettings, FilterSettings, Reader, Settings, Source, headers, shown_path};

/// What the log and the host's logger take whole, their own words included.
const MOST_BYTES: usize = 2_900;
/// A value is cut at the first of these lengths that makes the line short enough: lists may be long.
const VALUE_BYTES: [usize; 7] = [MOST_BYTES, 500, 200, 100, 50, 25, 10];

/// The output's line. `source` is the one that `settings` were read from.
#[must_use]
pub fn output_line(source: &Source<'_>, settings: &Settings) -> String {
    let endpoint = &settings.endpoint.shown;
    line(
        source,
        KEYS,
        |key| settings.scheme.heeds(key),
        |most_bytes| {
            let endpoint = value(endpoint, most_bytes);
            format!("delivers to {endpoint}, {}", services(&settings.correlation, most_bytes))
        },
    )
}

/// The filter's line.
#[must_use]
pub fn filter_line(source: &Source<'_>, settings: &FilterSettings) -> String {
    line(
        source,
        FILTER_KEYS,
        |_| true,
        |most_bytes| format!("looks at events, {}", services(&settings.correlation, most_bytes)),
    )
}

/// Where they come from, as `correlate auto` alone does not say.
fn services(settings: &CorrelationSettings, most_bytes: usize) -> String {
    settings.topology.as_ref().map_or_else(
        || "no Services as correlate is off".to_owned(),
        |topology| format!("Services from {}", value(&topology.url.shown, most_bytes)),
    )
}

fn line(
    source: &Source<'_>,
    keys: &'static [Key],
    heeds: impl Fn(&str) -> bool,
    head: impl Fn(usize) -> String,
) -> String {
    // The settings were read, so there are no errors to be had from it.
    let mut reader = Reader { source, keys, errors: Vec::new() };
    let texts: Vec<_> = keys
        .iter()
        .filter(|key| heeds(key.name))
        .filter_map(|key| Some((key.name, text(key, &mut reader)?)))
        .collect();
    let whole = |most_bytes| {
        let pairs = texts.iter().map(|(name, text)| format!("{name}={}", value(text, most_bytes)));
        let pairs: Vec<String> = pairs.collect();
        format!("{}, version {}: {}", head(most_bytes), env!("CARGO_PKG_VERSION"), pairs.join(", "))
    };
    let mut line = String::new();
    for most_bytes in VALUE_BYTES {
        line = whole(most_bytes);
        if line.len() <= MOST_BYTES {
            break;
        }
    }
    line
}

/// What of a key's value is shown; `None` when it is not set. The endpoint stands at the head of the line.
fn text(key: &Key, reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.text(key.name).filter(|_| key.name != "endpoint")?;
    Some(match key.shows {
        Shows::All => text,
        Shows::Url => url(&text, "").ok()?.shown,
        Shows::Path => shown_path(Path::new(&text)),
        Shows::Nothing => "…".to_owned(),
        Shows::HeaderNames => headers::names(&text),
    })
}

/// Cut, and in quotation marks if it could be mistaken for the words around it.
fn value(text: &str, most_bytes: usize) -> String {
    let cut = text.floor_char_boundary(most_bytes);
    let text = if cut < text.len() { format!("{}…", &text[..cut]) } else { text.to_owned() };
    let is_plain =
        |c: char| c.is_alphanumeric() || (c.is_ascii_graphic() && !matches!(c, ',' | '"')) || c == '…';
    if text.chars().all(is_plain) { text } else { format!("{text:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reader takes no query in the one URL that stands among the pairs; should another come, it is hidden.
    #[test]
    fn the_query_of_a_url_is_hidden() {
        let source = Source {
            property: &|_| Some(b"https://host/path?token=S3CR3T".to_vec()),
            readable: &|_| Ok(()),
            contents: &|_| Ok("{}".to_owned()),
            writable: &|_| Ok(()),
            environment: &|_| None,
        };
        let mut reader = Reader { source: &source, keys: KEYS, errors: Vec::new() };
        let key = KEYS.iter().find(|key| key.name == "kube_url").unwrap();
        assert_eq!(text(key, &mut reader).unwrap(), "https://host/path");
    }
}
