//! Is a format that makes no lines an error where only lines go, that names both?

use super::started;
use super::support::host::{Build, MiniHost};

#[test]
fn a_format_without_lines_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().display();
    for endpoint in [format!("file://{path}"), format!("unix://{path}/x.sock")] {
        // The last makes two lines of a record, and counts on an answer that tells of each.
        for format in ["cloudevents", "cloudevents_batch", "elasticsearch"] {
            let mut host = MiniHost::start(Build::V5_1_1);
            host.set("a", "endpoint", &endpoint).set("a", "format", format);
            assert_ne!(host.init("a"), 1);
            let line = host.wait_log("format: ");
            assert!(line.level == 1 && line.text.contains(&endpoint), "{line:?}");
            assert!(line.text.contains("expected a format of one line a record"), "{line:?}");
            host.quit();
        }
        for format in ["native", "raw"] {
            started(&endpoint, &[("format", format)]).quit();
        }
    }
    let over = format!("http+unix://{path}/x.sock:/events");
    started(&over, &[("format", "cloudevents_batch")]).quit();
}
