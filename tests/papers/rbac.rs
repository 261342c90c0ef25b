//! Does the sample role grant what is read, and nothing else?
//!
//! The file is read line by line: it is ours, and a YAML parser for one test would be another dependency.

use std::collections::BTreeSet;

use event_gateway::topology::kind::ObjectKind;

/// The words of a line such as `  - apiGroups: [a, b]`.
fn words<'t>(line: &'t str, key: &str) -> Option<Vec<&'t str>> {
    let list =
        line.trim().trim_start_matches("- ").strip_prefix(key)?.strip_prefix(": [")?.strip_suffix(']')?;
    Some(list.split(',').map(|word| word.trim().trim_matches('"')).collect())
}

#[test]
fn the_role_grants_what_is_read_and_nothing_else() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fluent-bit-conf/kubernetes/rbac.yaml");
    let text = std::fs::read_to_string(file).expect("the role");
    let (mut group, mut granted, mut rules) = (String::new(), BTreeSet::new(), 0);
    for line in text.lines() {
        if let Some(groups) = words(line, "apiGroups") {
            assert_eq!(groups.len(), 1, "{line}");
            group = groups[0].to_owned();
        }
        for resource in words(line, "resources").unwrap_or_default() {
            assert!(granted.insert((group.clone(), resource.to_owned())), "{resource} is granted twice");
        }
        if let Some(verbs) = words(line, "verbs") {
            // Single objects are never asked for.
            assert_eq!(verbs, ["list", "watch"]);
            rules += 1;
        }
    }
    assert_eq!(text.matches("verbs:").count(), rules);
    let read = ObjectKind::ALL.map(|kind| (kind.group().to_owned(), kind.resource().to_owned()));
    let events = (String::new(), "events".to_owned());
    assert_eq!(granted, read.into_iter().chain([events]).collect());
}
