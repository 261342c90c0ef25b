//! Is what records say of the cluster true when the cluster is late, away, restored or looked at anew?
//! Each file here asks one question.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod long_outage;
mod outages;
#[path = "../../../benches/palette.rs"]
mod palette;
mod perturbations;
mod plot;
mod related;
mod remembered;
mod replayed;
mod stage;

use testkit as support;

use testkit::oracle::{answer, model, world};
use testkit::{dice, late_replay, watch_script};

use support::variables::number_from;
