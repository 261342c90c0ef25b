//! [`LeaseRecord`]: what the replicas read and write in the Lease.

use super::Millis;
use super::watermark::Watermark;

/// A Lease as the API server has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeaseRecord {
    /// A Lease that was deleted and made again has another one.
    pub uid: String,
    /// Its resourceVersion.
    pub version: u64,
    /// What its holder wrote.
    pub content: LeaseContent,
}

/// What a write replaces as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeaseContent {
    /// Which run of which pod leads; empty: nobody.
    pub holder: String,
    /// How long the holder has led without another write.
    pub duration: Millis,
    /// How often another run took over.
    pub transitions: u32,
    /// Rises with each write, so that a renewal changes the record.
    pub renewals: u64,
    /// What is settled; `None` if the Lease does not say it in a form that is known.
    pub watermark: Option<Watermark>,
    /// Versions that the holder is about to send, with `no_duplicates`.
    pub announced: Vec<u64>,
}
