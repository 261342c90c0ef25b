//! What the demo prints, made for a terminal of 80 to 100 columns. Colours only where a person looks.

use std::env;
use std::io::{IsTerminal, stdout};
use std::time::Duration;

use serde_json::Value;

use crate::pass::{OUTCOMES, Pass};

/// The width without a terminal that says another.
const WIDTH: usize = 100;
/// One row for each of these: what a person on call would look for.
const SHOWN_REASONS: [&str; 7] = [
    "ScalingReplicaSet",
    "FailedCreate",
    "NodeNotReady",
    "FailedGetResourceMetric",
    "FailedBinding",
    "Unhealthy",
    "OOMKilling",
];

pub struct Table {
    width: usize,
    colours: bool,
}

#[derive(Clone, Copy)]
enum Colour {
    Bold,
    Dim,
    Green,
    Yellow,
}

impl Table {
    pub fn for_stdout() -> Table {
        let colours = stdout().is_terminal() && env::var_os("NO_COLOR").is_none();
        Table { width: columns().map_or(WIDTH, |columns| columns.clamp(80, 100)), colours }
    }

    pub fn heading(&self, records: usize) {
        let title = self.paint(Colour::Bold, "event_gateway");
        println!(
            "\n{title}: {} events of a real cluster, through the plugin twice\n",
            grouped(records as u64)
        );
    }

    /// A handful of what the gateway got: of each reason the last record, in order of arrival.
    pub fn events(&self, records: &[Value]) {
        let last = |reason: &&str| records.iter().rposition(|record| record["reason"] == **reason);
        let mut rows: Vec<usize> = SHOWN_REASONS.iter().filter_map(last).collect();
        rows.sort_unstable();
        let head = ["TIME", "TYPE", "REASON", "OBJECT"].map(str::to_owned);
        let cells: Vec<[String; 4]> =
            std::iter::once(head).chain(rows.iter().map(|row| self.cells(&records[*row]))).collect();
        let widths: [usize; 4] = std::array::from_fn(|column| {
            cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
        });
        for (index, row) in cells.iter().enumerate() {
            let mut line = String::new();
            for (text, width) in row.iter().zip(widths) {
                line += &format!("{text:width$}  ");
            }
            let room = self.width.saturating_sub(line.chars().count());
            match index {
                0 => println!("{}", self.paint(Colour::Dim, &(line + "SERVICES UNDER IMPACT"))),
                _ => {
                    let services = cut(&services(&records[rows[index - 1]]), room);
                    println!("{}", self.warn(&(line + &self.paint(Colour::Bold, &services))));
                }
            }
        }
        let more = records.len().saturating_sub(rows.len());
        println!("{}\n", self.paint(Colour::Dim, &format!("… and {} more", grouped(more as u64))));
    }

    pub fn totals(&self, passes: &[(&str, &Pass)]) {
        let head = format!(
            "{:7}{:>11}{:>12}{:>11}{:>15}{:>9}{:>22}{:>8}",
            "", "RECORDS IN", "DUPLICATES", "DELIVERED", "WITH SERVICES", "BATCHES", "BYTES → SENT", "TIME"
        );
        println!("{}", self.paint(Colour::Dim, &head));
        for (name, pass) in passes {
            let bytes = match pass.sent_bytes {
                0 => "0".to_owned(),
                sent => format!("{} → {}", bytes(pass.batch_bytes), bytes(sent)),
            };
            println!(
                "{name:7}{:>11}{:>12}{}{:>15}{:>9}{bytes:>22}{:>8}",
                grouped(pass.records),
                grouped(pass.duplicates),
                self.paint(Colour::Bold, &format!("{:>11}", grouped(pass.delivered))),
                grouped(pass.correlated[0]),
                grouped(pass.batches),
                time(pass.took)
            );
        }
    }

    /// What the records of a pass say of the cluster. Some of these depend on what was faster, the event or the watches.
    pub fn outcomes(&self, pass: &Pass) {
        let counts = OUTCOMES.iter().zip(pass.correlated).filter(|(_, count)| *count > 0);
        let counts: Vec<String> = counts.map(|(word, count)| format!("{} {word}", grouped(count))).collect();
        println!("\n{} {}.", self.paint(Colour::Dim, "correlation of pass 1:"), counts.join(", "));
    }

    pub fn notes(&self, lines: &[&str]) {
        println!();
        for line in lines {
            println!("{}", self.paint(Colour::Dim, line));
        }
    }

    pub fn verdict(&self, delivered: usize) {
        let text = format!("{} records delivered, each once.", grouped(delivered as u64));
        println!("\n{} The second pass delivered nothing.", self.paint(Colour::Green, &text));
    }

    fn cells(&self, record: &Value) -> [String; 4] {
        let object = &record["object"];
        // A Node has no namespace; its kind says where to look.
        let places = [&object["namespace"], &object["kind"]].map(text);
        let place = places.into_iter().find(|place| !place.is_empty()).unwrap_or_default();
        [
            text(&record["time"]).get(11..19).unwrap_or_default().to_owned(),
            text(&record["type"]).to_owned(),
            cut(text(&record["reason"]), 19),
            cut(&format!("{place}/{}", text(&object["name"])), self.width / 4 - 1),
        ]
    }

    /// Makes the type of a warning stand out.
    fn warn(&self, line: &str) -> String {
        line.replacen("Warning", &self.paint(Colour::Yellow, "Warning"), 1)
    }

    fn paint(&self, colour: Colour, text: &str) -> String {
        let code = match colour {
            Colour::Bold => 1,
            Colour::Dim => 2,
            Colour::Green => 32,
            Colour::Yellow => 33,
        };
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The columns of the terminal, if stdout is one.
#[allow(unsafe_code)]
fn columns() -> Option<usize> {
    // SAFETY: the kernel fills the struct that it is given, and all zeros are a valid one before.
    let size = unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        (libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) == 0).then_some(size)
    };
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Name and ready of all endpoints, the first ones first.
fn services(record: &Value) -> String {
    let services = record["services"].as_array().map_or(&[][..], |services| services);
    let shown: Vec<String> = services
        .iter()
        .map(|one| format!("{} {}/{}", text(&one["name"]), one["endpoints_ready"], one["endpoints_total"]))
        .collect();
    if shown.is_empty() { "–".to_owned() } else { shown.join(", ") }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

fn bytes(count: u64) -> String {
    match count {
        0..1024 => format!("{count} B"),
        1024..1_048_576 => format!("{:.1} KiB", count as f64 / 1024.0),
        _ => format!("{:.2} MiB", count as f64 / 1_048_576.0),
    }
}

fn time(took: Duration) -> String {
    match took.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", took.as_secs_f64()),
    }
}
