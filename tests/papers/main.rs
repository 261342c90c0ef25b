//! Whether what is written down is true: documents, manifests, the header, and the rooms of the source.
//! Each file here asks one question.

mod circles;
mod commands;
mod configurations;
mod docs_truth;
mod documents;
mod doors;
mod header;
mod limits_docs;
mod links;
mod logs_docs;
mod manifests;
mod map;
mod rbac;
mod rooms;
mod security;
mod services;
mod third_party;
mod words;

use testkit::{doc_rows, sources};
