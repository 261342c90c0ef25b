//! The processor time of each variant as labelled bars.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::machine::Machine;
use crate::palette::{GRID, INK, OURS, PALE_INK, PAPER};
use crate::report::{ratio, thousands};
use crate::summary::{Rounds, Row};
use crate::variant::Variant;

const WIDTH: u32 = 980;
const TOP: i32 = 100;
const BOTTOM: i32 = 64;
const ROW: i32 = 58;
const BAR: i32 = 30;
/// Where the bars start, and where the longest may end.
const LEFT: i32 = 384;
const RIGHT: i32 = 750;

const OF_THE_HOST: RGBColor = RGBColor(0xa8, 0xb1, 0xbb);

/// Writes the plot as SVG.
pub fn draw(file: &Path, machine: &Machine, rounds: &Rounds) -> Result<(), Box<dyn Error>> {
    // Variants without compression are in the table only: they answer another question.
    let rows: Vec<Row> = rounds.rows().into_iter().filter(|row| row.variant.packs()).collect();
    let bottom = TOP + i32::try_from(rows.len())? * ROW;
    let height = bottom + BOTTOM;
    let root = SVGBackend::new(file, (WIDTH, u32::try_from(height)?)).into_drawing_area();
    root.fill(&PAPER)?;
    let write = |text: &str, at: (i32, i32), pixels: f64, ink: RGBColor, side: HPos| {
        let style = ("sans-serif", pixels).into_font().color(&ink).pos(Pos::new(side, VPos::Center));
        root.draw(&Text::new(text.to_owned(), at, style))
    };

    write("CPU time an event costs Fluent Bit", (24, 30), 26.0, INK, HPos::Left)?;
    let what = format!(
        "µs over the bare host (out_null); {} events of {} bytes; bar: median of {} rounds, line: all of them",
        thousands(rounds.events),
        thousands(rounds.event_bytes),
        rounds.rounds.len(),
    );
    write(&what, (24, 60), 17.0, PALE_INK, HPos::Left)?;

    let most = rows.iter().map(|row| row.cpu_us.most).fold(1.0, f64::max);
    let x = |cpu_us: f64| LEFT + pixels(cpu_us / most * f64::from(RIGHT - LEFT));
    let step = step(most);
    for number in 0..=pixels((most / step).floor()) {
        let (tick, at) = (f64::from(number) * step, x(f64::from(number) * step));
        root.draw(&PathElement::new(vec![(at, TOP - 10), (at, bottom)], GRID.stroke_width(1)))?;
        write(&format!("{tick}"), (at, bottom + 14), 16.0, PALE_INK, HPos::Center)?;
    }

    for (place, row) in (0..).zip(&rows) {
        let middle = TOP + place * ROW + ROW / 2 - 4;
        write(row.variant.title(), (24, middle - 10), 20.0, INK, HPos::Left)?;
        write(&row.variant.detail(), (24, middle + 10), 16.0, PALE_INK, HPos::Left)?;
        let colour = if matches!(row.variant, Variant::Gateway(_)) { OURS } else { OF_THE_HOST };
        let (above, below) = (middle - BAR / 2, middle + BAR / 2);
        let bar = [(LEFT, above), (x(row.cpu_us.median), below)];
        root.draw(&Rectangle::new(bar, colour.filled()))?;
        let line = vec![(x(row.cpu_us.least), middle), (x(row.cpu_us.most), middle)];
        root.draw(&PathElement::new(line, INK.stroke_width(2)))?;
        write(&label(&rows, row), (x(row.cpu_us.most) + 10, middle), 19.0, INK, HPos::Left)?;
    }
    write(&machine.text(), (24, height - 20), 16.0, PALE_INK, HPos::Left)?;
    root.present()?;
    Ok(())
}

fn label(rows: &[Row], row: &Row) -> String {
    let time = format!("{:.1} µs", row.cpu_us.median);
    match row.variant {
        Variant::HTTP => time,
        _ => format!("{time}, {:.2} of out_http", ratio(rows, row, Variant::HTTP)),
    }
}

/// The step of the axis: 1, 2 or 5 times a power of ten, so that there are four to ten steps.
fn step(most: f64) -> f64 {
    let power = 10f64.powf((most / 4.0).log10().floor());
    [5.0, 2.0, 1.0].map(|step| step * power).into_iter().find(|step| most / step >= 4.0).unwrap_or(power)
}

#[allow(clippy::cast_possible_truncation, reason = "places on a plot of a thousand pixels")]
fn pixels(length: f64) -> i32 {
    length.round() as i32
}
