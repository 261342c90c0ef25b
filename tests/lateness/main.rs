//! Is what records say of the cluster true when the cluster is late, away, restored or looked at anew?
//! Each file here asks one question.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../correlation_model/answer.rs"]
mod answer;
#[path = "../support/dice.rs"]
mod dice;
#[path = "../support/late_replay.rs"]
mod late_replay;
mod long_outage;
#[path = "../correlation_model/model.rs"]
mod model;
mod outages;
#[path = "../../benches/palette.rs"]
mod palette;
mod perturbations;
mod plot;
mod related;
mod remembered;
mod replayed;
mod stage;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/watch_script.rs"]
mod watch_script;
#[path = "../correlation_model/world.rs"]
mod world;

use support::variables::number_from;
