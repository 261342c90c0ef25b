//! Does docs/formats.md show the limits of the code, all of them and no other?

use std::collections::BTreeSet;

use event_gateway::config::FormatName;
use event_gateway::format::{Limit, Over, Renderer, Unit};

use crate::doc_rows::rows;

const TEXT: &str = include_str!("../../docs/formats.md");

/// Thousands with commas, as prose has them.
fn figure(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

fn most(limit: &Limit) -> String {
    let number = figure(limit.most);
    match limit.unit {
        Unit::Bytes => format!("{number} bytes"),
        Unit::Characters => format!("{number} characters"),
        Unit::Pieces => number,
        Unit::Seconds => format!("{number} s"),
        Unit::PerSecond => format!("{number} a second"),
        Unit::PerMinute => format!("{number} a minute"),
    }
}

fn over(over: Over) -> &'static str {
    match over {
        Over::Cut => "cut, with a mark",
        Over::Hashed => "ends in a hash of the whole",
        Over::AsText => "what is more is a text, its JSON",
        Over::LeftOut => "the last are left out",
        Over::NextRequest => "the next request; one larger record is a dead letter",
        Over::Clamped => "the nearest time, the true one in a field",
        Over::Waits => "the service answers 429 or 503, and records wait",
        Over::Never => "never more",
        Over::Receiver => "sent as it is",
    }
}

/// The section with the table: the tables of formats and of responses have as many columns.
fn section() -> &'static str {
    let rest = TEXT.split("\n## What receivers take\n").nth(1).expect("the section");
    rest.split("\n## ").next().unwrap_or_default()
}

/// The limits of each format. A template has none: nobody knows its receiver.
fn all() -> Vec<(FormatName, &'static [Limit])> {
    let limits = |(_, format): &(&str, FormatName)| {
        Renderer::new(*format, "").ok().map(|renderer| (*format, renderer.format().limits()))
    };
    FormatName::WORDS.iter().filter_map(limits).collect()
}

/// The rows of a table of limits, as the document has them.
fn expected() -> BTreeSet<(String, Vec<String>)> {
    let word = |format: FormatName| {
        let found = FormatName::WORDS.iter().find(|(_, one)| *one == format);
        found.map(|(word, _)| (*word).to_owned()).expect("a word")
    };
    let row = |format: FormatName, limit: &Limit| {
        let cells = [limit.of, &most(limit), over(limit.over), limit.source];
        (word(format), cells.map(str::to_owned).to_vec())
    };
    all().iter().flat_map(|(format, limits)| limits.iter().map(move |limit| row(*format, limit))).collect()
}

#[test]
fn the_document_has_the_limits_of_the_code() {
    let expected = expected();
    let cells = |cells: Vec<&str>| cells.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let found: Vec<_> = rows(section())
        .into_iter()
        .map(|(name, row)| (name.to_owned(), cells(row)))
        .filter(|(_, row)| row.len() == 4)
        .collect();
    let shown: BTreeSet<_> = found.iter().cloned().collect();
    assert_eq!(shown.len(), found.len(), "a row stands there twice");
    let missing: Vec<_> = expected.difference(&shown).map(as_row).collect();
    let unknown: Vec<_> = shown.difference(&expected).map(as_row).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "not in docs/formats.md:\n{}\nnot in the code:\n{}",
        missing.join("\n"),
        unknown.join("\n")
    );
}

fn as_row((name, cells): &(String, Vec<String>)) -> String {
    format!("| `{name}` | {} |", cells.join(" | "))
}

#[test]
fn the_document_says_of_each_format_whether_it_has_limits() {
    for (word, _) in FormatName::WORDS {
        assert!(TEXT.contains(&format!("`{word}`")), "docs/formats.md does not name {word}");
    }
}

#[test]
fn each_limit_has_a_source() {
    for limit in all().into_iter().flat_map(|(_, limits)| limits) {
        let is_source = limit.source.starts_with("https://") || limit.source.contains('/');
        assert!(is_source && limit.most > 0, "{limit:?}");
    }
}
