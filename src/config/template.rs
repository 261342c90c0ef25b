//! The settings of `format template`.

use std::path::{Path, PathBuf};

use ureq::http::header::HeaderValue;

use super::format::FormatName;
use super::reader::{Reader, shown_path};
use super::units;

/// A template, read at the start, and how its records are batched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateSettings {
    /// The file's name for a log.
    pub file: String,
    /// JSON with comments, not parsed yet.
    pub text: String,
    /// The `Content-Type` of requests. Follows `batch_as` if the setting is unset.
    pub content_type: String,
    /// How rendered records become the body of a request.
    pub batch_as: BatchAs,
    /// Whether members without a value are left out.
    pub omit_null: bool,
}

/// How records are combined into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchAs {
    /// One record per line.
    Ndjson,
    /// One JSON array with an item for each record.
    JsonArray,
    /// The record is the whole body.
    OnePerRequest,
}

impl BatchAs {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::JsonArray | Self::OnePerRequest => "application/json",
        }
    }
}

/// `None` if there was an error, `Some(None)` with another format.
#[expect(clippy::option_option, reason = "all readers of settings return an outer Option")]
pub(super) fn read(from: &mut Reader<'_>, format: Option<FormatName>) -> Option<Option<TemplateSettings>> {
    let batch_as = from.parsed("batch_as", |text| {
        units::choice(
            text,
            &[
                ("ndjson", BatchAs::Ndjson),
                ("json_array", BatchAs::JsonArray),
                ("one_per_request", BatchAs::OnePerRequest),
            ],
        )
    });
    let omit_null = from.parsed("omit_null", units::switch);
    if format != Some(FormatName::Template) {
        let before = from.errors.len();
        // An unknown format may have been meant to be template, so then these keys are no error.
        for key in ["template_file", "content_type"].into_iter().filter(|_| format.is_some()) {
            if from.text(key).is_some() {
                from.refuse(key, "is set, but format is not template", "it only with format template");
            }
        }
        for key in ["batch_as", "omit_null"].into_iter().filter(|_| format.is_some()) {
            if from.text(key).is_some_and(|text| Some(&*text) != from.default_of(key)) {
                from.refuse(key, "is set, but format is not template", "it only with format template");
            }
        }
        return (from.errors.len() == before && batch_as.is_some() && omit_null.is_some()).then_some(None);
    }
    let content_type = content_type(from, batch_as);
    let file = file(from);
    let (file, text) = file?;
    Some(Some(TemplateSettings {
        file,
        text,
        content_type: content_type?,
        batch_as: batch_as?,
        omit_null: omit_null?,
    }))
}

fn content_type(from: &mut Reader<'_>, batch_as: Option<BatchAs>) -> Option<String> {
    let Some(text) = from.text("content_type") else {
        return batch_as.map(|batch_as| batch_as.content_type().to_owned());
    };
    // RFC 9110, 8.3.1: two tokens, and parameters, which are not checked here.
    let is_token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let kind = text.split(';').next().unwrap_or_default().trim();
    let is_one = kind.split_once('/').is_some_and(|(kind, of_it)| is_token(kind) && is_token(of_it));
    if is_one && HeaderValue::from_str(&text).is_ok() {
        return Some(text);
    }
    let shown = units::shorten(&text, 80);
    from.refuse("content_type", format!("\"{shown}\" is not a media type"), "one such as application/json");
    None
}

fn file(from: &mut Reader<'_>) -> Option<(String, String)> {
    let before = from.errors.len();
    let Some(path) = from.text("template_file").map(PathBuf::from) else {
        if from.errors.len() == before {
            from.refuse("template_file", "is not set", "a file, since format is template");
        }
        return None;
    };
    match (from.source.contents)(&path) {
        Ok(text) => Some((shown_path(Path::new(&path)), text)),
        Err(why) => {
            let problem = format!("{} cannot be read ({why})", shown_path(&path));
            from.refuse("template_file", problem, "a readable file");
            None
        }
    }
}
