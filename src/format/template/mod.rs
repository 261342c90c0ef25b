//! `format template`: a JSON document of the user's, whose strings hold expressions over the record, for any path.
//!
//! A request holds documents as lines, as an array, or one per request, as the setting `batch_as` says. A record always
//! becomes one JSON value without a line feed, or an error. The status of the response decides.
//!
//! ```text
//! document      JSON with comments → a tree with the place of each leaf in the file
//! tokens        a leaf → its expressions and tags
//! rules         what a leaf must not hold
//! members       the members of the native document that the template refers to, as MessagePack
//! paths         leaves that are plain paths: from MessagePack to JSON, without the engine
//! engine        all other leaves
//! root, view    the record as the engine sees it
//! filters       the filters, tests and functions
//! values,       from the engine's values and from MessagePack to JSON
//! packed
//! names         the names that leaves may use, and their limits
//! samples       records of every kind, which a template must render at the start
//! ```

mod document;
mod engine;
mod filters;
mod members;
mod names;
mod packed;
mod paths;
mod root;
mod rules;
mod samples;
mod tokens;
mod values;
mod view;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use minijinja::value::Value;

use self::document::{DocumentMember, DocumentNode, LeafText, Literal, TemplateError};
use self::engine::{Compiled, Engine, LeafList};
use self::members::{Members, Wanted};
use self::paths::{Path, PathLookup, TextPart};
use super::framing::Framing;
use super::interface::{Adjusted, Format, RenderError};
use super::native::Native;
use super::record::Record;
use crate::config::{BatchAs, ConfigError, TemplateSettings};
use crate::record::MAX_RECORD_BYTES;

/// The most errors of a template that are reported at once.
const MOST_REPORTED: usize = 10;

pub(super) struct Template {
    native: Native,
    settings: TemplateSettings,
    engine: Engine,
    wanted: Arc<Wanted>,
    document: DocumentNode<Leaf>,
}

/// A string that differs between records.
#[derive(Debug)]
struct Leaf {
    kind: LeafKind,
    literal: Literal,
}

/// How a leaf is rendered.
#[derive(Debug)]
enum LeafKind {
    /// One path, without the engine.
    Path(Path),
    /// A text with paths, without the engine.
    Parts(Vec<TextPart>),
    /// By the engine.
    Compiled(Compiled),
}

impl Template {
    /// Reads the template and renders the samples with it.
    ///
    /// # Errors
    /// The errors of the template with their places, or the first sample that it cannot render.
    pub(super) fn open(
        settings: Option<&TemplateSettings>,
        native: Native,
    ) -> Result<Self, Vec<ConfigError>> {
        let Some(settings) = settings else {
            return Err(vec![config_error("is not set".to_owned(), "a file, since format is template")]);
        };
        let (mut engine, mut wanted) = (Engine::new(), Wanted::default());
        let document = document::read(&settings.text, &mut |source| leaf(source, &mut engine, &mut wanted));
        let report = |error: &TemplateError| error.shown(&settings.file, &settings.text).to_string();
        let expected = "a template as docs/templates.md describes it";
        let document = document.map_err(|errors| {
            errors
                .iter()
                .take(MOST_REPORTED)
                .map(|error| config_error(report(error), expected))
                .collect::<Vec<_>>()
        })?;
        engine.finish();
        let template =
            Self { native, settings: settings.clone(), engine, wanted: Arc::new(wanted), document };
        match samples::first_error(|record, out| template.write(record, out)) {
            None => Ok(template),
            Some((sample, error)) => {
                let problem = format!("{} (with the sample record \"{sample}\")", report(&error));
                Err(vec![config_error(problem, "a template that renders every sample record")])
            }
        }
    }

    fn write(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<(), TemplateError> {
        let members = Members::of(&self.native.document(record), &self.wanted);
        let members = members.map_err(|why| TemplateError::new(0, why.to_string()))?;
        let mut writer = Writer {
            template: self,
            paths: PathLookup::new(&members, record.body),
            views: EngineViews {
                template: self,
                members: &members,
                body: record.body,
                list: OnceCell::new(),
                alone: OnceCell::new(),
            },
            most_bytes: out.len().saturating_add(MAX_RECORD_BYTES),
            out,
        };
        writer.node(&self.document)
    }
}

/// The engine's views of a record. Each is made when the first leaf needs it.
struct EngineViews<'w> {
    template: &'w Template,
    members: &'w Members,
    body: &'w [u8],
    list: OnceCell<Option<LeafList>>,
    alone: OnceCell<Value>,
}

impl EngineViews<'_> {
    fn root(&self) -> Value {
        Value::from_object(root::RootView::new(&self.template.wanted, self.members, self.body))
    }

    /// The leaves that are rendered together. They have a root of their own, so that they do not use up the work that a
    /// single leaf may do.
    fn list(&self) -> Option<&LeafList> {
        self.list.get_or_init(|| self.template.engine.render_list(&self.root())).as_ref()
    }

    fn alone(&self) -> &Value {
        self.alone.get_or_init(|| self.root())
    }
}

fn config_error(problem: String, expected: &str) -> ConfigError {
    ConfigError { key: "template_file", problem, expected: expected.to_owned() }
}

/// Checks a string and makes a leaf of it.
fn leaf(source: &LeafText<'_>, engine: &mut Engine, wanted: &mut Wanted) -> Result<Leaf, TemplateError> {
    let in_file = |error: TemplateError| TemplateError { at: source.place(error.at), ..error };
    let pieces = tokens::pieces(source.text);
    rules::check(&pieces, &engine.known).map_err(in_file)?;
    let is_one = matches!(&pieces[..], [one] if one.kind == tokens::PieceKind::Expression
        && (one.start, one.end) == (0, source.text.len()));
    // The engine checks the syntax of every leaf, also of plain paths.
    let output = if is_one { engine::LeafOutput::Json } else { engine::LeafOutput::Text };
    let compiled = engine.add(source, output).map_err(in_file)?;
    let plain = match &pieces[..] {
        [one] if is_one => wanted.path(one).map(LeafKind::Path),
        all => wanted.text(source.text, all).map(LeafKind::Parts),
    };
    let kind = plain.unwrap_or_else(|| {
        let names = pieces.iter().flat_map(|piece| &piece.tokens);
        for (_, token) in names {
            let root = names::ROOTS.into_iter().find(|root| *token == tokens::LeafToken::Name(root));
            root.map(|root| wanted.place(root));
        }
        LeafKind::Compiled(match pieces.first().filter(|_| is_one) {
            Some(one) => engine.add_to_list(compiled, one.inside(source.text)),
            None => compiled,
        })
    });
    Ok(Leaf { kind, literal: source.literal.clone() })
}

impl Format for Template {
    fn framing(&self) -> Framing {
        match self.settings.batch_as {
            BatchAs::Ndjson => Framing::LINES,
            BatchAs::JsonArray => Framing::ARRAY,
            BatchAs::OnePerRequest => Framing::ALONE,
        }
    }

    fn content_type(&self) -> Cow<'_, str> {
        self.settings.content_type.as_str().into()
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        self.write(record, out).map(|()| Adjusted::default()).map_err(|error| {
            RenderError::Template(error.shown(&self.settings.file, &self.settings.text).to_string())
        })
    }
}

/// Renders one record.
struct Writer<'w> {
    template: &'w Template,
    paths: PathLookup<'w>,
    views: EngineViews<'w>,
    /// The most bytes to which `out` may grow.
    most_bytes: usize,
    out: &'w mut Vec<u8>,
}

impl Writer<'_> {
    fn node(&mut self, node: &DocumentNode<Leaf>) -> Result<(), TemplateError> {
        match node {
            DocumentNode::Always(text) => self.out.extend_from_slice(text),
            DocumentNode::Leaf(leaf) => self.leaf(leaf)?,
            DocumentNode::List(nodes) => {
                self.out.push(b'[');
                for (index, node) in nodes.iter().enumerate() {
                    if index > 0 {
                        self.out.push(b',');
                    }
                    self.node(node)?;
                }
                self.out.push(b']');
            }
            DocumentNode::Map(members) => self.map(members)?,
        }
        Ok(())
    }

    fn map(&mut self, members: &[DocumentMember<Leaf>]) -> Result<(), TemplateError> {
        self.out.push(b'{');
        let mut is_first = true;
        for DocumentMember { name, value } in members {
            let before = self.out.len();
            if !is_first {
                self.out.push(b',');
            }
            self.out.extend_from_slice(name);
            let start = self.out.len();
            self.node(value)?;
            let is_omitted = self.template.settings.omit_null
                && matches!(value, DocumentNode::Leaf(_))
                && self.out.get(start..) == Some(b"null");
            if is_omitted {
                self.out.truncate(before);
            } else {
                is_first = false;
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn leaf(&mut self, leaf: &Leaf) -> Result<(), TemplateError> {
        match &leaf.kind {
            LeafKind::Path(path) => self.paths.write(path, false, self.out),
            LeafKind::Parts(parts) => {
                self.out.push(b'"');
                for part in parts {
                    match part {
                        TextPart::Always(text) => self.out.extend_from_slice(text),
                        TextPart::Path(path) => self.paths.write(path, true, self.out),
                    }
                    if self.out.len() > self.most_bytes {
                        break;
                    }
                }
                self.out.push(b'"');
            }
            LeafKind::Compiled(compiled) => {
                if let Some(json) = self.views.list().and_then(|list| list.get(compiled)) {
                    self.out.extend_from_slice(json);
                } else {
                    let root = self.views.alone();
                    let written = self.template.engine.write(compiled, root, self.out, self.most_bytes);
                    written.map_err(|error| self.in_file(leaf, error))?;
                }
            }
        }
        if self.out.len() > self.most_bytes {
            return Err(self.in_file(leaf, TemplateError::new(0, names::too_large())));
        }
        Ok(())
    }

    fn in_file(&self, leaf: &Leaf, error: TemplateError) -> TemplateError {
        TemplateError { at: leaf.literal.place(&self.template.settings.text, error.at), ..error }
    }
}
