//! The template engine: what it knows, what it may take, and how its values become text.

use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::document::{Fault, Source};
use super::{filters, values};
use crate::record::MAX_RECORD_BYTES;
use crate::render::json;

/// What a leaf may name: the members of the native document, and the record as it came.
pub(super) const ROOTS: [&str; 23] = [
    "action",
    "audit",
    "cluster",
    "correlation",
    "count",
    "event",
    "first_time",
    "id",
    "kind",
    "message",
    "new_occurrences",
    "node",
    "object",
    "reason",
    "record",
    "services",
    "services_total",
    "severity",
    "source",
    "time",
    "type",
    "violation",
    "workload",
];

/// Instructions of the engine for one leaf of one record. A turn of a loop takes some six of them.
pub(super) const MOST_STEPS: u64 = 20_000;

/// Names that leaves may use.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) filters: Vec<&'static str>,
    pub(super) tests: Vec<&'static str>,
    pub(super) functions: Vec<&'static str>,
}

/// What a leaf's value becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The JSON value that it is.
    Typed,
    /// A string of what stands in the leaf.
    Text,
}

/// A leaf that the engine knows.
#[derive(Debug)]
pub(super) struct Compiled {
    name: String,
    form: Form,
}

pub(super) struct Engine {
    environment: Environment<'static>,
    pub(super) known: Known,
    leaves: usize,
}

/// What the names of typed leaves begin with: the formatter is told nothing else.
const TYPED: char = '=';

impl Engine {
    pub(super) fn new() -> Self {
        // Of its own it has what can grow without an end.
        let mut environment = Environment::empty();
        // The default signs cannot fail, and what ends a string is the user's.
        if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
            environment.set_syntax(syntax);
        }
        environment.set_debug(false);
        // Half of what a template asks for is not there in half of the records.
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_fuel(Some(MOST_STEPS));
        environment.set_formatter(|out, state, value| {
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
        let mut known = Known::default();
        filters::add_to(&mut environment, &mut known);
        Self { environment, known, leaves: 0 }
    }

    /// # Errors
    /// When it is no syntax of the engine.
    pub(super) fn add(&mut self, source: &Source<'_>, form: Form) -> Result<Compiled, Fault> {
        let typed = if form == Form::Typed { TYPED } else { ' ' };
        let name = format!("{typed}{}", self.leaves);
        self.leaves += 1;
        let added = self.environment.add_template_owned(name.clone(), source.text.to_owned());
        added.map_err(|error| fault(&error)).map(|()| Compiled { name, form })
    }

    /// Appends what a leaf says of a record as one JSON value; `out` may grow to so many bytes.
    ///
    /// # Errors
    /// Why there is no value, and where in the leaf; what was appended stays.
    pub(super) fn write(
        &self,
        leaf: &Compiled,
        root: &Value,
        out: &mut Vec<u8>,
        most_bytes: usize,
    ) -> Result<(), Fault> {
        let is_text = leaf.form == Form::Text;
        if is_text {
            out.push(b'"');
        }
        let sink = Sink { out, most_bytes, is_text };
        let template = self.environment.get_template(&leaf.name).map_err(|error| fault(&error))?;
        template.render_captured_to(root.clone(), sink).map_err(|error| fault(&error))?;
        if is_text {
            out.push(b'"');
        }
        Ok(())
    }
}

/// The end of what is rendered.
struct Sink<'o> {
    out: &'o mut Vec<u8>,
    most_bytes: usize,
    is_text: bool,
}

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Escaped it is no shorter.
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

/// For a person; its place is one in the leaf.
fn fault(error: &Error) -> Fault {
    let at = error.range().map_or(0, |range| range.start);
    let why = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => format!("more than {MOST_STEPS} steps"),
        (ErrorKind::WriteFailure, _) => too_large(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    Fault::new(at, why)
}

pub(super) fn too_large() -> String {
    format!("larger than {} KiB", MAX_RECORD_BYTES / 1024)
}
