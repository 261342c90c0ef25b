//! The metrics: their page, their figures, what is written of them and what is built on them.
//! Each file here asks one question.

mod alerts;
#[path = "../support/doc_rows.rs"]
mod doc_rows;
mod docs;
mod figures;
mod figures_in_time;
mod operations;
#[path = "../support/page.rs"]
mod page;
#[path = "../support/posting.rs"]
mod posting;
mod promql;
#[path = "../support/mod.rs"]
mod support;
mod whole_page;
