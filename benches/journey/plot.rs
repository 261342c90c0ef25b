//! The growth as three small panels with labelled points.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::palette::{GRID, INK, OURS, PALE_INK, PAPER};

const WIDTH: i32 = 980;
const HEIGHT: i32 = 400;
/// The positions of a panel's axes.
const PANEL: i32 = WIDTH / 3;
const LEFT: i32 = 64;
/// Room for the label of each line's last point.
const RIGHT: i32 = 56;
const TOP: i32 = 136;
const BOTTOM: i32 = 70;
/// The approximate width of a letter in a name.
const LETTER: i32 = 8;
/// A steeper line would cross a label above its first point.
const STEEP: i32 = 4;

const LINES: [RGBColor; 3] = [OURS, RGBColor(0xc2, 0x57, 0x1a), RGBColor(0x7a, 0x84, 0x8f)];

/// Nanoseconds per event over a size; both axes are logarithmic.
pub struct Panel {
    pub title: &'static str,
    /// The name of the size.
    pub axis: &'static str,
    pub lines: Vec<Line>,
}

pub struct Line {
    pub name: &'static str,
    /// The size, and nanoseconds per event.
    pub points: Vec<(f64, f64)>,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), Box<dyn Error>>;

/// Writes the plot as SVG.
pub fn draw(file: &Path, panels: &[Panel; 3]) -> Drawn {
    let root = SVGBackend::new(file, (WIDTH.unsigned_abs(), HEIGHT.unsigned_abs())).into_drawing_area();
    root.fill(&PAPER)?;
    write(&root, "What an event costs as things grow", (24, 30), 26.0, INK, HPos::Left)?;
    let what = "time of one thread, both axes in powers of ten; a horizontal line is what does not grow";
    write(&root, what, (24, 60), 17.0, PALE_INK, HPos::Left)?;
    for (place, panel) in (0..).zip(panels) {
        Frame::of(panel, place * PANEL).draw(&root, panel)?;
    }
    root.present()?;
    Ok(())
}

/// The range of powers of ten in a panel.
struct Frame {
    left: i32,
    sizes: (i32, i32),
    ns: (i32, i32),
}

impl Frame {
    fn of(panel: &Panel, left: i32) -> Self {
        let points = || panel.lines.iter().flat_map(|line| &line.points);
        Self {
            left: left + LEFT,
            sizes: powers(points().map(|point| point.0)),
            ns: powers(points().map(|point| point.1)),
        }
    }

    fn x(&self, size: f64) -> i32 {
        self.left + place(size, self.sizes, PANEL - LEFT - RIGHT)
    }

    fn y(&self, ns: f64) -> i32 {
        HEIGHT - BOTTOM - place(ns, self.ns, HEIGHT - TOP - BOTTOM)
    }

    fn draw(&self, root: &Area<'_>, panel: &Panel) -> Drawn {
        let right = self.left + PANEL - LEFT - RIGHT;
        write(root, panel.title, (self.left, TOP - 40), 20.0, INK, HPos::Left)?;
        for power in self.ns.0..=self.ns.1 {
            let at = self.y(10f64.powi(power));
            root.draw(&PathElement::new(vec![(self.left, at), (right, at)], GRID.stroke_width(1)))?;
            write(root, &time(10f64.powi(power)), (self.left - 8, at), 15.0, PALE_INK, HPos::Right)?;
        }
        for power in self.sizes.0..=self.sizes.1 {
            let at = (self.x(10f64.powi(power)), HEIGHT - BOTTOM + 16);
            write(root, &count(10f64.powi(power)), at, 15.0, PALE_INK, HPos::Center)?;
        }
        let middle = i32::midpoint(self.left, right);
        write(root, panel.axis, (middle, HEIGHT - BOTTOM + 42), 16.0, PALE_INK, HPos::Center)?;
        let mut name_at = self.left;
        for (line, colour) in panel.lines.iter().zip(LINES) {
            write(root, line.name, (name_at, TOP - 17), 15.0, colour, HPos::Left)?;
            name_at += i32::try_from(line.name.len())? * LETTER + 16;
            self.line(root, line, colour)?;
        }
        Ok(())
    }

    /// Draws a line, and labels its first and last point.
    fn line(&self, root: &Area<'_>, line: &Line, colour: RGBColor) -> Drawn {
        let points: Vec<_> = line.points.iter().map(|(size, ns)| (self.x(*size), self.y(*ns))).collect();
        root.draw(&PathElement::new(points.clone(), colour.stroke_width(2)))?;
        for point in &points {
            root.draw(&Circle::new(*point, 3, colour.filled()))?;
        }
        if let ([(_, first), .., (_, last)], [from, next, .., to]) = (&line.points[..], &points[..]) {
            // The label is on the other side of the line.
            let side = if next.1 < from.1 - STEEP { 14 } else { -12 };
            write(root, &time(*first), (from.0 - 4, from.1 + side), 15.0, colour, HPos::Left)?;
            write(root, &time(*last), (to.0 + 8, to.1), 15.0, colour, HPos::Left)?;
        }
        Ok(())
    }
}

fn write(root: &Area<'_>, text: &str, at: (i32, i32), pixels: f64, ink: RGBColor, side: HPos) -> Drawn {
    let style = ("sans-serif", pixels).into_font().color(&ink).pos(Pos::new(side, VPos::Center));
    root.draw(&Text::new(text.to_owned(), at, style))?;
    Ok(())
}

/// The powers of ten around these values.
fn powers(values: impl Iterator<Item = f64> + Clone) -> (i32, i32) {
    let least = values.clone().fold(f64::MAX, f64::min).log10().floor();
    let most = values.fold(1.0, f64::max).log10().ceil();
    (pixels(least), pixels(most.max(least + 1.0)))
}

fn place(value: f64, (least, most): (i32, i32), length: i32) -> i32 {
    pixels((value.log10() - f64::from(least)) / f64::from(most - least) * f64::from(length))
}

fn time(ns: f64) -> String {
    match ns {
        ..1_000.0 => format!("{ns:.0} ns"),
        // The labels of the axis are round.
        1_000.0 => "1 µs".to_owned(),
        ..10_000.0 => format!("{:.1} µs", ns / 1e3),
        _ => format!("{:.0} µs", ns / 1e3),
    }
}

fn count(size: f64) -> String {
    match size {
        ..1_000.0 => format!("{size:.0}"),
        ..1_000_000.0 => format!("{:.0} k", size / 1e3),
        _ => format!("{:.0} M", size / 1e6),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "places on a plot of a thousand pixels")]
fn pixels(length: f64) -> i32 {
    length.round() as i32
}
