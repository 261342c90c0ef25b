//! The template engine: its names, its limits, and how its values become text.

use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::document::{LeafText, TemplateError};
use super::names::{KnownNames, MOST_STEPS, too_large};
use super::{filters, values};
use crate::format::json;
use crate::record::MAX_RECORD_BYTES;

/// How a leaf is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeafOutput {
    /// As the JSON value of its one expression.
    Json,
    /// As a JSON string.
    Text,
}

/// A leaf that the engine has compiled.
#[derive(Debug)]
pub(super) struct Compiled {
    name: String,
    output: LeafOutput,
    /// Its index in the list of leaves that are rendered together.
    list_index: Option<usize>,
}

/// Compiles and renders leaves. Starting the engine costs as much as a leaf or two, so all leaves with JSON output are
/// rendered together, as one list. If a leaf fails there, each is rendered alone: that reports the leaf's own error and
/// gives it all steps.
pub(super) struct Engine {
    environment: Environment<'static>,
    pub(super) known: KnownNames,
    leaves: usize,
    /// The expressions of the leaves that are rendered together.
    list: Vec<String>,
}

/// The JSON of the leaves that were rendered together.
#[derive(Debug)]
pub(super) struct LeafList {
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// The first character of the name of a leaf with JSON output. The formatter only gets the name.
const TYPED: char = '=';
/// The name of the list of leaves. It is rendered as one line of JSON per item.
const LIST: &str = "list";
/// The usual size of the rendered list.
const LIST_BYTES: usize = 512;

impl Engine {
    pub(super) fn new() -> Self {
        // The engine's own filters can make values of any size.
        let mut environment = Environment::empty();
        // The default delimiters cannot fail. A line feed at the end of a string is the user's and stays.
        if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
            environment.set_syntax(syntax);
        }
        environment.set_debug(false);
        // Many records do not have what a template refers to.
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_fuel(Some(MOST_STEPS));
        environment.set_formatter(|out, state, value| {
            if state.name() == LIST {
                let mut text = Vec::with_capacity(LIST_BYTES);
                for item in value.try_iter()? {
                    values::write_json(&item, &mut text)?;
                    text.push(b'\n');
                }
                return Ok(out.write_str(&String::from_utf8_lossy(&text))?);
            }
            if state.name().starts_with(TYPED) {
                let mut text = Vec::new();
                values::write_json(value, &mut text)?;
                return Ok(out.write_str(&String::from_utf8_lossy(&text))?);
            }
            match value.kind() {
                ValueKind::String => Ok(out.write_str(value.as_str().unwrap_or_default())?),
                ValueKind::Undefined | ValueKind::None => Ok(()),
                _ => {
                    let mut text = Vec::new();
                    values::write_json(value, &mut text)?;
                    Ok(out.write_str(&String::from_utf8_lossy(&text))?)
                }
            }
        });
        let mut known = KnownNames::default();
        filters::add_to(&mut environment, &mut known);
        Self { environment, known, leaves: 0, list: Vec::new() }
    }

    /// Compiles a leaf.
    ///
    /// # Errors
    /// If it is not valid syntax of the engine.
    pub(super) fn add(
        &mut self,
        source: &LeafText<'_>,
        output: LeafOutput,
    ) -> Result<Compiled, TemplateError> {
        let typed = if output == LeafOutput::Json { TYPED } else { ' ' };
        let name = format!("{typed}{}", self.leaves);
        self.leaves += 1;
        let added = self.environment.add_template_owned(name.clone(), source.text.to_owned());
        added.map_err(|error| template_error(&error)).map(|()| Compiled { name, output, list_index: None })
    }

    /// Adds a leaf of one expression to the list of leaves that are rendered together.
    pub(super) fn add_to_list(&mut self, compiled: Compiled, expression: &str) -> Compiled {
        self.list.push(expression.to_owned());
        Compiled { list_index: Some(self.list.len() - 1), ..compiled }
    }

    /// Compiles the list. No leaf may be added afterwards.
    pub(super) fn finish(&mut self) {
        let mut list = "{{ [".to_owned();
        self.list.iter().for_each(|expression| list.extend(["(", expression, "), "]));
        list.push_str("] }}");
        // A list of one leaf saves nothing, and some expressions cannot be in a list.
        if self.list.len() < 2 || self.environment.add_template_owned(LIST, list).is_err() {
            self.list.clear();
        }
    }

    /// Renders the list; `None` if there is none, or a leaf fails.
    pub(super) fn render_list(&self, root: &Value) -> Option<LeafList> {
        if self.list.is_empty() {
            return None;
        }
        let mut text = Vec::with_capacity(LIST_BYTES);
        let sink = Sink { out: &mut text, most_bytes: MAX_RECORD_BYTES, is_text: false };
        let template = self.environment.get_template(LIST).ok()?;
        template.render_captured_to(root.clone(), sink).ok()?;
        let ends: Vec<_> = memchr::memchr_iter(b'\n', &text).collect();
        (ends.len() == self.list.len()).then_some(LeafList { text, ends })
    }

    /// Appends a leaf's JSON for a record; `out` may grow to `most_bytes`.
    ///
    /// # Errors
    /// Why it cannot be rendered, and where in the leaf. Appended bytes stay.
    pub(super) fn write(
        &self,
        leaf: &Compiled,
        root: &Value,
        out: &mut Vec<u8>,
        most_bytes: usize,
    ) -> Result<(), TemplateError> {
        let is_text = leaf.output == LeafOutput::Text;
        if is_text {
            out.push(b'"');
        }
        let sink = Sink { out, most_bytes, is_text };
        let template = self.environment.get_template(&leaf.name).map_err(|error| template_error(&error))?;
        template.render_captured_to(root.clone(), sink).map_err(|error| template_error(&error))?;
        if is_text {
            out.push(b'"');
        }
        Ok(())
    }
}

impl LeafList {
    /// The JSON of a leaf, if it is in the list.
    pub(super) fn get(&self, leaf: &Compiled) -> Option<&[u8]> {
        let place = leaf.list_index?;
        let start = place.checked_sub(1).map_or(Some(0), |before| Some(self.ends.get(before)? + 1))?;
        self.text.get(start..*self.ends.get(place)?)
    }
}

/// Receives rendered text, up to a number of bytes.
struct Sink<'o> {
    out: &'o mut Vec<u8>,
    most_bytes: usize,
    is_text: bool,
}

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The text does not become shorter by escapes.
        if self.out.len().saturating_add(bytes.len()) > self.most_bytes {
            return Err(io::Error::other("no room"));
        }
        if self.is_text {
            json::write_inside(&String::from_utf8_lossy(bytes), self.out);
        } else {
            self.out.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The engine's error for a person, with the offset in the leaf.
fn template_error(error: &Error) -> TemplateError {
    let at = error.range().map_or(0, |range| range.start);
    let why = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => format!("more than {MOST_STEPS} steps"),
        (ErrorKind::WriteFailure, _) => too_large(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    TemplateError::new(at, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAVES: [&str; 4] =
        ["id", " count if count > 3 else none", "- message | upper -", "{'a\n': [1, none]}"];

    fn engine(leaves: &[&str]) -> (Engine, Vec<Compiled>) {
        let mut engine = Engine::new();
        let add = |(number, leaf): (usize, &&str)| {
            let name = format!("{TYPED}{number}");
            let added = engine.environment.add_template_owned(name.clone(), format!("{{{{{leaf}}}}}"));
            added.unwrap_or_else(|error| panic!("{leaf}: {error}"));
            let compiled = Compiled { name, output: LeafOutput::Json, list_index: None };
            let inside = leaf.trim_matches('-');
            engine.add_to_list(compiled, inside)
        };
        let compiled = leaves.iter().enumerate().map(add).collect();
        engine.finish();
        (engine, compiled)
    }

    fn root(count: u32) -> Value {
        Value::from(std::collections::BTreeMap::from([
            ("id", Value::from("a\"\n1")),
            ("count", Value::from(count)),
            ("message", Value::from("ä")),
        ]))
    }

    #[test]
    fn a_leaf_of_the_list_is_the_same_as_alone() {
        let (engine, leaves) = engine(&LEAVES);
        for count in [1, 7] {
            let list = engine.render_list(&root(count)).expect("none of them fails");
            for leaf in &leaves {
                let mut alone = Vec::new();
                engine.write(leaf, &root(count), &mut alone, 1_000).expect("it does not fail");
                assert_eq!(list.get(leaf), Some(&*alone), "{leaf:?}");
            }
        }
    }

    #[test]
    fn without_a_list_if_one_leaf_fails() {
        let (engine, leaves) = engine(&["id", "message | times(2)"]);
        assert!(engine.render_list(&root(1)).is_none());
        let mut out = Vec::new();
        engine.write(&leaves[0], &root(1), &mut out, 1_000).expect("it does not fail");
        assert!(engine.write(&leaves[1], &root(1), &mut out, 1_000).is_err());
    }
}
