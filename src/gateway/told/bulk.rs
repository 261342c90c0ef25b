//! Elasticsearch's answer to `_bulk`: an item for each action, in order.
//!
//! <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk>

use serde::Deserialize;

use super::unclear;
use crate::gateway::answer::plain_text;
use crate::gateway::outcome::{ANSWER_KEPT_BYTES, Fate, Outcome};

#[derive(Deserialize)]
struct Bulk {
    #[serde(default = "yes")]
    errors: bool,
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    create: Done,
}

#[derive(Deserialize)]
struct Done {
    status: u16,
    #[serde(default)]
    error: serde_json::Value,
}

/// Whoever filters the answer down to its items leaves it out.
const fn yes() -> bool {
    true
}

/// A 400 with one of these is about the index, which all records share.
const OF_THE_INDEX: [&str; 2] = ["invalid_index_name_exception", "index_closed_exception"];

pub(super) fn told(body: &[u8], records: usize, sent_bytes: u64) -> Outcome {
    match serde_json::from_slice::<Bulk>(body) {
        Ok(Bulk { errors: false, .. }) => Outcome::Accepted { sent_bytes },
        // Of more or fewer nobody could tell which is whose.
        Ok(Bulk { items, .. }) if !items.is_empty() && items.len() == records => {
            Outcome::Each { fates: items.into_iter().map(fate).collect(), sent_bytes }
        }
        _ => unclear("the answer does not tell of each document: does endpoint lead to _bulk?"),
    }
}

/// As with whole requests: rejected is only what a document can be to blame for. An index that is missing, blocked or
/// closed, or a key that may not write, is mended by a person, and all wait for that.
fn fate(Item { create: Done { status, error } }: Item) -> Fate {
    let answer = || plain_text(error.to_string().as_bytes(), ANSWER_KEPT_BYTES);
    let is_of_the_index =
        || error.get("type").and_then(|name| name.as_str()).is_some_and(|name| OF_THE_INDEX.contains(&name));
    match status {
        // 409: it is there already.
        200..=299 | 409 => Fate::Accepted,
        400 | 413 | 422 if !is_of_the_index() => Fate::Rejected { status, answer: answer() },
        _ => Fate::Retry { why: format!("{status}: {}", answer()) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::outcome::Doubt;

    fn of(body: &str, records: usize) -> Outcome {
        told(body.as_bytes(), records, 7)
    }

    #[test]
    fn each_item_has_its_fate() {
        assert_eq!(of(r#"{"took":1,"errors":false,"items":[]}"#, 3), Outcome::Accepted { sent_bytes: 7 });
        let items = r#"{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":409,"error":{}}},
            {"create":{"status":429}},{"create":{"status":400,"error":{"type":"mapper_parsing_exception"}}}]}"#;
        let answer = r#"{"type":"mapper_parsing_exception"}"#.to_owned();
        let retry = Fate::Retry { why: "429: null".into() };
        let fates = vec![Fate::Accepted, Fate::Accepted, retry, Fate::Rejected { status: 400, answer }];
        assert_eq!(of(items, 4), Outcome::Each { fates, sent_bytes: 7 });
    }

    #[test]
    fn what_is_wrong_with_the_index_or_the_key_is_no_documents_fault() {
        for (status, name) in [
            (400, "invalid_index_name_exception"),
            (400, "index_closed_exception"),
            (403, "cluster_block_exception"),
            (403, "security_exception"),
            (404, "index_not_found_exception"),
            (429, "es_rejected_execution_exception"),
            (503, "unavailable_shards_exception"),
        ] {
            let body =
                format!(r#"{{"items":[{{"create":{{"status":{status},"error":{{"type":"{name}"}}}}}}]}}"#);
            let Outcome::Each { fates, .. } = of(&body, 1) else { panic!("{body}") };
            assert!(matches!(&fates[0], Fate::Retry { why } if why.contains(name)), "{fates:?}");
        }
    }

    #[test]
    fn an_answer_that_does_not_tell_of_each_tells_nothing() {
        let one = r#"{"errors":true,"items":[{"create":{"status":201}}]}"#;
        for (unclear, records) in [
            ("", 1),
            ("{}", 1),
            ("<html>", 1),
            (r#"{"errors":true}"#, 1),
            (r#"{"errors":true,"items":[{"cre"#, 1),
            (one, 2),
            (one, 0),
        ] {
            let outcome = of(unclear, records);
            assert!(matches!(outcome, Outcome::Retry { doubt: Doubt::Unanswered, .. }), "{unclear}");
        }
    }
}
