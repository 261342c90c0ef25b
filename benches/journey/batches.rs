//! How the cost of an event falls as a request holds more events.

use crate::fresh::Fresh;
use crate::measure::print_head;
use crate::null_gateway;
use crate::plot::{Line, Panel};
use crate::stages::recorded::Recorded;
use crate::worker::{pipeline, rounds};

const SIZES: [usize; 6] = [1, 10, 100, 500, 2_000, 10_000];
/// The events of a round with small requests.
const FEW: usize = 1_000;
const MANY: usize = 10_000;

pub fn grow(recorded: &Recorded) -> Panel {
    print_head("events a request, to a null gateway");
    let endpoint = null_gateway::start();
    let mut line = Line { name: "CPU time of its thread", points: Vec::new() };
    for size in SIZES {
        let mut fresh = Fresh::new(recorded, if size < 100 { FEW } else { MANY });
        let settings = [("batch_events", size.to_string()), ("batch_bytes", "60M".to_owned())];
        let settings = settings.each_ref().map(|(key, value)| (*key, value.as_str()));
        let (cost, _) = rounds(&mut pipeline(&endpoint, &settings), &mut fresh, || ());
        cost.print(&size.to_string());
        line.points.push((size as f64, cost.ns));
    }
    println!();
    Panel { title: "The whole delivery worker", axis: "events a request", lines: vec![line] }
}
