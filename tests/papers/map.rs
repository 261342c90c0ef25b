//! Does CONTRIBUTING.md list the rooms that there are, each with its rank, from the lowest to the highest?

use crate::doc_rows::rows;
use crate::rooms::RANKS;

const TEXT: &str = include_str!("../../CONTRIBUTING.md");

/// Where the table of a document differs from the ranks.
fn differences(text: &str) -> Vec<String> {
    let section = text.split("\n## The map\n").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rooms: Vec<_> =
        rows(section.expect("the section")).into_iter().filter(|(_, row)| row.len() == 2).collect();
    let rank = |cells: &[&str]| cells.first().and_then(|cell| cell.parse::<u8>().ok());
    let mut wrong = Vec::new();
    for (room, listed) in RANKS {
        let row = rooms.iter().find(|(name, _)| name == room);
        if row.is_none_or(|(_, cells)| rank(cells) != Some(*listed) || cells[1].len() < 8) {
            wrong.push(format!("{room} has no row with rank {listed} and what it does"));
        }
    }
    let unknown = rooms.iter().filter(|(name, _)| RANKS.iter().all(|(room, _)| room != name));
    wrong.extend(unknown.map(|(name, _)| format!("there is no room {name}")));
    if rooms.len() != RANKS.len() || !rooms.is_sorted_by_key(|(name, cells)| (rank(cells), *name)) {
        wrong.push("a room stands there twice, or the rows are out of order".to_owned());
    }
    wrong
}

#[test]
fn the_map_lists_every_room_with_its_rank() {
    assert_eq!(differences(TEXT), [""; 0]);
}

/// A check that cannot fail checks nothing.
#[test]
fn the_check_finds_what_it_looks_for() {
    let row = TEXT.lines().find(|line| line.starts_with("| `ledger` |")).expect("a row");
    for to in [
        String::new(),
        row.replace("| 2 |", "| 3 |"),
        row.replace("`ledger`", "`nothing`"),
        format!("{row}\n{row}"),
        "| `ledger` | 2 | |".to_owned(),
    ] {
        assert_ne!(differences(&TEXT.replace(row, &to)), [""; 0], "{to}");
    }
}
