//! Decodes records: from the bytes of a chunk to the [`content`] of each record.
//!
//! Everything is read in place and borrowed from the chunk. [`cursor`] reads MessagePack values, [`chunk`]
//! finds the records and skips damaged ones, [`event`] reads a Kubernetes event. [`shape`] recognises other
//! bodies: an [`audit`] record, a [`violation`], a list of them, a wrapper, or [`json`] text. [`classify`]
//! combines all this. [`identity`] says which records are the same.

pub mod audit;
pub mod canonical;
pub mod chunk;
pub mod classify;
pub mod content;
pub mod content_hash;
pub mod cursor;
pub mod depth_limit;
pub mod duplicate_keys;
pub mod event;
mod events_v1;
mod fields;
pub mod identity;
pub mod json;
mod json_in_text;
mod lenient_json;
pub mod raw;
pub mod redact;
mod reference;
pub mod shape;
pub mod shorten;
mod skip;
pub mod text;
pub mod violation;
mod wrapper;
pub mod wrapper_search;

/// A larger record, or item of a list, is dead-lettered. etcd refuses objects above 1.5 MiB, and an event of
/// a megabyte is an error of its sender.
pub const MAX_RECORD_BYTES: usize = 1 << 20;
