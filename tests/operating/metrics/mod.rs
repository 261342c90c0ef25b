//! The metrics: their page, their figures, what is written of them and what is built on them.
//! Each file here asks one question.

mod alerts;
mod docs;
mod figures;
mod figures_in_time;
mod operations;
mod promql;
mod whole_page;

use testkit as support;
use testkit::{doc_rows, page, posting};
