//! The tables of a document.

/// The rows of all tables whose first cell is in backticks: that name, and the other cells.
pub fn rows<'t>(text: &'t str) -> Vec<(&'t str, Vec<&'t str>)> {
    let row = |line: &'t str| {
        let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        let name = cells.first()?.strip_prefix('`')?.strip_suffix('`')?;
        // Behind the last bar there is nothing.
        Some((name, cells[1..cells.len() - 1].to_vec()))
    };
    text.lines().filter_map(row).collect()
}
