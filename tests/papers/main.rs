//! Whether what is written down is true: documents, manifests, the header, and the rooms of the source.
//! Each file here asks one question.

mod configurations;
#[path = "../support/doc_rows.rs"]
mod doc_rows;
mod docs_truth;
mod header;
mod limits_docs;
mod logs_docs;
mod manifests;
mod rbac;
mod rooms;
mod security;
#[path = "../support/sources.rs"]
mod sources;
#[path = "../support/mod.rs"]
mod support;
mod third_party;
