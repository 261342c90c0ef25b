//! The cost of each stage of the journey, and of all together, per event: `make bench`.
//!
//! It uses real events and one core, and measures the time and the allocations of the plugin's own thread. The best of
//! several runs counts, because a disturbance only makes a run slower. How costs grow with the size of a batch, of the
//! ledger and of the cluster is also drawn into docs/bench/growth.svg.

#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]

#[path = "../../tests/interpose/allocations.rs"]
mod allocations;
mod batches;
mod clusters;
mod crates;
mod fresh;
mod ledgers;
mod measure;
mod null_gateway;
#[path = "../palette.rs"]
mod palette;
mod plot;
mod rows;
#[path = "../stages/mod.rs"]
mod stages;
mod worker;

use testkit as support;
use testkit::posting;

use std::path::Path;

use plot::Panel;
use stages::recorded::Recorded;

const PLOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/bench/growth.svg");

fn main() {
    // A ledger's memory is measured in a process of its own.
    if let Some(entries) = ledgers::asked_for() {
        return ledgers::measure_one(entries);
    }
    let recorded = Recorded::load();
    let count = recorded.events.len();
    println!("{count} events, {} bytes each on average\n", recorded.chunk.len() / count);
    rows::print(recorded);
    crates::print(recorded);
    worker::print(recorded);
    let panels: [Panel; 3] = [batches::grow(recorded), ledgers::grow(), clusters::grow()];
    let file = Path::new(PLOT);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder for the plot");
    plot::draw(file, &panels).expect("a plot");
}
