//! `format ecs` and `elasticsearch`: documents of the Elastic Common Schema 8. `elasticsearch` is for `POST /_bulk`, `ecs`
//! for any receiver of NDJSON.
//!
//! A request of `ecs` holds one document per line. A request of `elasticsearch` has a line before each document: the
//! action that creates it under the record's id.
//!
//! Dots in names that a record brings, such as labels, become underscores, as in metricbeat. A dot would mean a nested
//! object, and no index takes a document with both `app` and `app.kubernetes.io/name`. If a record has both `team.a` and
//! `team_a`, the last one stays. `json::indexed` describes what else is changed for an index.
//!
//! The response to `_bulk` names the outcome of each document. A 409 counts as accepted: the record was sent before and
//! is there, so nothing is indexed twice. For `ecs` the status decides.
//!
//! - `document`: the fields that all kinds share
//! - `event`, `audit`: the fields under `kubernetes.event` and `kubernetes.audit`
//! - `people`: the user and the addresses of a request
//! - `response`: the outcome of each document; `limits`: the limits of an index

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
    /// The index or data stream of the bulk API; `None`: documents without actions.
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

/// Data streams take only `create`.
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

    /// `elasticsearch` needs the response to `_bulk`, which names each document.
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

/// The id of a document. Elasticsearch limits its length; a longer one, from a hostile sender, is replaced by its hash.
fn id(id: &str) -> Cow<'_, str> {
    if id.len() <= limits::ID.usize() {
        id.into()
    } else {
        format!("{:032x}", xxh3_128(id.as_bytes())).into()
    }
}
