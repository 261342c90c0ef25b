//! What the settings take, say and show.
//! Each file here asks one question.

mod endpoints;
mod headers;
mod hostile;
mod shown;
mod started;
mod trust;
mod values;
mod weaknesses;

use testkit as support;
use testkit::{cases, reading};
