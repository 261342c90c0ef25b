//! What the settings take, say and show.
//! Each file here asks one question.

#[path = "../support/cases.rs"]
mod cases;
mod endpoints;
mod headers;
mod hostile;
#[path = "../support/reading.rs"]
mod reading;
mod shown;
mod started;
#[path = "../support/mod.rs"]
mod support;
mod trust;
mod values;
mod weaknesses;
