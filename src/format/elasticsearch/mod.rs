//! `format ecs` and `elasticsearch`: documents of the Elastic Common Schema 8.
//!
//! `ecs` is a document a line, for whatever reads NDJSON. `elasticsearch` is the body of the `_bulk` API: before each
//! document stands an action that creates it under the record's id. So a record that comes again meets itself there
//! (409), which counts as accepted: nothing is indexed twice, whatever happens in between. The answer is about each
//! document by itself.
//!
//! A point in the name of a label, or of whatever else a record brings, would be an object in an object there, and
//! `app` beside `app.kubernetes.io/name` a document that no index takes: as metricbeat has it, they are underscores. Of
//! `team.a` and `team_a` the one that comes last counts. What else an index would refuse is in `json::indexed`.
//!
//! - `document`: what all kinds share
//! - `event`, `audit`: what is under `kubernetes.event` and `kubernetes.audit`
//! - `people`: who did it, and from where
//! - `response`: what `_bulk` says of each document; `limits`: what an index takes

mod audit;
mod document;
mod event;
mod limits;
mod people;
mod response;

use std::borrow::Cow;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use super::interface::{Adjusted, Format, RenderError};
use super::json;
use super::limit::Limit;
use super::record::Record;
use crate::config::ServiceSettings;
use crate::response::{Disposition, Response, partial_success};

pub(super) struct Elasticsearch {
    pub(super) cluster: String,
    /// The index or data stream of the bulk API; `None`: documents alone.
    pub(super) index: Option<String>,
}

impl Elasticsearch {
    pub(super) fn bulk(cluster: String, settings: &ServiceSettings) -> Self {
        Self { cluster, index: Some(settings.elasticsearch_index.clone()) }
    }

    fn is_bulk(&self) -> bool {
        self.index.is_some()
    }
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

impl Format for Elasticsearch {
    fn limits(&self) -> &'static [Limit] {
        if self.is_bulk() { limits::ALL } else { &[] }
    }

    /// The response of `_bulk` names each document.
    fn fits_lines(&self) -> bool {
        !self.is_bulk()
    }

    fn response_limit(&self) -> Option<usize> {
        self.is_bulk().then_some(partial_success::BODY_BYTES)
    }

    fn classify(&self, response: &Response<'_>) -> Option<Disposition> {
        if self.is_bulk() { partial_success::classify(response, response::read) } else { None }
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        if let Some(index) = &self.index {
            json::write(&Action { create: Target { _index: index, _id: &id(record.id) } }, out);
            out.push(b'\n');
        }
        json::write_for_index(&document::of(record, &self.cluster), out);
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
