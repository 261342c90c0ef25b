//! Any bytes as an HTTP answer of the gateway: what it means for a batch, and what of it may be repeated in a log.
//!
//! Taken apart here in the plainest way, so that the judge sees what no HTTP client would let through.

use std::time::{Duration, SystemTime};

use event_gateway::config::FormatName;
use event_gateway::format::Renderer;
use event_gateway::response::retry_after::{LONGEST_RETRY_AFTER, retry_after};
use event_gateway::response::{Disposition, KEPT_RESPONSE_BYTES, RecordOutcome, Response, classify_status};
use event_gateway::secrets::Secrets;

use super::{Body, Seen};

/// What the request held; an answer may well repeat it.
pub const SECRET: &str = "hunter2-sesame";
/// The words around what the gateway says.
const MOST_SAID_BYTES: usize = 800;

pub struct Answer {
    secrets: Secrets,
    wall: SystemTime,
    /// Every format with a service that responds in its own way, and the others.
    renderers: Vec<Renderer>,
    seen: Seen,
}

impl Body for Answer {
    const NAME: &'static str = "answer";

    const WORDS: &'static [&'static [u8]] = &[
        b"HTTP/1.1 ",
        b"HTTP/1.0 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"\r\nRetry-After: ",
        b"\r\nLocation: https://user:hunter2-sesame@h/?hunter2-sesame#x\r\n",
        b"\r\nContent-Length: ",
        b"\r\nTransfer-Encoding: chunked\r\n",
        b"\r\nConnection: close\r\n",
        b"\r\n\r\n",
        b"\r\n",
        b"ffffffffffffffff\r\n",
        b"0\r\n\r\n",
        b"200",
        b"204",
        b"307",
        b"401",
        b"413",
        b"422",
        b"429",
        b"503",
        b"999",
        b"18446744073709551616",
        b"Fri, 31 Dec 9999 23:59:59 GMT",
        b"Sun, 06 Nov 1994 08:49:37 GMT",
        b"Sunday, 06-Nov-94 08:49:37 GMT",
        b"Sun Nov  6 08:49:37 1994",
        b"hunter2-sesame",
        b"://",
        b"@",
        b"\x1b[31m",
        b"\x00",
        b"\xc2\x85",
        b"\xff",
        b"\xf0\x9f\xa6\x80",
    ];

    fn new() -> Self {
        let secrets = Secrets::default();
        secrets.add(SECRET);
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let renderers =
            FormatName::WORDS.iter().filter_map(|(_, format)| Renderer::new(*format, "").ok()).collect();
        Self { secrets, wall, renderers, seen: Seen::default() }
    }

    fn seeds() -> Vec<Vec<u8>> {
        let mut seeds: Vec<Vec<u8>> = vec![
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec(),
            b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
            b"HTTP/1.0 202 Accepted\r\n\r\nto the end".to_vec(),
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec(),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_vec(),
            b"HTTP/1.1 307 Moved\r\nLocation: https://me:hunter2-sesame@other/x?y=hunter2-sesame\r\nContent-Length: 0\r\n\r\n".to_vec(),
            b"HTTP/1.1 429 Too Many\r\nRetry-After: 30\r\nContent-Length: 4\r\n\r\nslow".to_vec(),
            b"HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n".to_vec(),
            b"HTTP/1.1 429 Busy\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:51:37 GMT\r\n\r\n".to_vec(),
            b"HTTP/1.1 422 No\r\nContent-Length: 26\r\n\r\nbad token hunter2-sesame!\n".to_vec(),
        ];
        for status in
            [400, 401, 403, 404, 405, 406, 407, 408, 411, 413, 417, 421, 425, 426, 431, 500, 501, 502, 504]
        {
            seeds.push(
                format!("HTTP/1.1 {status} X\r\nServer: x\r\nContent-Length: 5\r\n\r\nwords").into_bytes(),
            );
        }
        seeds
    }

    fn check(&mut self, input: &[u8], _: bool) {
        let (head, body) = match memchr::memmem::find(input, b"\r\n\r\n") {
            Some(end) => (&input[..end], &input[end + 4..]),
            None => (input, &[][..]),
        };
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|text| text.parse().ok());
        let header = |name: &str| {
            let fields = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
            fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
        };
        let status = status.unwrap_or(body.len() as u16 % 1_000);
        let location = header("location").map(|text| self.secrets.hide_in(text.to_owned()));
        let words = self.secrets.hide_in(String::from_utf8_lossy(body).into_owned());
        let (wait, date) = (header("retry-after"), header("date"));
        let location = location.as_deref();
        let response = Response {
            status,
            retry_after: wait,
            date,
            location,
            words: words.as_bytes(),
            body,
            is_whole: !body.len().is_multiple_of(7),
            records: 3,
            sent_bytes: 7,
            hide: &|text| self.secrets.hide_in(text),
        };
        let disposition = classify_status(&response, self.wall);
        assert_eq!(
            matches!(disposition, Disposition::Accepted { .. }),
            (200..300).contains(&status),
            "{disposition:?}"
        );
        self.seen.note(matches!(disposition, Disposition::Accepted { .. }));
        assert_bounded(&disposition);
        for renderer in &self.renderers {
            // A 2xx too: most inputs have another status.
            for response in [response, Response { status: 200, ..response }] {
                let Some(disposition) = renderer.format().classify(&response) else { continue };
                assert_bounded(&disposition);
                if let Disposition::Partial { outcomes, .. } = disposition {
                    assert_eq!(outcomes.len(), 3);
                }
            }
        }
        let asked = wait.and_then(|text| retry_after(text, date, self.wall));
        assert!(asked.is_none_or(|wait| wait <= LONGEST_RETRY_AFTER));
        if let Disposition::Retry { after, .. } = disposition {
            assert_eq!(after, asked);
        }
    }

    fn seen(&self) -> Seen {
        self.seen
    }
}

/// What may stand in a log or a dead letter.
pub fn assert_bounded(disposition: &Disposition) {
    let (text, most) = match disposition {
        Disposition::Accepted { .. } => return,
        Disposition::Partial { outcomes, .. } => {
            for outcome in outcomes {
                if let RecordOutcome::Rejected { answer, .. } = outcome {
                    assert!(
                        answer.len() <= KEPT_RESPONSE_BYTES && !answer.contains(|c: char| c.is_control())
                    );
                    assert!(!answer.contains(SECRET), "{answer}");
                }
            }
            return;
        }
        Disposition::PartlyRejected { answer, .. } => (answer, KEPT_RESPONSE_BYTES),
        Disposition::Retry { after, why, .. } => {
            assert!(after.is_none_or(|wait| wait <= LONGEST_RETRY_AFTER));
            (why, MOST_SAID_BYTES)
        }
        Disposition::Refused { why, .. } => (why, MOST_SAID_BYTES),
        Disposition::Rejected { answer, .. } => (answer, KEPT_RESPONSE_BYTES),
    };
    assert!(text.len() <= most, "{} bytes: {text}", text.len());
    assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
    assert!(!text.contains(SECRET), "{text}");
}
