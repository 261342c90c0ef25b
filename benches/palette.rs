//! The colours of the plots.

use plotters::style::RGBColor;

// The plots have their own background, because GitHub shows the page in light or dark.
pub const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);
pub const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
pub const PALE_INK: RGBColor = RGBColor(0x59, 0x63, 0x6e);
pub const GRID: RGBColor = RGBColor(0xe4, 0xe8, 0xec);
pub const OURS: RGBColor = RGBColor(0x1f, 0x6f, 0xb8);
