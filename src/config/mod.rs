//! Reads and checks the settings, and reports all errors at once.
//!
//! The host passes every property as a string (`output_get_property`), does not check our types and, before 5.1.1,
//! ignores a misspelt key. So all checks are here. [`read`] checks every key before it returns, so that a user can fix
//! all errors at once instead of one per restart.

mod credentials;
mod endpoint;
mod error;
mod filter;
mod format;
mod headers;
pub mod keys;
mod reader;
mod reconcile;
mod redaction;
mod remote;
mod selection;
mod services;
mod settings;
pub mod shown;
mod template;
mod topology;
mod trust;
pub mod units;

pub use credentials::Credentials;
pub use endpoint::{FileSettings, Scheme};
pub use error::{ConfigError, PathError};
pub use filter::FilterSettings;
pub use format::{Compress, FormatName, KeyPlace};
pub use reader::Source;
pub use reconcile::ReconcileSettings;
pub use redaction::Redaction;
pub use remote::{Endpoint, Tls, is_loopback};
pub use selection::{Kinds, Selection};
pub use services::ServiceSettings;
pub use settings::{DeadLetters, Guarantee, LedgerSettings, Others, RenderSettings, Settings, Updates};
pub use template::{BatchAs, TemplateSettings};
pub use topology::{CorrelationSettings, TopologySettings};
pub use trust::Weaknesses;

use keys::Key;
use reader::Reader;

/// Reads and checks all settings of the output.
///
/// # Errors
/// All errors, in the order of [`keys::KEYS`]; never just the first.
pub fn read(source: &Source<'_>) -> Result<Settings, Vec<ConfigError>> {
    all_or_every_error(source, keys::KEYS, settings::read)
}

/// Reads and checks all settings of the filter.
///
/// # Errors
/// All errors, in the order of [`keys::FILTER_KEYS`]; never just the first.
pub fn read_filter(source: &Source<'_>) -> Result<FilterSettings, Vec<ConfigError>> {
    all_or_every_error(source, keys::FILTER_KEYS, filter::read)
}

fn all_or_every_error<S>(
    source: &Source<'_>,
    keys: &'static [Key],
    read: impl FnOnce(&mut Reader<'_>) -> Option<S>,
) -> Result<S, Vec<ConfigError>> {
    let mut reader = Reader { source, keys, errors: Vec::new() };
    let settings = read(&mut reader);
    let mut errors = reader.errors;
    match settings {
        Some(settings) if errors.is_empty() => Ok(settings),
        _ => {
            errors.sort_by_key(|error| keys.iter().position(|key| key.name == error.key));
            Err(errors)
        }
    }
}
