//! Does what is in a wrapper cost no more than its bytes, however it is made?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use serde_json::{Value, json};

use super::cpu_time;
use super::finding::{found, packed};

/// Twice as much takes twice as long, and a megabyte no second, whatever it is made of.
#[test]
fn hostile_nesting_costs_no_more_than_its_bytes() {
    let many = |piece: &str, bytes: usize| piece.repeat(bytes / piece.len());
    let nested_text = |bytes: usize| {
        // Each level doubles the backslashes, so there are few of them, and they are long.
        let mut text = format!("{{\"log\":\"{}\"}}", "x".repeat(bytes / 64));
        while text.len() < bytes {
            text = json!({"log": text, "message": text}).to_string();
        }
        text
    };
    type Input = (&'static str, Box<dyn Fn(usize) -> Value>);
    let inputs: Vec<Input> = vec![
        ("backslashes", Box::new(move |n| json!({"log": format!("{{\"log\":\"{}\"}}", many("\\\\", n))}))),
        ("quotes", Box::new(move |n| json!({"log": format!("{{\"a\":{}", many("\"\\\"", n))}))),
        ("brackets", Box::new(move |n| json!({"log": format!("{{\"a\":{}", many("[", n))}))),
        (
            "closed brackets",
            Box::new(move |n| json!({"log": format!("{{\"a\":{}{}}}", many("[", n / 2), many("]", n / 2))})),
        ),
        (
            "bodies",
            Box::new(
                move |n| json!({"log": format!("{{\"a\":1{}}}", many(",\"requestObject\":[1e999]", n))}),
            ),
        ),
        (
            "deep bodies",
            Box::new(move |n| {
                let deep = format!(",\"requestObject\":{}{}", "[".repeat(100), "]".repeat(100));
                json!({"log": format!("{{\"a\":1{}}}", many(&deep, n))})
            }),
        ),
        ("numbers", Box::new(move |n| json!({"log": format!("{{\"a\":{}e999}}", many("1", n))}))),
        ("texts in texts", Box::new(move |n| json!({"log": nested_text(n), "message": nested_text(n)}))),
        (
            "rows",
            Box::new(move |n| {
                let row = json!({"properties": {"log": "{\"log\":\"{}\"}"}});
                json!({"records": vec![row; n / 40], "payload": "[{}]"})
            }),
        ),
        (
            "lists in lists",
            Box::new(move |n| {
                let row =
                    json!({"payload": json!([{"payload": "[{\"payload\":[{\"log\":1}]}]"}]).to_string()});
                json!({"payload": vec![row; n / 80]})
            }),
        ),
        (
            "lists of lists",
            Box::new(move |n| {
                let list =
                    json!({"kind": "EventList", "items": [{"kind": "EventList", "items": [{"n": 1}]}]});
                json!({"kind": "EventList", "items": vec![list; n / 80]})
            }),
        ),
        ("keys", Box::new(move |n| json!({"log": format!("{{\"a\":1{}}}", many(",\"log\":\"{}\"", n))}))),
        ("documents", Box::new(move |n| json!({"log": many("{\"log\":{}}\n", n)}))),
        ("audit records", Box::new(move |n| json!({"log": many("{\"auditID\":\"a\",\"verb\":\"b\"}\n", n)}))),
        (
            "lines that open",
            Box::new(
                move |n| json!({"log": format!("{}{{\"auditID\":\"a\",\"verb\":\"b\"}}", many("[1,\n", n))}),
            ),
        ),
        ("lines that open objects", Box::new(move |n| json!({"log": many("{\"log\":\n", n)}))),
        ("lines of numbers", Box::new(move |n| json!({"log": format!("[NaN,\n{}", many("[1,NaN,\n", n))}))),
        ("lines of texts", Box::new(move |n| json!({"log": format!("{{}}\n{}", many("\"{\n", n))}))),
        ("numbers to repair", Box::new(move |n| json!({"log": many("{\"a\":NaN}\n", n)}))),
        ("numbers in lists", Box::new(move |n| json!({"log": many("[1]\n", n)}))),
        (
            "blanks",
            Box::new(move |n| json!({"log": format!("{{}}{}{{}}{}x", many(" ", n / 2), many("\n", n / 2))})),
        ),
        ("escape sequences", Box::new(move |n| json!({"log": format!("{{}}{}", many("\u{1b}[0m", n))}))),
        (
            "halves of sequences",
            Box::new(move |n| json!({"log": format!("{{}}\n{}", many("\u{1b}[0000000\n", n))})),
        ),
        (
            "lists of texts",
            Box::new(move |n| {
                let inner = json!([json!(["[{\"a\":1}]"]).to_string(), "{}"]).to_string();
                let known = json!({"auditID": "a", "verb": "b"});
                json!({"payload": vec![json!(inner); n / 40], "log": [known, {"payload": vec![json!(inner); n / 40]}]})
            }),
        ),
        (
            "items",
            Box::new(
                move |n| json!({"payload": format!("[{{\"auditID\":\"a\",\"verb\":\"b\"}}{}]", many(",1", n))}),
            ),
        ),
        (
            "dates",
            Box::new(move |n| json!({"log": format!("2026-11-20T23:28:53Z stdout F {}", many("{", n))})),
        ),
    ];
    for (name, input) in inputs {
        let took = |bytes: usize| {
            let body = packed(&input(bytes));
            let took = |_| {
                let start = cpu_time::of_this_thread();
                assert!(!found(&body).is_empty());
                cpu_time::of_this_thread() - start
            };
            (0..3).map(took).min().unwrap()
        };
        let (small, large) = (took(1 << 18), took(1 << 20));
        println!("{name}: {small:?}, four times as much {large:?}");
        assert!(large < small * 12 + Duration::from_millis(20), "{name}: {small:?}, then {large:?}");
        assert!(large < Duration::from_secs(3), "{name}: {large:?}");
    }
}
