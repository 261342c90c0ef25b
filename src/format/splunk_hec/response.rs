//! Responses of the HTTP Event Collector that mean something other than their status.
//!
//! Judged by status alone, records would be lost: a 2xx of an endpoint that took nothing would acknowledge them, and a
//! 400 caused by configuration would dead-letter one record after the other.

use serde::Deserialize;

use crate::response::{Disposition, Response};

/// `{"text":"Incorrect index","code":7,"invalid-event-number":1}`.
#[derive(Deserialize)]
struct Reply {
    code: i64,
}

/// The codes are those of Splunk's "Troubleshoot HTTP Event Collector". A response without a code comes from another
/// receiver that speaks the protocol; its status decides.
pub(super) fn classify(response: &Response<'_>) -> Option<Disposition> {
    let Reply { code } = serde_json::from_slice(response.words).ok()?;
    let remedy = match (response.status, code) {
        (200..=299, 0) => return None,
        // The response of a health check.
        (200..=299, _) => "it took nothing: look at endpoint, whose path should be /services/collector/event",
        (400, 7) => "the token may not write to this index: look at splunk_index, or at the token's own",
        (400, 10 | 11) => {
            "the token requires indexer acknowledgement: switch it off, or set a channel in headers \
             (X-Splunk-Request-Channel)"
        }
        _ => return None,
    };
    Some(response.refused(remedy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::refusal;

    fn why(status: u16, body: &str) -> Option<String> {
        refusal(classify, status, body)
    }

    #[test]
    fn a_collector_counts_by_its_code() {
        assert_eq!(why(200, r#"{"text":"Success","code":0}"#), None);
        assert_eq!(why(200, r#"{"text":"Success","code":0,"ackId":7}"#), None);
        // Other receivers of the protocol.
        for body in ["", "OK", r#""OK""#, "{}", "<html>"] {
            assert_eq!(why(200, body), None, "{body}");
        }
        assert!(why(200, r#"{"text":"HEC is healthy","code":17}"#).unwrap().contains("endpoint"));
        let incorrect = r#"{"text":"Incorrect index","code":7,"invalid-event-number":1}"#;
        assert!(why(400, incorrect).unwrap().contains("splunk_index"));
        for code in [10, 11] {
            let body = format!(r#"{{"text":"Data channel is missing","code":{code}}}"#);
            assert!(why(400, &body).unwrap().contains("headers"));
        }
        // The status means the same, or the error concerns a record.
        for (status, code) in [(400, 6), (400, 12), (400, 13), (401, 3), (403, 4), (500, 8), (503, 9)] {
            assert_eq!(why(status, &format!(r#"{{"text":"x","code":{code}}}"#)), None, "{code}");
        }
    }
}
