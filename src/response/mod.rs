//! What a gateway's response means for a batch. Pure: no network, no clock.
//!
//! - `status`: what a status means wherever it comes from
//! - `partial_success`: what formats need to read a 2xx that speaks of single records
//! - `disposition`: what becomes of the batch
//! - `retry_after`: how long the gateway asks us to wait
//! - `text`: the response's own words, fit for a log
//!
//! What a service means by a response beyond its status is in that service's folder under `format`.

mod disposition;
pub mod partial_success;
pub mod retry_after;
mod status;
mod text;

pub use disposition::{Disposition, Doubt, RecordOutcome};
pub use status::classify_status;
pub use text::{ANSWER_KEPT_BYTES, Hide, plain_text, quoted};

/// A response: the parts that decide.
#[derive(Clone, Copy)]
pub struct Response<'a> {
    pub status: u16,
    pub retry_after: Option<&'a str>,
    pub date: Option<&'a str>,
    pub location: Option<&'a str>,
    /// The beginning of the body without secrets, for a person.
    pub words: &'a [u8],
    /// The body as it came, as far as the format asked for it.
    pub body: &'a [u8],
    /// The body ends there, and nothing failed on the way.
    pub is_whole: bool,
    /// How many records the request carried.
    pub records: usize,
    /// Bytes of the request.
    pub sent_bytes: u64,
    /// Takes secrets out of a text of the body.
    pub hide: Hide<'a>,
}

impl Default for Response<'_> {
    /// No response at all: status 0.
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

impl Response<'_> {
    /// Whether it is a 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    /// The service refused the whole batch for a reason that all requests share. `remedy` is for the log: what the service
    /// did and which setting to look at. No record was taken.
    #[must_use]
    pub fn refused(&self, remedy: &str) -> Disposition {
        let status = self.status;
        let why = format!("the gateway answered {status}: {remedy}{}", quoted(self.words));
        Disposition::Refused { status, why, doubt: Doubt::None }
    }

    /// Whether one of these words, in lower case, is in the response, in whatever case.
    #[must_use]
    pub fn mentions(&self, words: &[&str]) -> bool {
        let text = String::from_utf8_lossy(self.words).to_ascii_lowercase();
        words.iter().any(|word| text.contains(word))
    }
}
