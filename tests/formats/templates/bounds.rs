//! Is a template that does not end, or makes much of little, stopped: before it has the memory, and at the cost of the one
//! record?

use serde_json::{Value, json};

use super::allocations::during;
use super::support;
use super::trying::{open, text};
use support::gateway::TestGateway;
use support::host::{Build, Code};
use support::{chunk, event};

/// What each leaf makes of a record that it is not meant for, and why it does not get there. All of them are harmless
/// to the sample records.
const BOMBS: &[(&str, &str)] = &[
    (
        "{% for a in record.many %}{% for b in record.many %}{% for c in record.many %}{% endfor %}{% endfor %}{% endfor %}",
        "more than 20000 steps",
    ),
    (
        "{% for a in record.many %}{% if message | upper == reason %}x{% endif %}{% endfor %}",
        "reads too much of the record",
    ),
    ("{% for a in record.many %}{{ message }}{% endfor %}", "larger than 1024 KiB"),
    (
        "{% for a in record.many %}and so on, and so on, and so on{{ record.large }}{% endfor %}",
        "reads too much of the record",
    ),
    (
        "{{ message ~ message ~ message ~ message ~ message ~ message ~ message ~ message }}",
        "larger than 1024 KiB",
    ),
    ("{{ [message, message, message, message, message, message, message, record] }}", "larger than 1024 KiB"),
    ("{{ message | replace('m', message) }}", "larger than 1024 KiB"),
    ("{{ message | replace('m', 'many more') | replace('m', message) | length }}", "larger than 1024 KiB"),
    ("{{ record.many | join(message) }}", "larger than 1024 KiB"),
    ("{{ record.many | map('replace', 'm', message) | list | length }}", "reads too much of the record"),
    (
        "{{ [record.many, record.many, record.many, record.many] | tojson | tojson | tojson }}{{ message }}{{ message }}{{ message }}{{ message }}{{ message }}{{ message }}",
        "larger than 1024 KiB",
    ),
    (
        "{{ message }}{{ message }}{{ message }}{{ message }}{{ message }}{{ message }}{{ message }}",
        "larger than 1024 KiB",
    ),
    (
        "{{ record.deep | join(message) if record.deep else '' }}{{ (record.many | list) ~ message ~ message ~ message ~ message ~ message ~ message }}",
        "larger than 1024 KiB",
    ),
];

/// Within what a record may have, of 0.2 MiB.
fn hostile(uid: &str) -> Value {
    let mut hostile = event(uid, 1, 1);
    hostile["message"] = json!("m".repeat(190_000));
    hostile["many"] = json!(vec!["mmm"; 5_000]);
    hostile
}

#[test]
fn no_leaf_has_the_memory_that_it_asks_for() {
    for (leaf, why) in BOMBS {
        let renderer = open(&json!({ "a": leaf }).to_string(), false)
            .unwrap_or_else(|found| panic!("{leaf}: {found:?}"));
        assert!(text(&renderer, &event("e", 1, 1)).is_ok(), "{leaf}");
        let hostile = hostile("e");
        let mut result = Ok(String::new());
        let asked = during(|| result = text(&renderer, &hostile));
        let said = result.expect_err(leaf);
        assert!(said.starts_with("file.json, line 1, column ") && said.contains(why), "{leaf}: {said}");
        // All that it asked for, one after the other, which is more than it ever had.
        assert!(asked.bytes < 128 << 20, "{leaf}: {asked:?}");
    }
}

/// A body of a megabyte of next to nothing, looked at again and again.
#[test]
fn a_record_of_many_parts_is_looked_at_for_a_while_only() {
    let mut record = event("e", 1, 1);
    record["many"] = json!(vec![json!({}); 400_000]);
    for leaf in [
        "{{ record.many | tojson | split(',') | length + record.many | tojson | split(',') | length }}",
        "{{ record.many | list | length + record.many | list | length }}",
        "{{ record.many | sort | length }}",
        "{{ record | items | list | length + record.many | map('length') | unique | list | length }}",
    ] {
        let renderer = open(&json!({ "a": leaf }).to_string(), false)
            .unwrap_or_else(|found| panic!("{leaf}: {found:?}"));
        let mut result = Ok(String::new());
        let asked = during(|| result = text(&renderer, &record));
        // With room for what its bytes are themselves.
        assert!(asked.bytes < 160 << 20, "{leaf}: {asked:?}, {:?}", result.map(|text| text.len()));
    }
}

#[test]
fn only_the_one_record_goes_to_the_dead_letters() {
    let folder = tempfile::tempdir().expect("a folder");
    let (letters, template) = (folder.path().join("dead"), folder.path().join("template.json"));
    for (leaf, why) in BOMBS {
        let document = json!({"id": "{{ id }}", "bomb": leaf}).to_string();
        std::fs::write(&template, format!("// Once.\n{document}")).expect("a file");
        let _ = std::fs::remove_file(&letters);
        let gateway = TestGateway::start();
        let settings = [
            ("format", "template"),
            ("max_message_bytes", "1M"),
            ("template_file", template.to_str().expect("UTF-8")),
            ("dead_letter_file", letters.to_str().expect("UTF-8")),
        ];
        let mut host = support::started(Build::V5_1_1, &gateway, &settings);
        let hostile = hostile("hostile");
        let all = [&event("before", 1, 1), &hostile, &event("after", 1, 1)];
        assert_eq!(host.deliver("a", "t", &chunk::of(all)), Code::Ok, "{leaf}");
        assert_eq!(gateway.accepted_ids(), ["before.1", "after.1"], "{leaf}");
        host.quit();
        let letter = std::fs::read_to_string(&letters).expect("a letter");
        let letter: Value = serde_json::from_str(&letter).expect("one letter");
        assert_eq!(
            (&letter["id"], &letter["reason"]),
            (&json!("hostile.1"), &json!("the format cannot hold it"))
        );
        let said = letter["answer"].as_str().expect("a text");
        assert!(said.contains("line 2, column ") && said.contains(why), "{leaf}: {said}");
        assert_eq!(letter["record"]["message"], hostile["message"]);
    }
}
