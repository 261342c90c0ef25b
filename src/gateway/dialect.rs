//! Answers that mean something else than their status says, by the service that gives them.
//!
//! Two errors would cost records. A 2xx of a service that took nothing would acknowledge them; and a 400 about
//! something that all requests share, a key or an index, would send one after the other to the dead letters.

use serde::Deserialize;

use super::answer::{Answer, quoted};
use super::disposition::{Disposition, Doubt};
use crate::render::Answers;

/// What the answer says beside its status; `None` where the status says all.
pub(super) fn classify_by_service(answers: Answers, answer: &Answer<'_>) -> Option<Disposition> {
    match answers {
        Answers::Status | Answers::ElasticsearchBulk | Answers::Otlp => None,
        Answers::Hec => of_hec(answer),
        Answers::Loki => of_loki(answer),
        Answers::PagerDuty => of_pagerduty(answer),
    }
}

/// Of the HTTP Event Collector's answer: `{"text":"Incorrect index","code":7,"invalid-event-number":1}`.
#[derive(Deserialize)]
struct HecReply {
    code: i64,
}

/// What the codes mean is in Splunk's "Troubleshoot HTTP Event Collector". An answer without a code is some other
/// receiver's that speaks the protocol, and its status counts.
fn of_hec(answer: &Answer<'_>) -> Option<Disposition> {
    let HecReply { code } = serde_json::from_slice(answer.body).ok()?;
    let remedy = match (answer.status, code) {
        (200..=299, 0) => return None,
        // A health check answers so.
        (200..=299, _) => "it took nothing: look at endpoint, whose path should be /services/collector/event",
        (400, 7) => "the token may not write to this index: look at splunk_index, or at the token's own",
        (400, 10 | 11) => {
            "the token asks for acknowledgements of the indexer: switch them off, or set a channel in headers \
             (X-Splunk-Request-Channel)"
        }
        _ => return None,
    };
    Some(refused(answer, remedy))
}

/// While `block_ingestion_until` is in force, Loki answers 260 by default, which looks like a success.
fn of_loki(answer: &Answer<'_>) -> Option<Disposition> {
    match answer.status {
        // Another 2xx is that of a proxy that takes for Loki.
        260 => Some(refused(answer, "it took nothing: look at block_ingestion_until in its limits")),
        400 if holds(answer.body, &["allow_structured_metadata"]) => Some(refused(
            answer,
            "it takes no structured metadata: look at allow_structured_metadata in its limits",
        )),
        _ => None,
    }
}

fn of_pagerduty(answer: &Answer<'_>) -> Option<Disposition> {
    let is_about_the_key =
        answer.status == 400 && holds(answer.body, &["routing_key", "routing key", "integration key"]);
    is_about_the_key
        .then(|| refused(answer, "it does not know the integration key: look at api_key_file, and restart"))
}

fn holds(body: &[u8], words: &[&str]) -> bool {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    words.iter().any(|word| text.contains(word))
}

/// Each of these answers says that nothing was taken.
fn refused(answer: &Answer<'_>, remedy: &str) -> Disposition {
    let status = answer.status;
    let why = format!("the gateway answered {status}: {remedy}{}", quoted(answer.body));
    Disposition::Refused { status, why, doubt: Doubt::None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(answers: Answers, status: u16, body: &str) -> Option<String> {
        let answer = Answer { status, body: body.as_bytes(), ..Answer::default() };
        classify_by_service(answers, &answer).map(|disposition| match disposition {
            Disposition::Refused { status: said, why, doubt: Doubt::None } if said == status => why,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_collector_counts_by_its_code() {
        let hec = |status, body: &str| said(Answers::Hec, status, body);
        assert_eq!(hec(200, r#"{"text":"Success","code":0}"#), None);
        assert_eq!(hec(200, r#"{"text":"Success","code":0,"ackId":7}"#), None);
        // Other receivers of the protocol.
        for body in ["", "OK", r#""OK""#, "{}", "<html>"] {
            assert_eq!(hec(200, body), None, "{body}");
        }
        assert!(hec(200, r#"{"text":"HEC is healthy","code":17}"#).unwrap().contains("endpoint"));
        let incorrect = r#"{"text":"Incorrect index","code":7,"invalid-event-number":1}"#;
        assert!(hec(400, incorrect).unwrap().contains("splunk_index"));
        for code in [10, 11] {
            let body = format!(r#"{{"text":"Data channel is missing","code":{code}}}"#);
            assert!(hec(400, &body).unwrap().contains("headers"));
        }
        // About a record; and what the status says as well.
        for (status, code) in [(400, 6), (400, 12), (400, 13), (401, 3), (403, 4), (500, 8), (503, 9)] {
            assert_eq!(hec(status, &format!(r#"{{"text":"x","code":{code}}}"#)), None, "{code}");
        }
    }

    #[test]
    fn a_blocked_loki_took_nothing() {
        let loki = |status, body: &str| said(Answers::Loki, status, body);
        for taken in [200, 202, 204, 299] {
            assert_eq!(loki(taken, ""), None);
        }
        assert!(loki(260, "ingestion blocked until 2026-11-21").unwrap().contains("block_ingestion_until"));
        let disallowed = "stream '{job=\"x\"}' includes structured metadata, but this feature is disallowed. Please see \
             `limits_config.allow_structured_metadata`";
        assert!(loki(400, disallowed).unwrap().contains("structured metadata"));
        assert_eq!(loki(400, "entry too far behind"), None);
        assert_eq!(loki(500, disallowed), None);
    }

    #[test]
    fn a_wrong_routing_key_is_no_wrong_event() {
        let pagerduty = |status, body: &str| said(Answers::PagerDuty, status, body);
        let length = r#"{"status":"invalid event","errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}"#;
        assert!(pagerduty(400, length).unwrap().contains("api_key_file"));
        assert!(pagerduty(400, r#"{"message":"Invalid routing key"}"#).is_some());
        assert_eq!(pagerduty(400, r#"{"errors":["'payload.severity' is invalid"]}"#), None);
        assert_eq!(pagerduty(202, r#"{"status":"success","dedup_key":"routing key"}"#), None);
    }

    #[test]
    fn elsewhere_the_status_says_all() {
        for (status, body) in [(260, ""), (400, "routing_key"), (200, r#"{"code":7}"#)] {
            assert_eq!(said(Answers::Status, status, body), None);
        }
    }
}
