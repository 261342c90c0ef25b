//! The settings of the filter, read from their keys and checked.

use std::path::PathBuf;

use super::reader::Reader;
use super::settings::{LedgerSettings, ledger};
use super::topology::{self, CorrelationSettings};
use super::units;

/// All settings of one instance of the filter.
#[derive(Debug, Clone)]
pub struct FilterSettings {
    /// How to remember the records that passed; `None`: repeated records pass, too.
    pub dedup: Option<LedgerSettings>,
    /// `false`: events lose their `metadata.managedFields`.
    pub keep_managed_fields: bool,
    /// Its `wait` applies to the start only; records never wait.
    pub correlation: CorrelationSettings,
}

/// `None` if there was an error; it reads all keys in any case.
pub(super) fn read(from: &mut Reader<'_>) -> Option<FilterSettings> {
    let dedup = from.parsed("dedup", units::switch);
    let ledger = ledger(from);
    if dedup == Some(false) && from.text("state_file").is_some() {
        from.refuse("state_file", "is set together with dedup off", "one of the two");
    }
    for read in ["kube_ca_file", "kube_token_file"] {
        let path = from.text(read).map(PathBuf::from);
        if path.is_some() && path == from.text("state_file").map(PathBuf::from) {
            from.refuse("state_file", format!("names the same file as {read}"), "a file of its own");
        }
    }
    let keep_managed_fields = from.parsed("keep_managed_fields", units::switch);
    let state_file = ledger.as_ref().and_then(|ledger| ledger.state_file.clone());
    let correlation = topology::read(from, state_file.as_deref());
    Some(FilterSettings {
        dedup: dedup?.then_some(ledger?),
        keep_managed_fields: keep_managed_fields?,
        correlation: correlation?,
    })
}
