//! The figures as a table in Markdown and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::run::Measured;
use crate::summary::{Rounds, Row, Spread};
use crate::variant::Variant;

const HEADINGS: &str = "\
| over the bare host | µs of CPU an event | of `out_http`, gzip | of Lua | MiB started | MiB after | MiB at most | bytes sent an event |
|---|---|---|---|---|---|---|---|
";
/// The variants that each row is compared with, in the order of the columns.
const AGAINST: [Variant; 2] = [Variant::HTTP, Variant::LuaHttp];

/// The table of docs/performance.md, with the line that names the machine.
pub fn table(machine: &Machine, rounds: &Rounds) -> String {
    let rows = rounds.rows();
    let (bare_cpu, bare_mib) = (rounds.bare_cpu_us(), rounds.bare_mib());
    let times = if rounds.passes > 1 { format!(", each {} times", rounds.passes) } else { String::new() };
    let mut text = format!(
        "{}.\n{} events of {} bytes{times}, {} rounds; the bare host itself took {:.1} µs an event and {:.1} MiB.\n",
        machine.text(),
        thousands(rounds.events),
        thousands(rounds.event_bytes),
        rounds.rounds.len(),
        bare_cpu.median,
        bare_mib.median,
    );
    let matched = rows.iter().map(|row| row.matched).fold(0.0, f64::max) * 100.0;
    let _ = writeln!(text, "With correlation, {matched:.0} % of the events name a Service.\n");
    text.push_str(HEADINGS);
    for row in &rows {
        let [http, lua] = AGAINST.map(|variant| format!("{:.2}", ratio(&rows, row, variant)));
        let _ = writeln!(
            text,
            "| {} | {} | {http} | {lua} | {:.1} | {:.1} | {:.1} | {:.0} |",
            row.variant.name(),
            spread(row.cpu_us),
            row.at_start_mib.median,
            row.at_end_mib.median,
            row.peak_mib.median,
            row.sent_bytes,
        );
    }
    text
}

fn spread(spread: Spread) -> String {
    format!("{:.1} ({:.1} to {:.1})", spread.median, spread.least, spread.most)
}

/// The processor time of a row as a share of another row's.
pub fn ratio(rows: &[Row], row: &Row, against: Variant) -> f64 {
    let against = rows.iter().find(|row| row.variant == against).expect("a row of its own");
    row.cpu_us.median / against.cpu_us.median
}

pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// All measurements of all rounds.
pub fn json(machine: &Machine, rounds: &Rounds) -> Value {
    let rows = rounds.rows();
    let of_round = |measured: &Measured| {
        json!({
            "start_cpu_ms": rounded(measured.start_cpu.as_secs_f64() * 1e3),
            "cpu_us_per_event": rounded(rounds.cpu_us(measured)),
            "idle_cpu_ms_per_s": rounded(measured.idle_cpu.as_secs_f64() * 1e3),
            "seconds": rounded(measured.took.as_secs_f64()),
            "rss_started_kib": measured.before.now_kib,
            "rss_after_kib": measured.after.now_kib,
            "rss_peak_kib": measured.after.peak_kib,
            "requests": measured.arrived.requests,
            "records": measured.arrived.records,
            "different_records": measured.arrived.different,
            "sent_bytes": measured.arrived.sent_bytes,
            "plain_bytes": measured.arrived.plain_bytes,
            "records_with_services": measured.matched,
        })
    };
    let of_variant = |(place, variant): (usize, Variant)| {
        let row = rows.iter().find(|row| row.variant == variant);
        json!({
            "variant": variant.name(),
            "cpu_us_per_event_over_bare": row.map(|row| rounded(row.cpu_us.median)),
            "rounds": rounds.rounds.iter().map(|round| of_round(&round[place])).collect::<Vec<_>>(),
        })
    };
    json!({
        "machine": {
            "cpu": machine.cpu, "cores": machine.cores, "kernel": machine.kernel, "fluent_bit": machine.fluent_bit,
        },
        "plugin": env!("CARGO_PKG_VERSION"),
        "events": rounds.events,
        "passes": rounds.passes,
        "event_bytes": rounds.event_bytes,
        "variants": Variant::ALL.into_iter().enumerate().map(of_variant).collect::<Vec<_>>(),
    })
}

/// Rounds to three digits, because more would be noise in a diff.
fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}
