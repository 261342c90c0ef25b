//! Elasticsearch's answer to `_bulk`: an item for each action, in order.
//!
//! <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk>

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::response::partial_success::{kept, unreadable};
use crate::response::{Disposition, Doubt, Hide, RecordOutcome, Response};

/// The items are only looked at where there are errors. Whoever filters the answer down to its items leaves `errors`
/// out.
#[derive(Deserialize)]
struct Bulk<'b> {
    errors: Option<bool>,
    #[serde(borrow)]
    items: Option<&'b RawValue>,
}

/// Servers that speak the protocol may call what they have done by another name.
#[derive(Deserialize)]
struct Item {
    #[serde(alias = "index", alias = "update")]
    create: ItemResult,
}

#[derive(Deserialize)]
struct ItemResult {
    status: u16,
    #[serde(default)]
    error: serde_json::Value,
}

/// A 400 of one of these is about the index or the cluster, which all records share ...
const OF_ALL: [&str; 3] = ["invalid_index_name_exception", "index_closed_exception", "validation_exception"];
/// ... and so is one with such a reason.
const REASONS_OF_ALL: [&str; 4] =
    ["shards open", "no write index is defined", "pipeline with id", "pipeline does not exist"];
/// Of a document, whatever the status.
const OF_ONE: &str = "fail_processor_exception";

pub(super) fn read(response: &Response<'_>) -> Disposition {
    let Response { body, records, sent_bytes, hide, .. } = *response;
    let Ok(Bulk { errors, items }) = serde_json::from_slice(body) else {
        return unreadable("the answer is none of _bulk: does endpoint lead to _bulk?");
    };
    if errors == Some(false) {
        return Disposition::Accepted { sent_bytes };
    }
    let items = items.and_then(|items| serde_json::from_str::<Vec<Item>>(items.get()).ok());
    let outcomes: Vec<_> = items.into_iter().flatten().map(|item| outcome(item, hide)).collect();
    let retry = outcomes.iter().find_map(|outcome| match outcome {
        RecordOutcome::Retry { why } => Some(why),
        _ => None,
    });
    match (&outcomes[..], retry) {
        ([], _) => {
            unreadable("the answer does not tell of each document: is there a filter_path in endpoint?")
        }
        (all, _) if all.len() == records => Disposition::Partial { outcomes, sent_bytes },
        // Of fewer nobody can tell which is whose. Sent again they meet themselves there, under their ids.
        (_, Some(why)) => Disposition::Retry {
            after: None,
            why: format!("it does not take all ({why})"),
            doubt: Doubt::Unanswered,
        },
        (_, None) => Disposition::Rejected {
            status: 200,
            answer: "some were rejected, and the answer does not tell of each document".to_owned(),
        },
    }
}

/// As with whole requests: rejected is only what a document can be to blame for. An index that is missing, blocked or
/// closed, a cluster that is full, or a key that may not write, is fixed by a person, and all records wait for that.
fn outcome(Item { create: ItemResult { status, error } }: Item, hide: Hide<'_>) -> RecordOutcome {
    let answer = || kept(&error.to_string(), hide);
    let text = |key| error.get(key).and_then(|text| text.as_str()).unwrap_or_default();
    let is_of_all = || {
        OF_ALL.contains(&text("type")) || REASONS_OF_ALL.iter().any(|words| text("reason").contains(words))
    };
    match status {
        // 409: it is there already.
        200..=299 | 409 => RecordOutcome::Accepted,
        _ if text("type") == OF_ONE => RecordOutcome::Rejected { status, answer: answer() },
        400 | 413 | 422 if !is_of_all() => RecordOutcome::Rejected { status, answer: answer() },
        _ => RecordOutcome::Retry { why: format!("{status}: {}", answer()) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str, records: usize) -> Disposition {
        read(&Response { status: 200, body: body.as_bytes(), records, sent_bytes: 7, ..Response::default() })
    }

    #[test]
    fn each_item_has_its_outcome() {
        assert_eq!(of(r#"{"took":1,"errors":false,"items":[]}"#, 3), Disposition::Accepted { sent_bytes: 7 });
        let items = r#"{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":409,"error":{}}},
            {"create":{"status":429}},{"create":{"status":400,"error":{"type":"mapper_parsing_exception"}}}]}"#;
        let answer = r#"{"type":"mapper_parsing_exception"}"#.to_owned();
        let retry = RecordOutcome::Retry { why: "429: null".into() };
        let outcomes = vec![
            RecordOutcome::Accepted,
            RecordOutcome::Accepted,
            retry,
            RecordOutcome::Rejected { status: 400, answer },
        ];
        assert_eq!(of(items, 4), Disposition::Partial { outcomes, sent_bytes: 7 });
    }

    #[test]
    fn what_is_wrong_with_the_index_or_the_key_is_no_documents_fault() {
        let shards = "this action would add [2] shards, but this cluster currently has [1000]/[1000] maximum normal shards open";
        for (status, name, reason) in [
            (400, "invalid_index_name_exception", ""),
            (400, "index_closed_exception", ""),
            (400, "validation_exception", shards),
            (400, "illegal_argument_exception", shards),
            (400, "illegal_argument_exception", "no write index is defined for alias [logs]"),
            (400, "illegal_argument_exception", "pipeline with id [x] does not exist"),
            (403, "cluster_block_exception", ""),
            (403, "security_exception", ""),
            (404, "index_not_found_exception", ""),
            (429, "es_rejected_execution_exception", ""),
            (503, "unavailable_shards_exception", ""),
        ] {
            let error = serde_json::json!({"type": name, "reason": reason});
            let body =
                serde_json::json!({"items": [{"create": {"status": status, "error": error}}]}).to_string();
            let Disposition::Partial { outcomes, .. } = of(&body, 1) else { panic!("{body}") };
            assert!(
                matches!(&outcomes[0], RecordOutcome::Retry { why } if why.contains(name)),
                "{outcomes:?}"
            );
        }
        let failed = r#"{"items":[{"create":{"status":500,"error":{"type":"fail_processor_exception"}}}]}"#;
        let Disposition::Partial { outcomes, .. } = of(failed, 1) else { panic!("{failed}") };
        assert!(
            matches!(outcomes[0], RecordOutcome::Rejected { status: 500, .. }),
            "it would fail indefinitely: {outcomes:?}"
        );
    }

    #[test]
    fn an_answer_that_does_not_tell_of_each_tells_nothing() {
        for (unclear, records) in [
            ("", 1),
            ("{}", 1),
            ("<html>", 1),
            (r#"{"errors":true}"#, 1),
            (r#"{"errors":true,"items":[{"cre"#, 1),
            (r#"{"errors":true,"items":[{"create":{"error":{}}}]}"#, 1),
            (r#"{"errors":true,"items":[{"create":{"status":429}}]}"#, 2),
        ] {
            let disposition = of(unclear, records);
            assert!(matches!(disposition, Disposition::Retry { doubt: Doubt::Unanswered, .. }), "{unclear}");
        }
    }

    /// Some that speak the protocol tell of failures alone, or by another name.
    #[test]
    fn other_servers_are_understood() {
        let named = r#"{"errors":false,"items":[{"index":{"_id":"a","status":201}}]}"#;
        assert_eq!(of(named, 1), Disposition::Accepted { sent_bytes: 7 });
        let index = r#"{"errors":true,"items":[{"index":{"status":201}},{"index":{"status":400}}]}"#;
        assert!(matches!(of(index, 2), Disposition::Partial { .. }));
        let failures_alone = r#"{"errors":true,"items":[{"create":{"status":400}}]}"#;
        assert!(matches!(of(failures_alone, 2), Disposition::Rejected { status: 200, .. }), "to be halved");
    }
}
