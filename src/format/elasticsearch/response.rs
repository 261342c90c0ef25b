//! Elasticsearch's response to `_bulk`: an item for each action, in order.
//!
//! <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk>

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::response::partial_success::{kept, unreadable};
use crate::response::{Disposition, Doubt, Hide, RecordOutcome, Response};

/// The items are read only if there are errors. A `filter_path` may leave `errors` out.
#[derive(Deserialize)]
struct Bulk<'b> {
    errors: Option<bool>,
    #[serde(borrow)]
    items: Option<&'b RawValue>,
}

/// Other servers of the protocol may name the action differently.
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

/// A 400 of one of these types concerns the index or the cluster, and thus all records.
const SHARED_TYPES: [&str; 3] =
    ["invalid_index_name_exception", "index_closed_exception", "validation_exception"];
/// A 400 with one of these reasons does, too.
const SHARED_REASONS: [&str; 4] =
    ["shards open", "no write index is defined", "pipeline with id", "pipeline does not exist"];
/// This type concerns a document, whatever the status.
const DOCUMENT_TYPE: &str = "fail_processor_exception";

pub(super) fn read(response: &Response<'_>) -> Disposition {
    let Response { body, records, sent_bytes, hide, .. } = *response;
    let Ok(Bulk { errors, items }) = serde_json::from_slice(body) else {
        return unreadable("the response is not one of _bulk: does endpoint lead to _bulk?");
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
            unreadable("the response does not name each document: is there a filter_path in endpoint?")
        }
        (all, _) if all.len() == records => Disposition::Partial { outcomes, sent_bytes },
        // With fewer items than records it is unknown which is whose. Resent records get a 409 under their ids.
        (_, Some(why)) => Disposition::Retry {
            after: None,
            why: format!("it does not take all documents ({why})"),
            doubt: Doubt::Unanswered,
        },
        (_, None) => Disposition::Rejected {
            status: 200,
            answer: "some documents were rejected, but the response does not name each of them".to_owned(),
        },
    }
}

/// Only an error caused by the document rejects its record. If an index is missing, blocked or closed, the cluster is full
/// or the key may not write, a person must fix it, and the records wait.
fn outcome(Item { create: ItemResult { status, error } }: Item, hide: Hide<'_>) -> RecordOutcome {
    let answer = || kept(&error.to_string(), hide);
    let text = |key| error.get(key).and_then(|text| text.as_str()).unwrap_or_default();
    let is_shared = || {
        SHARED_TYPES.contains(&text("type"))
            || SHARED_REASONS.iter().any(|words| text("reason").contains(words))
    };
    match status {
        // 409: the document is there already.
        200..=299 | 409 => RecordOutcome::Accepted,
        _ if text("type") == DOCUMENT_TYPE => RecordOutcome::Rejected { status, answer: answer() },
        400 | 413 | 422 if !is_shared() => RecordOutcome::Rejected { status, answer: answer() },
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
    fn an_error_of_the_index_or_the_key_rejects_no_document() {
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
    fn a_response_that_does_not_name_each_document_is_unreadable() {
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

    /// Other servers of the protocol may list failures only, or name the action differently.
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
