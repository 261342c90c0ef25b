//! Reads a template file: JSON with comments, as a tree whose leaves are strings with expressions.
//!
//! Every leaf keeps its place in the file, so that a later error is reported with line and column.

use std::fmt;
use std::ops::Range;

use jsonc_parser::ast::{Object, StringLit, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::format::json;

/// Why a template is refused, or cannot render a record, and where in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TemplateError {
    /// The offset in bytes from the start of the file.
    pub(super) at: usize,
    /// What is wrong, for a person.
    pub(super) why: String,
}

impl TemplateError {
    pub(super) fn new(at: usize, why: impl Into<String>) -> Self {
        Self { at, why: why.into() }
    }

    /// The error with line and column, both counted from 1; columns are characters.
    pub(super) fn shown<'s>(&'s self, file: &'s str, text: &'s str) -> impl fmt::Display + 's {
        struct Shown<'s>(&'s TemplateError, &'s str, &'s str);
        impl fmt::Display for Shown<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Self(TemplateError { at, why }, file, text) = self;
                let before = &text[..text.floor_char_boundary(*at)];
                let line = before.matches('\n').count() + 1;
                let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
                write!(f, "{file}, line {line}, column {column}: {why}")
            }
        }
        Shown(self, file, text)
    }
}

/// A part of the document.
#[derive(Debug)]
pub(super) enum DocumentNode<L> {
    /// JSON that is the same for every record.
    Always(Vec<u8>),
    Leaf(L),
    List(Vec<DocumentNode<L>>),
    Map(Vec<DocumentMember<L>>),
}

/// A member of an object of the document.
#[derive(Debug)]
pub(super) struct DocumentMember<L> {
    /// The name as JSON, with its colon.
    pub(super) name: Vec<u8>,
    pub(super) value: DocumentNode<L>,
}

/// A string with an expression in it.
#[derive(Debug)]
pub(super) struct LeafText<'t> {
    /// The string without JSON's escapes.
    pub(super) text: &'t str,
    pub(super) literal: Literal,
    file: &'t str,
}

impl LeafText<'_> {
    /// The offset in the file of a byte of the text.
    pub(super) fn place(&self, at: usize) -> usize {
        self.literal.place(self.file, at)
    }
}

/// The range of a string in the file, with its quotation marks.
#[derive(Debug, Clone)]
pub(super) struct Literal(Range<usize>);

impl Literal {
    /// The offset in the file of a byte of the string.
    pub(super) fn place(&self, file: &str, at: usize) -> usize {
        let mut left = at;
        let literal = file.get(self.0.clone()).unwrap_or_default();
        // Skips the quotation mark.
        let mut rest = literal.char_indices().skip(1);
        while let Some((place, sign)) = rest.next() {
            if left == 0 {
                return self.0.start + place;
            }
            let mut bytes = sign.len_utf8();
            if sign == '\\' {
                let (from, kind) = rest.next().unwrap_or((place, ' '));
                bytes = 1;
                if kind == 'u' {
                    let digits = literal.get(from + 1..from + 5).unwrap_or_default();
                    let code = u32::from_str_radix(digits, 16).unwrap_or_default();
                    // Each surrogate of a pair counts for two of the four bytes.
                    bytes = char::from_u32(code).map_or(2, char::len_utf8);
                    rest.nth(3);
                }
            }
            left = left.saturating_sub(bytes);
        }
        self.0.end.saturating_sub(1)
    }
}

/// Reads the file. `leaf` makes a leaf of each string that may hold an expression. All errors are reported, unless the file
/// is not JSON at all.
pub(super) fn read<L>(
    text: &str,
    leaf: &mut dyn FnMut(&LeafText<'_>) -> Result<L, TemplateError>,
) -> Result<DocumentNode<L>, Vec<TemplateError>> {
    let options = ParseOptions {
        allow_comments: true,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    // Editors may write a byte order mark.
    let skipped = text.len() - text.trim_start_matches('\u{feff}').len();
    let parsed = parse_to_ast(&text[skipped..], &CollectOptions::default(), &options).map_err(|error| {
        vec![TemplateError::new(skipped + error.range().start, small(&error.kind().to_string()))]
    })?;
    let Some(value) = parsed.value else { return Err(vec![TemplateError::new(0, "the file is empty")]) };
    let mut reader = Reader { file: text, skipped, leaf, errors: Vec::new() };
    let node = reader.node(&value);
    if reader.errors.is_empty() { Ok(node) } else { Err(reader.errors) }
}

/// The text with a small first letter, for the middle of a sentence.
fn small(why: &str) -> String {
    let mut signs = why.chars();
    signs.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(signs).collect()
}

struct Reader<'t, 'l, L> {
    file: &'t str,
    /// The bytes before the document.
    skipped: usize,
    leaf: &'l mut dyn FnMut(&LeafText<'_>) -> Result<L, TemplateError>,
    errors: Vec<TemplateError>,
}

impl<L> Reader<'_, '_, L> {
    fn note_error(&mut self, range: Range<usize>, why: impl Into<String>) {
        self.errors.push(TemplateError::new(self.skipped + range.start, why));
    }

    fn node(&mut self, value: &Value<'_>) -> DocumentNode<L> {
        let range = value.start()..value.end();
        match value {
            Value::StringLit(literal) => return self.string(literal),
            Value::NumberLit(number) => {
                // The parser is more lenient than JSON's grammar.
                if serde_json::from_str::<&serde_json::value::RawValue>(number.value).is_err() {
                    self.note_error(range, "not a JSON number");
                }
                return DocumentNode::Always(number.value.as_bytes().to_vec());
            }
            Value::BooleanLit(truth) => DocumentNode::Always(truth.value.to_string().into_bytes()),
            Value::NullKeyword(_) => DocumentNode::Always(b"null".to_vec()),
            Value::Object(object) => self.map(object),
            Value::Array(list) => {
                DocumentNode::List(list.elements.iter().map(|value| self.node(value)).collect())
            }
        }
        .joined()
    }

    fn string(&mut self, literal: &StringLit<'_>) -> DocumentNode<L> {
        if !holds_an_expression(&literal.value) {
            return DocumentNode::Always(quoted(&literal.value));
        }
        let range = self.skipped + literal.range.start..self.skipped + literal.range.end;
        let source = LeafText { text: &literal.value, literal: Literal(range), file: self.file };
        match (self.leaf)(&source) {
            Ok(leaf) => DocumentNode::Leaf(leaf),
            Err(error) => {
                self.errors.push(error);
                DocumentNode::Always(Vec::new())
            }
        }
    }

    fn map(&mut self, object: &Object<'_>) -> DocumentNode<L> {
        let mut members = Vec::with_capacity(object.properties.len());
        let mut names = std::collections::BTreeSet::new();
        for property in &object.properties {
            let name = property.name.as_str();
            let range = property.range.start..property.range.end;
            if !names.insert(name) {
                self.note_error(range.clone(), format!("the name {name:?} comes twice"));
            }
            if holds_an_expression(name) {
                self.note_error(range, "an expression in a name; expressions stand in values only");
            }
            let mut text = quoted(name);
            text.push(b':');
            members.push(DocumentMember { name: text, value: self.node(&property.value) });
        }
        DocumentNode::Map(members)
    }
}

impl<L> DocumentNode<L> {
    /// Joins a node without leaves into one text, because it is the same for every record.
    fn joined(self) -> Self {
        let mut text = Vec::new();
        match &self {
            Self::Map(members) => {
                text.push(b'{');
                for DocumentMember { name, value } in members {
                    let Self::Always(value) = value else { return self };
                    json::separate(&mut text);
                    text.extend_from_slice(name);
                    text.extend_from_slice(value);
                }
                text.push(b'}');
            }
            Self::List(values) => {
                text.push(b'[');
                for value in values {
                    let Self::Always(value) = value else { return self };
                    json::separate(&mut text);
                    text.extend_from_slice(value);
                }
                text.push(b']');
            }
            Self::Always(_) | Self::Leaf(_) => return self,
        }
        Self::Always(text)
    }
}

fn holds_an_expression(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|sign| text.contains(sign))
}

fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    json::write(&text, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> Result<DocumentNode<String>, String> {
        read(text, &mut |source| Ok(source.text.to_owned())).map_err(|errors| {
            let shown: Vec<_> = errors.iter().map(|error| error.shown("f", text).to_string()).collect();
            shown.join("\n")
        })
    }

    #[test]
    fn nodes_without_leaves_are_joined() {
        let text = "// A comment.\n{\"a\": [1, -2.50e3, null, true, {\"b\\u00e9\": \"x\\n\"}] /* and\nanother */ , \"c\": \"{% raw\"}";
        let Ok(DocumentNode::Map(members)) = read_all(text) else { unreachable!("a map") };
        let DocumentNode::Always(always) = &members[0].value else { unreachable!("no leaf in it") };
        assert_eq!(str::from_utf8(always), Ok("[1,-2.50e3,null,true,{\"bé\":\"x\\n\"}]"));
        assert!(matches!(&members[1].value, DocumentNode::Leaf(text) if text == "{% raw"));
    }

    #[test]
    fn all_errors_are_reported_with_line_and_column() {
        for (text, expected) in [
            ("", "f, line 1, column 1: the file is empty"),
            ("{\n  \"a\": 01}", "f, line 2, column 9: expected comma"),
            ("{\"a\": 1,}", "f, line 1, column 8: trailing commas are not allowed"),
            ("{\"a\" 1}", "f, line 1, column 6: expected colon"),
            ("{'a': 1}", "f, line 1, column 2: single-quoted strings are not allowed"),
            ("{\"é\": 1,\n\"é\": 2}", "f, line 2, column 1: the name \"é\" comes twice"),
            ("{\"{{ a }}\": 1}", "f, line 1, column 2: an expression in a name"),
            ("{} {}", "f, line 1, column 4: "),
        ] {
            let found = read_all(text).expect_err(text);
            assert!(found.starts_with(expected), "{text}: {found}");
        }
        let both = read_all("{\"a\": 1, \"a\": 2,\n\"{{x}}\": 3}").expect_err("two");
        assert_eq!(both.lines().count(), 2, "{both}");
        assert!(read_all(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn a_place_in_a_leaf_is_a_place_in_the_file() {
        let text = "[\n \"{{ \\u00e9\\n\\\"\\ud83d\\ude00é! }}\"]";
        let mut places = Vec::new();
        let _ = read(text, &mut |source| {
            let of = |sign: &str| source.place(source.text.find(sign).unwrap_or_default());
            places = ["{{", "é", "\n", "\"", "😀", "!", "}}"].map(of).to_vec();
            Ok(())
        });
        let expected = ["{{", "\\u00e9", "\\n", "\\\"", "\\ud83d", "! }", "}}"];
        let expected: Vec<_> = expected.iter().map(|sign| text.find(sign).unwrap()).collect();
        assert_eq!(places, expected);
    }
}
