//! The settings of the redaction: what is removed from records before they are sent.

use super::reader::Reader;
use super::topology::CorrelationSettings;
use super::units;
use crate::pattern::Patterns;

/// What is removed from records.
#[derive(Debug, Clone, Default)]
pub struct Redaction {
    /// Fields by their names in `format native`.
    pub remove: Vec<String>,
    /// Fields replaced by `sha256:…`, by their names in `format native`.
    pub hash: Vec<String>,
    /// A longer message is cut.
    pub max_message_bytes: usize,
}

const LABELS: &str = "object.labels.";
const ANNOTATIONS: &str = "object.annotations.";

/// `None` if there was an error. Labels and annotations come from the topology and not from the record, so they are
/// removed from what the correlation includes.
pub(super) fn read(
    from: &mut Reader<'_>,
    correlation: Option<&mut CorrelationSettings>,
) -> Option<Redaction> {
    let (mut remove, hash) = (fields(from, "redact"), fields(from, "redact_hash"));
    let mut named = |prefix: &str| {
        // A name with dots may be in quotes, as in other places.
        let names = remove.iter().filter_map(|field| field.strip_prefix(prefix));
        let names: Vec<_> = names.map(|name| name.trim_matches('"')).collect();
        if names.contains(&"") {
            from.refuse(
                "redact",
                format!("{prefix} does not name one"),
                format!("{prefix}app, or {prefix}*"),
            );
        }
        let patterns = Patterns::parse(&names.join(","));
        remove.retain(|field| !field.starts_with(prefix));
        patterns
    };
    let (labels, annotations) = (named(LABELS), named(ANNOTATIONS));
    if let Some(chosen) = correlation {
        chosen.labels = std::mem::take(&mut chosen.labels).except(labels);
        chosen.annotations = std::mem::take(&mut chosen.annotations).except(annotations);
    }
    for field in hash.iter().filter(|field| field.starts_with(LABELS) || field.starts_with(ANNOTATIONS)) {
        let problem = format!("{field} comes from the cluster and can only be left out, not hashed");
        from.refuse("redact_hash", problem, "the field in redact instead");
    }
    let max_message_bytes = from.parsed("max_message_bytes", |text| units::size(text, 100, 16_000_000));
    let max_message_bytes = usize::try_from(max_message_bytes?).ok()?;
    Some(Redaction { remove, hash, max_message_bytes })
}

fn fields(from: &mut Reader<'_>, key: &'static str) -> Vec<String> {
    let text = from.text(key).unwrap_or_default();
    text.split(',').map(str::trim).filter(|field| !field.is_empty()).map(str::to_owned).collect()
}
