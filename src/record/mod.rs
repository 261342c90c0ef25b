//! Records: the bytes of a chunk become envelopes, and envelopes become what they say, by their kind ([`content`]).
//!
//! Everything is read in place and borrowed from the chunk. [`cursor`] reads one MessagePack value after
//! the other, [`chunk`] finds the records and skips the broken ones, [`event`] reads the event whole, and
//! [`peek`] looks at what is none: an [`audit`] record, a [`violation`], a list of them, a wrapper, or JSON as [`json`] text;
//! [`understood`] does both.

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

/// A record, or an item of a list, above this size is not for a gateway: it goes to the dead letters.
/// etcd refuses objects over 1.5 MiB, and an event of a megabyte is an error of its sender.
pub const MAX_RECORD_BYTES: usize = 1 << 20;
