//! What a status means for a batch, whatever service responds.
//!
//! The classes follow RFC 9110 where it says whether the same request may succeed later. Otherwise the class is the one
//! that loses no record.

use std::time::SystemTime;

use super::retry_after::retry_after;
use super::text::{KEPT_RESPONSE_BYTES, SHOWN_BYTES, plain_text, quoted};
use super::{Disposition, Doubt, Response};

/// What the status means for the batch. `wall` is the time now, used if `Retry-After` is a date and the response has no
/// `Date`.
#[must_use]
pub fn classify_status(response: &Response<'_>, wall: SystemTime) -> Disposition {
    let status = response.status;
    match status {
        200..=299 => Disposition::Accepted { sent_bytes: response.sent_bytes },
        408 | 425 | 429 | 500..=599 => Disposition::Retry {
            after: response.retry_after.and_then(|value| retry_after(value, response.date, wall)),
            why: format!("the gateway answered {status}{}", quoted(response.words)),
            doubt: Doubt::of(status),
        },
        400 | 413 | 422 => {
            Disposition::Rejected { status, answer: plain_text(response.words, KEPT_RESPONSE_BYTES) }
        }
        _ => Disposition::Refused {
            status,
            why: format!("the gateway answered {status}: {}{}", remedy(response), quoted(response.words)),
            doubt: Doubt::of(status),
        },
    }
}

/// What happened and which setting a person should look at, for the log.
fn remedy(response: &Response<'_>) -> String {
    let known = match response.status {
        300..=399 => {
            return match response.location.map(shown_location) {
                Some(place) => {
                    format!(
                        "it redirects to {place}; redirects are not followed, set endpoint to where it leads"
                    )
                }
                None => "it redirects; redirects are not followed, look at endpoint".to_owned(),
            };
        }
        401 => {
            "the gateway does not accept the credentials: look at bearer_token_file or basic_password_file \
             (or api_key_file, or an Authorization in headers)"
        }
        403 => {
            "the credentials do not allow this: look at bearer_token_file, api_key_file, basic_user, \
             client_cert_file, or the gateway's own rules"
        }
        404 | 410 => "nothing at this path: look at endpoint",
        405 | 501 => "this path takes no POST: look at endpoint",
        407 => {
            "a proxy asks for credentials: look at HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the environment"
        }
        406 | 415 => "the gateway does not take this kind of body: look at format and compress",
        411 => "the gateway or a proxy before it does not understand the request: look at endpoint",
        421 => "the gateway does not serve this host: look at endpoint",
        426 => "the gateway wants another protocol: look at endpoint (https?)",
        431 => "the headers are too large: look at headers and bearer_token_file",
        _ => "an unexpected status for an event gateway: look at endpoint",
    };
    known.to_owned()
}

/// A location for the log: without user, password, query and fragment, which may hold secrets.
fn shown_location(location: &str) -> String {
    let end = location.find(['?', '#']).unwrap_or(location.len());
    let location = &location[..end];
    let whole = match location.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => location.to_owned(),
    };
    plain_text(whole.as_bytes(), SHOWN_BYTES)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::response::retry_after::LONGEST_RETRY_AFTER;

    fn of(status: u16) -> Disposition {
        classify_status(&Response { status, sent_bytes: 7, ..Response::default() }, SystemTime::UNIX_EPOCH)
    }

    fn after(value: &str, wall: SystemTime) -> Option<Duration> {
        dated(value, None, wall)
    }

    fn dated(value: &str, date: Option<&str>, wall: SystemTime) -> Option<Duration> {
        let retry_after = Some(value);
        match classify_status(&Response { status: 503, retry_after, date, ..Response::default() }, wall) {
            Disposition::Retry { after, .. } => after,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_status_has_one_meaning() {
        for status in 100..=999 {
            let disposition = of(status);
            let as_expected = match status {
                200..=299 => disposition == Disposition::Accepted { sent_bytes: 7 },
                408 | 425 | 429 | 500..=599 => matches!(disposition, Disposition::Retry { after: None, .. }),
                400 | 413 | 422 => {
                    matches!(disposition, Disposition::Rejected { status: s, .. } if s == status)
                }
                _ => matches!(disposition, Disposition::Refused { status: s, .. } if s == status),
            };
            assert!(as_expected, "{status}: {disposition:?}");
            let certain =
                [200..=302, 304..=407, 409..=499, 503..=503].iter().any(|range| range.contains(&status));
            assert_eq!(disposition.doubt() == Doubt::None, certain, "{status}: {disposition:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_key_to_look_at() {
        for (status, key) in [
            (401, "bearer_token_file or basic_password_file"),
            (403, "basic_user"),
            (404, "endpoint"),
            (405, "no POST: look at endpoint"),
            (407, "HTTPS_PROXY"),
            (415, "format and compress"),
            (302, "endpoint"),
            (418, "endpoint"),
        ] {
            let Disposition::Refused { why, .. } = of(status) else { panic!("{status}") };
            assert!(why.contains(key) && why.contains(&status.to_string()), "{why}");
        }
    }

    #[test]
    fn retry_after_in_seconds_as_a_date_and_as_nonsense() {
        let date = |at: SystemTime| httpdate::fmt_http_date(at);
        let whole_second = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let wall = whole_second + Duration::from_millis(300);
        assert_eq!(after("30", wall), Some(Duration::from_secs(30)));
        assert_eq!(after(" 0 ", wall), Some(Duration::ZERO));
        assert_eq!(
            after(&date(whole_second + Duration::from_secs(90)), whole_second),
            Some(Duration::from_secs(90))
        );
        assert_eq!(after(&date(whole_second - Duration::from_secs(90)), whole_second), Some(Duration::ZERO));
        // The wait is what the gateway asks for, also if its clock is an hour ahead or a year behind.
        for its_now in
            [whole_second + Duration::from_secs(3_600), whole_second - Duration::from_secs(31_536_000)]
        {
            let (until, its_date) = (date(its_now + Duration::from_secs(90)), date(its_now));
            assert_eq!(dated(&until, Some(&its_date), wall), Some(Duration::from_secs(90)));
        }
        let until = date(whole_second + Duration::from_secs(90));
        assert_eq!(dated(&until, Some("yesterday"), whole_second), Some(Duration::from_secs(90)));
        assert_eq!(dated("30", Some(&until), wall), Some(Duration::from_secs(30)));
        for far in ["601", "31536000", "18446744073709551616", &"9".repeat(4_000)] {
            assert_eq!(after(far, wall), Some(LONGEST_RETRY_AFTER), "{far:.30}");
        }
        assert_eq!(after("Fri, 31 Dec 9999 23:59:59 GMT", wall), Some(LONGEST_RETRY_AFTER));
        for nonsense in ["", " ", "-5", "+5", "1.5", "5s", "soon", "1e9", "Fri, 99 Dec", "٣"] {
            assert_eq!(after(nonsense, wall), None, "{nonsense}");
        }
    }

    #[test]
    fn a_location_is_shown_without_its_secrets() {
        let whys = |location| match classify_status(
            &Response { status: 307, location: Some(location), ..Response::default() },
            SystemTime::UNIX_EPOCH,
        ) {
            Disposition::Refused { why, .. } => why,
            other => panic!("{other:?}"),
        };
        let why = whys("https://user:hunter2@login.example:8443/a/b?token=sesame#x");
        assert!(why.contains("redirects to https://login.example:8443/a/b;"), "{why}");
        assert!(!why.contains("sesame") && !why.contains("hunter2") && !why.contains("user"), "{why}");
        assert!(whys("/login?token=sesame").contains("redirects to /login;"));
        assert!(whys(&"x".repeat(100_000)).len() < 500);
    }

    #[test]
    fn the_answer_kept_is_bounded_text() {
        let kept = |body: &[u8]| match classify_status(
            &Response { status: 422, words: body, ..Response::default() },
            SystemTime::UNIX_EPOCH,
        ) {
            Disposition::Rejected { answer, .. } => answer,
            other => panic!("{other:?}"),
        };
        assert_eq!(kept(b"bad\nfield\x1b[31m\x7f"), "bad field [31m ");
        assert_eq!(kept("\u{85}x".as_bytes()), " x", "C1 controls too");
        // Every position of the border within characters of 1 to 4 bytes.
        for filler in ["a", "é", "…", "🦀"] {
            for shift in 0..4 {
                let text = "-".repeat(shift) + &filler.repeat(600);
                let answer = kept(text.as_bytes());
                assert!(text.starts_with(&answer), "{answer}");
                assert!(answer.len() <= 500 && answer.len() > 500 - filler.len(), "{}", answer.len());
            }
        }
        assert!(kept(&[0xff; 2_000]).len() <= 500);
        assert_eq!(kept(b"a\xffb"), "a\u{fffd}b");
    }
}
