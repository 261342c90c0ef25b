//! `make doctor`: what it says of a page, of a mini host, of a real one, and of a silent source.
//! Each file here asks one question.

#[path = "../../../examples/doctor/cluster.rs"]
mod cluster;
mod echoes;
#[path = "../../../examples/doctor/examine.rs"]
mod examine;
#[path = "../../../examples/doctor/finding.rs"]
mod finding;
#[path = "../../../examples/doctor/inputs.rs"]
mod inputs;
mod lies;
mod live;
mod mini_host;
#[path = "../../../examples/doctor/options.rs"]
mod options;
#[path = "../../../examples/doctor/page.rs"]
mod page;
mod pages;
mod real_host;
#[path = "../../../examples/doctor/reconcile.rs"]
mod reconcile;
mod silence;
#[path = "../../../examples/doctor/source.rs"]
mod source;
mod source_words;
#[path = "../../../examples/doctor/verdict.rs"]
mod verdict;
mod verdict_rules;
#[path = "../../../examples/doctor/waiting.rs"]
mod waiting;

use testkit as support;
use testkit::real;
