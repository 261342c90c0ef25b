//! Does SECURITY.md name a test for each row, and all that is read and written?

use event_gateway::config::keys::{FILTER_KEYS, KEYS, Shows};
use event_gateway::topology::kind::ObjectKind;

const TEXT: &str = include_str!("../../SECURITY.md");

#[test]
fn each_row_of_the_threat_model_names_a_test() {
    let table =
        TEXT.split("## Threat model").nth(1).and_then(|rest| rest.split("###").next()).expect("a table");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 10, "{rows:?}");
    for row in rows {
        assert!(
            row.trim_end_matches(" |").rsplit(" | ").next().is_some_and(|cell| cell.contains("--test")),
            "{row}"
        );
    }
}

#[test]
fn each_file_of_the_settings_and_each_kind_that_is_followed_is_named() {
    for key in KEYS.iter().chain(FILTER_KEYS).filter(|key| key.shows == Shows::Path) {
        assert!(TEXT.contains(&format!("`{}`", key.name)), "{} is not named", key.name);
    }
    let requests = TEXT.split("### Requests to the API server").nth(1).expect("a section");
    for kind in ObjectKind::ALL {
        assert!(requests.contains(kind.resource()), "{} are not named", kind.resource());
    }
}
