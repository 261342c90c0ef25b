//! Does each format say what it promises, byte for byte, of records of all kinds, with Services and without?
//!
//! `UPDATE_GOLDEN=1 cargo test --test formats presets::byte_for_byte` writes tests/golden/presets anew; read the difference
//! before committing it, because it is what every reader behind a service will meet.

use std::collections::BTreeSet;

use event_gateway::format::Renderer;

use super::golden::assert_golden_text;
use super::samples::{FORMATS, chosen, of_the_recording, rendered};

#[test]
fn the_golden_files_hold() {
    for (name, format) in FORMATS {
        let renderer = Renderer::new(format, "prod-eu").expect("a format");
        let mut lines: Vec<String> = rendered(&renderer, &chosen())
            .into_iter()
            .map(|text| text.unwrap_or_else(|why| format!("dead-lettered: {why}")))
            .collect();
        // The first event of each kind of object and way to a Service.
        let mut seen = BTreeSet::new();
        of_the_recording(&renderer, |event, impact, text| {
            let via = impact.services.first().map(|service| service.via);
            if seen.insert((event["involvedObject"]["kind"].to_string(), via)) {
                lines.push(text.to_owned());
            }
        });
        assert!(seen.len() > 15, "{seen:?}");
        assert_golden_text(&format!("presets/{name}.ndjson"), &(lines.join("\n") + "\n"));
    }
}
