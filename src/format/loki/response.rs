//! Responses of Loki that mean something other than their status.

use crate::response::{Disposition, Response};

/// While `block_ingestion_until` is in force, Loki responds with 260 by default, which looks like a success.
pub(super) fn classify(response: &Response<'_>) -> Option<Disposition> {
    match response.status {
        // Another 2xx comes from a proxy that stores records for Loki.
        260 => Some(response.refused("it took nothing: look at block_ingestion_until in its limits")),
        400 if response.mentions(&["allow_structured_metadata"]) => Some(
            response
                .refused("it takes no structured metadata: look at allow_structured_metadata in its limits"),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::refusal;

    fn why(status: u16, body: &str) -> Option<String> {
        refusal(classify, status, body)
    }

    #[test]
    fn a_blocked_loki_took_nothing() {
        for taken in [200, 202, 204, 299] {
            assert_eq!(why(taken, ""), None);
        }
        assert!(why(260, "ingestion blocked until 2026-11-21").unwrap().contains("block_ingestion_until"));
        let disallowed = "stream '{job=\"x\"}' includes structured metadata, but this feature is disallowed. Please see \
             `limits_config.allow_structured_metadata`";
        assert!(why(400, disallowed).unwrap().contains("structured metadata"));
        assert_eq!(why(400, "entry too far behind"), None);
        assert_eq!(why(500, disallowed), None);
    }
}
