//! Responses of the Events API v2 that mean something other than their status.

use crate::response::{Disposition, Response};

/// A 400 about the routing key concerns every event, because all have the same key.
pub(super) fn classify(response: &Response<'_>) -> Option<Disposition> {
    let is_about_the_key =
        response.status == 400 && response.mentions(&["routing_key", "routing key", "integration key"]);
    is_about_the_key
        .then(|| response.refused("it does not know the integration key: look at api_key_file, and restart"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::refusal;

    fn why(status: u16, body: &str) -> Option<String> {
        refusal(classify, status, body)
    }

    #[test]
    fn a_wrong_routing_key_does_not_reject_the_event() {
        let length = r#"{"status":"invalid event","errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}"#;
        assert!(why(400, length).unwrap().contains("api_key_file"));
        assert!(why(400, r#"{"message":"Invalid routing key"}"#).is_some());
        assert_eq!(why(400, r#"{"errors":["'payload.severity' is invalid"]}"#), None);
        assert_eq!(why(202, r#"{"status":"success","dedup_key":"routing key"}"#), None);
    }
}
