//! What a gateway's response means for a batch. Pure: no network, no clock.
//!
//! - `status`: what a status means, whatever service responds
//! - `partial_success`: shared by formats that read a 2xx that names single records
//! - `disposition`: what becomes of the batch
//! - `retry_after`: how long the gateway asks the plugin to wait
//! - `text`: the response's own words, shortened for a log line or a dead letter
//!
//! What a service means by a response beyond its status is in that service's folder under `format`.

mod disposition;
pub mod partial_success;
pub mod retry_after;
mod status;
mod text;

pub use disposition::{Disposition, Doubt, RecordOutcome};
pub use status::classify_status;
pub use text::{Hide, KEPT_RESPONSE_BYTES, plain_text, quoted};

/// The parts of a response that decide what becomes of the batch.
#[derive(Clone, Copy)]
pub struct Response<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`.
    pub retry_after: Option<&'a str>,
    /// The header `Date`.
    pub date: Option<&'a str>,
    /// The header `Location`, without secrets.
    pub location: Option<&'a str>,
    /// The beginning of the body, without secrets.
    pub words: &'a [u8],
    /// The body as it came, up to the format's `response_limit`.
    pub body: &'a [u8],
    /// `body` is the whole body, and reading it did not fail.
    pub is_whole: bool,
    /// The number of records in the request.
    pub records: usize,
    /// Bytes of the request's body.
    pub sent_bytes: u64,
    /// Removes secrets from a text of the body.
    pub hide: Hide<'a>,
}

impl Default for Response<'_> {
    /// An empty response with status 0.
    fn default() -> Self {
        Self {
            status: 0,
            retry_after: None,
            date: None,
            location: None,
            words: b"",
            body: b"",
            is_whole: true,
            records: 0,
            sent_bytes: 0,
            hide: &|text| text,
        }
    }
}

/// Why a service refuses a batch by this response, with this status and without a doubt; `None` if its status says all.
#[cfg(test)]
pub(crate) fn refusal(
    classify: fn(&Response<'_>) -> Option<Disposition>,
    status: u16,
    body: &str,
) -> Option<String> {
    let response = Response { status, words: body.as_bytes(), ..Response::default() };
    classify(&response).map(|disposition| match disposition {
        Disposition::Refused { status: of, why, doubt: Doubt::None } if of == status => why,
        other => panic!("{other:?}"),
    })
}

impl Response<'_> {
    /// Whether it is a 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    /// The disposition of a batch that the service refused for a reason that all requests share; it took no record.
    /// `remedy` is for the log: what the service did and which setting to look at.
    #[must_use]
    pub fn refused(&self, remedy: &str) -> Disposition {
        let status = self.status;
        let why = format!("the gateway answered {status}: {remedy}{}", quoted(self.words));
        Disposition::Refused { status, why, doubt: Doubt::None }
    }

    /// Whether the response contains one of these words in any case. `words` must be in lower case.
    #[must_use]
    pub fn mentions(&self, words: &[&str]) -> bool {
        let text = String::from_utf8_lossy(self.words).to_ascii_lowercase();
        words.iter().any(|word| text.contains(word))
    }
}
