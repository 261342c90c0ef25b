//! `format ecs` and `elasticsearch`: documents of the Elastic Common Schema 8.
//!
//! `ecs` is a document a line, for whatever reads NDJSON. `elasticsearch` is the body of the `_bulk` API: before each
//! document stands an action that creates it under the record's id. So a record that comes again meets itself there
//! (409), which counts as accepted: nothing is indexed twice, whatever happens in between. The answer is about each
//! document by itself.
//!
//! A point in the name of a label, or of whatever else a record brings, would be an object in an object there, and
//! `app` beside `app.kubernetes.io/name` a document that no index takes: as metricbeat has it, they are underscores. Of
//! `team.a` and `team_a` the one that comes last counts. What else an index would refuse is in `json::elastic`.
//!
//! - `document`: what all kinds share
//! - `event`, `audit`: what is under `kubernetes.event` and `kubernetes.audit`
//! - `people`: who did it, and from where

mod audit;
mod document;
mod event;
mod people;

use std::borrow::Cow;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use super::limits::elasticsearch as limits;
use super::{Adjusted, Answers, Record, json};

pub(super) struct Layout {
    pub(super) cluster: String,
    /// The index or data stream of the bulk API; `None`: documents alone.
    pub(super) index: Option<String>,
}

/// `create` is what data streams take.
#[derive(Serialize)]
struct Action<'r> {
    create: Target<'r>,
}

#[derive(Serialize)]
struct Target<'r> {
    _index: &'r str,
    _id: &'r str,
}

impl super::Layout for Layout {
    fn answers(&self) -> Answers {
        if self.index.is_some() { Answers::ElasticsearchBulk } else { Answers::Status }
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, String> {
        if let Some(index) = &self.index {
            json::write(&Action { create: Target { _index: index, _id: &id(record.id) } }, out);
            out.push(b'\n');
        }
        json::write_for_elastic(&document::of(record, &self.cluster), out);
        Ok(Adjusted::default())
    }
}

/// Elasticsearch takes ids of so many bytes. A longer one is a hostile sender's, and its hash stands for it.
fn id(id: &str) -> Cow<'_, str> {
    if id.len() <= limits::ID.usize() {
        id.into()
    } else {
        format!("{:032x}", xxh3_128(id.as_bytes())).into()
    }
}
