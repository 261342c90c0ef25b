//! Is what an earlier run left found alive by whatever shows it first, a list or a watch?

use std::sync::Arc;

use event_gateway::topology::key::Key;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::object::Object;
use event_gateway::topology::watch::ObjectChange;
use event_gateway::topology::writer::IndexWriter;

use super::watch_script::{Script, line, pod};

/// The pod "a" as a watch shows it, with this version.
fn shown(version: &str) -> Arc<Object> {
    let mut script = Script::of(ObjectKind::Pod);
    script.list("1", &[]);
    script.accept();
    script.watch.take();
    script.watch.body(&line("ADDED", &pod("a", version)));
    match script.watch.take().changes.pop() {
        Some(ObjectChange::Put(object)) => object,
        other => panic!("{other:?}"),
    }
}

/// The first list comes from an API server that lags behind and does not show it yet; then its watch does, in the very
/// state that the earlier run has seen.
#[test]
fn a_watch_revives_what_an_older_list_lacks() {
    let mut writer = IndexWriter::new(3_600);
    writer.remember(shown("9"), &[], 1);
    writer.replace(ObjectKind::Pod, Vec::new());
    writer.put(shown("9"));
    let index = writer.snapshot();
    assert!(index.by_uid(Key::of("u-a")).is_some_and(|(_, pod)| pod.is_live()));
}
