//! The effective settings in one log line, without secrets.
//!
//! ```text
//! delivers to https://gateway.example/events, Services from https://kubernetes.default.svc, version 0.1.0: \
//! format=native, compress=gzip, …, headers="X-Key: …", namespaces="shop, kube-*", labels=*
//! ```
//! It is made from the table of keys, so that no key is forgotten, and shows each value as it was read: what the user
//! wrote, or the default. Keys without a value, and keys without an effect on this endpoint, are left out. Values with
//! commas or spaces are in quotation marks.

use std::path::Path;

use super::filter::FilterSettings;
use super::headers;
use super::keys::{FILTER_KEYS, KEYS, Key, Shows};
use super::reader::{Reader, Source, shown_path};
use super::remote::url;
use super::settings::Settings;
use super::topology::CorrelationSettings;

/// A line of this length is not cut by the log or the host's logger, including what they add.
const MOST_BYTES: usize = 2_900;
/// Values are cut to the first of these lengths that makes the line short enough, because lists may be long.
const VALUE_BYTES: [usize; 7] = [MOST_BYTES, 500, 200, 100, 50, 25, 10];

/// The output's line. `source` is the one that `settings` were read from.
#[must_use]
pub fn output_line(source: &Source<'_>, settings: &Settings) -> String {
    let endpoint = &settings.endpoint.shown;
    line(
        source,
        KEYS,
        |key| settings.scheme.uses(key),
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
        |most_bytes| format!("processes events, {}", services(&settings.correlation, most_bytes)),
    )
}

/// Where the Services come from, which `correlate auto` alone does not say.
fn services(settings: &CorrelationSettings, most_bytes: usize) -> String {
    settings.topology.as_ref().map_or_else(
        || "no Services because correlate is off".to_owned(),
        |topology| format!("Services from {}", value(&topology.url.shown, most_bytes)),
    )
}

fn line(
    source: &Source<'_>,
    keys: &'static [Key],
    uses: impl Fn(&str) -> bool,
    head: impl Fn(usize) -> String,
) -> String {
    // The settings were already read without errors.
    let mut reader = Reader { source, keys, errors: Vec::new() };
    let texts: Vec<_> = keys
        .iter()
        .filter(|key| uses(key.name))
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

/// The shown part of a key's value; `None` if it is not set. The endpoint is left out, because the line starts with it.
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

/// A value, cut, and in quotation marks if it could be mistaken for the text around it.
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

    /// The reader refuses a query in `kube_url`, the only URL among the pairs. If a URL with a query were added, its query
    /// would be hidden.
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
