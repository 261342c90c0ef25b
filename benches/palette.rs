//! The colours of the plots.

use plotters::style::RGBColor;

// A background of its own: GitHub shows the page in light or dark, and a plot with none in both.
pub const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);
pub const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
pub const PALE_INK: RGBColor = RGBColor(0x59, 0x63, 0x6e);
pub const GRID: RGBColor = RGBColor(0xe4, 0xe8, 0xec);
pub const OURS: RGBColor = RGBColor(0x1f, 0x6f, 0xb8);
