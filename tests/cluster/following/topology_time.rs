//! Does what is held of an object go forward only, whatever order a watch tells its states in, and is a list believed?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cases;
use cases::cases;
use event_gateway::pattern::Patterns;
use event_gateway::topology::index::Index;
use event_gateway::topology::key::Key;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::object::Object;
use event_gateway::topology::parse::Parser;
use event_gateway::topology::writer::IndexWriter;
use proptest::prelude::*;
use serde_json::json;

/// A pod on a node: what it says beside its version.
fn pod(uid: &str, version: &str, node: &str) -> Arc<Object> {
    let json = json!({"spec": {"nodeName": node}, "metadata": {
        "namespace": "shop", "name": uid, "uid": uid, "resourceVersion": version}});
    Arc::new(Parser::new(ObjectKind::Pod, Patterns::default()).object(json.to_string().as_bytes()).unwrap())
}

fn node_of<'i>(index: &'i Index, uid: &str) -> Option<(bool, &'i str)> {
    let (_, object) = index.by_uid(Key::of(uid))?;
    let event_gateway::topology::object::Details::Pod { node, .. } = &object.details else { panic!("a pod") };
    Some((object.is_live(), node))
}

proptest! {
    #![proptest_config(cases(200))]

    /// Against an API server that shows any state of its history at any time, to a writer that knows of no history.
    #[test]
    fn the_newest_state_that_was_sent_is_held(
        sent in proptest::collection::vec((0usize..3, 1u32..20, any::<bool>()), 1..60),
    ) {
        let mut writer = IndexWriter::new(3_600);
        writer.set_time(10_000);
        let mut newest: BTreeMap<usize, (u32, bool)> = BTreeMap::new();
        for (uid, version, dies) in sent {
            // As in a history: a version is one state, and the last one of an object is its end.
            let is_end = dies && version == 19;
            let object = pod(&uid.to_string(), &version.to_string(), &format!("node-{version}"));
            if is_end { writer.delete(object) } else { writer.put(object) }
            let held = newest.entry(uid).or_default();
            if version > held.0 || (version == held.0 && is_end) {
                *held = (version, !is_end);
            }
            let index = writer.snapshot();
            for (uid, (version, is_live)) in &newest {
                let node = format!("node-{version}");
                prop_assert_eq!(node_of(&index, &uid.to_string()), Some((*is_live, node.as_str())));
            }
        }
    }
}

#[test]
fn what_is_gone_does_not_come_back_over_a_watch() {
    let mut writer = IndexWriter::new(3_600);
    writer.set_time(10_000);
    writer.put(pod("a", "5", "n"));
    writer.delete(pod("a", "9", "n"));
    for version in ["5", "8", "9"] {
        writer.put(pod("a", version, "n"));
        assert_eq!(node_of(&writer.snapshot(), "a"), Some((false, "n")), "{version}");
    }
    writer.set_time(11_000);
    writer.delete(pod("a", "9", "n"));
    let gone = writer.snapshot().by_uid(Key::of("a")).unwrap().1.deleted_seconds.map(u64::from);
    assert_eq!(gone, Some(10_000), "when it went is known already");
}

/// After etcd was restored from a backup the same versions are given to other states.
#[test]
fn a_list_is_believed_whatever_the_versions_say() {
    let mut writer = IndexWriter::new(3_600);
    writer.set_time(10_000);
    writer.put(pod("a", "9", "before"));
    writer.put(pod("b", "9", "before"));
    writer.delete(pod("b", "12", "before"));
    for version in ["3", "9", "11"] {
        writer.replace(ObjectKind::Pod, vec![pod("a", version, version), pod("b", version, version)]);
        let index = writer.snapshot();
        assert_eq!(node_of(&index, "a"), Some((true, version)));
        assert_eq!(node_of(&index, "b"), Some((true, version)));
        writer.delete(pod("b", "12", "before"));
    }
}

#[test]
fn versions_that_are_no_numbers_have_no_order() {
    let mut writer = IndexWriter::new(3_600);
    writer.set_time(10_000);
    for version in ["zz", "aa", "7", "", "aa", "99999999999999999999999", "6"] {
        writer.replace(ObjectKind::Pod, vec![pod("a", "", "first")]);
        writer.put(pod("a", version, "then"));
        assert_eq!(node_of(&writer.snapshot(), "a"), Some((true, "then")), "{version}");
        writer.put(pod("a", "ab", version));
        assert_eq!(node_of(&writer.snapshot(), "a"), Some((true, version)), "{version}");
    }
}
