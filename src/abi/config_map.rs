//! The table of keys in the host's form, for hosts that refuse misspelt keys.
//!
//! With a `config_map` the host checks the names at the start and in `--dry-run`, and lists the keys in its help.
//! All keys have the type string, because `config` checks the values itself and gives better errors.

use std::ffi::CString;
use std::ptr;
use std::sync::OnceLock;

use super::layout::EgConfigMapEntry;
use crate::config::keys::KEYS;

/// `FLB_CONFIG_MAP_STR`.
const STRING: i32 = 0;

/// A table that the host may keep: it lives as long as the image, which is never unmapped.
struct Table(Vec<EgConfigMapEntry>);

// SAFETY: the entries and the strings they point to are written once, before the table is published, and
// only read afterwards.
unsafe impl Send for Table {}
// SAFETY: as above.
unsafe impl Sync for Table {}

/// The entries, terminated by one without a name.
pub fn entries() -> *const EgConfigMapEntry {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE
        .get_or_init(|| {
            Table(
                KEYS.iter()
                    .map(|key| entry(Some(key.name), key.default, key.help))
                    .chain([entry(None, None, "")])
                    .collect(),
            )
        })
        .0
        .as_ptr()
}

fn entry(name: Option<&str>, default: Option<&str>, help: &str) -> EgConfigMapEntry {
    // The strings are leaked, because the table lives until the process ends. No key contains a NUL.
    let leak = |text: &str| CString::new(text).map_or(ptr::null(), |text| text.into_raw().cast_const());
    EgConfigMapEntry {
        kind: STRING,
        name: name.map_or(ptr::null(), leak),
        default_value: default.map_or(ptr::null(), leak),
        flags: 0,
        // A proxy plugin has no context struct that the host could write into.
        set_property: 0,
        offset: 0,
        description: leak(help),
        reserved: [0; 7],
    }
}
