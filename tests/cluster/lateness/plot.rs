//! How long after the return of the API server all kinds are followed, over how long it was away: one point an outage,
//! both axes in powers of ten.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::palette::{GRID, INK, OURS, PALE_INK, PAPER};

const WIDTH: i32 = 980;
const HEIGHT: i32 = 430;
const LEFT: i32 = 84;
const RIGHT: i32 = 40;
const TOP: i32 = 120;
const BOTTOM: i32 = 64;
const BEFORE: RGBColor = RGBColor(0xa8, 0xb1, 0xbb);
/// Powers of ten of seconds: what is away, and until all is followed.
const AWAY: (i32, i32) = (-1, 2);
const FOLLOWED: (i32, i32) = (-2, 2);

/// Seconds away, and seconds until all is followed.
pub type Points = [(f64, f64)];

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Writes the plot as SVG; `before` is drawn paler, below.
pub fn draw(file: &Path, before: &Points, now: &Points) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(file, (WIDTH.unsigned_abs(), HEIGHT.unsigned_abs())).into_drawing_area();
    root.fill(&PAPER)?;
    write(
        &root,
        "From the API server's return until everything is followed again",
        (24, 30),
        26.0,
        INK,
        HPos::Left,
    )?;
    let what = "one point an outage, both axes in powers of ten; the server forbids everything for 2 s until it is ready";
    write(&root, what, (24, 60), 17.0, PALE_INK, HPos::Left)?;
    for power in FOLLOWED.0..=FOLLOWED.1 {
        let at = y(10f64.powi(power));
        root.draw(&PathElement::new(vec![(LEFT, at), (WIDTH - RIGHT, at)], GRID.stroke_width(1)))?;
        write(&root, &seconds(power), (LEFT - 8, at), 15.0, PALE_INK, HPos::Right)?;
    }
    for power in AWAY.0..=AWAY.1 {
        let at = x(10f64.powi(power));
        root.draw(&PathElement::new(vec![(at, TOP), (at, HEIGHT - BOTTOM)], GRID.stroke_width(1)))?;
        write(&root, &seconds(power), (at, HEIGHT - BOTTOM + 16), 15.0, PALE_INK, HPos::Center)?;
    }
    write(&root, "away", (i32::midpoint(LEFT, WIDTH - RIGHT), HEIGHT - 20), 16.0, PALE_INK, HPos::Center)?;
    for (name, points, colour, at) in [("before", before, BEFORE, 340), ("now", now, OURS, 24)] {
        if !points.is_empty() {
            let named = format!("{name}: {} outages, {:.1} s at most", points.len(), most(points));
            write(&root, &named, (at, 92), 17.0, if name == "now" { colour } else { PALE_INK }, HPos::Left)?;
        }
        for (away, followed) in points {
            root.draw(&Circle::new((x(*away), y(*followed)), 5, colour.filled()))?;
        }
    }
    root.present()?;
    Ok(())
}

fn most(points: &Points) -> f64 {
    points.iter().map(|point| point.1).fold(0.0, f64::max)
}

fn x(away: f64) -> i32 {
    LEFT + place(away, AWAY, WIDTH - LEFT - RIGHT)
}

fn y(followed: f64) -> i32 {
    HEIGHT - BOTTOM - place(followed, FOLLOWED, HEIGHT - TOP - BOTTOM)
}

#[allow(clippy::cast_possible_truncation, reason = "places on a plot of a thousand pixels")]
fn place(value: f64, (least, most): (i32, i32), length: i32) -> i32 {
    let share = (value.max(1e-3).log10() - f64::from(least)) / f64::from(most - least);
    (share.clamp(0.0, 1.0) * f64::from(length)).round() as i32
}

fn write(
    root: &Area<'_>,
    text: &str,
    at: (i32, i32),
    pixels: f64,
    ink: RGBColor,
    side: HPos,
) -> Result<(), Box<dyn Error>> {
    let style = ("sans-serif", pixels).into_font().color(&ink).pos(Pos::new(side, VPos::Center));
    root.draw(&Text::new(text.to_owned(), at, style))?;
    Ok(())
}

fn seconds(power: i32) -> String {
    match power {
        ..0 => format!("{:.0} ms", 10f64.powi(power + 3)),
        _ => format!("{:.0} s", 10f64.powi(power)),
    }
}
