//! What a gateway was asked, and what it remembers of that.

use std::io::Read;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use event_gateway::clock;
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::http::{self, Head};

/// A request as it arrived, with its body as it was before compression.
#[derive(Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Names in lower case, in order of arrival.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The length of the body on the wire, without the framing of chunks.
    pub raw_body_bytes: usize,
    /// When the last byte of the body was read.
    pub arrived: Instant,
    /// 1 for the first connection that was accepted, and so on.
    pub connection: usize,
    /// 1 for the first request of which the headers were read, and so on.
    pub number: usize,
    pub(super) accepted: AtomicBool,
    ids: OnceLock<Vec<String>>,
}

impl Request {
    /// A request whose last byte was just read, and what is wrong with its body: it should be gzip
    /// and is not. No body where it was left unread.
    pub(super) fn new(
        head: Head,
        body: Option<Vec<u8>>,
        connection: usize,
        number: usize,
    ) -> (Self, Option<&'static str>) {
        let raw_body_bytes = body.as_ref().map_or(0, Vec::len);
        let is_gzip = head.header("content-encoding") == Some("gzip");
        let (body, fault) = match body {
            Some(packed) if is_gzip => {
                let mut plain = Vec::new();
                match MultiGzDecoder::new(&*packed).read_to_end(&mut plain) {
                    Ok(_) => (plain, None),
                    Err(_) => (packed, Some("the body is no gzip")),
                }
            }
            body => (body.unwrap_or_default(), None),
        };
        let Head { method, path, headers } = head;
        let request = Request {
            method,
            path,
            headers,
            body,
            raw_body_bytes,
            arrived: clock::monotonic(),
            connection,
            number,
            accepted: AtomicBool::new(false),
            ids: OnceLock::new(),
        };
        (request, fault)
    }

    pub fn header(&self, lower_case_name: &str) -> Option<&str> {
        http::header(&self.headers, lower_case_name)
    }

    /// Whether the gateway took the records: it began to write an answer of 2xx. Set before the
    /// first byte of the answer, so whoever saw the answer also sees this.
    pub fn accepted(&self) -> bool {
        self.accepted.load(Ordering::SeqCst)
    }

    /// The JSON values of the body: lines, values one after the other, or one array of them.
    pub fn records(&self) -> Vec<Value> {
        let mut records = Vec::new();
        for value in serde_json::Deserializer::from_slice(&self.body).into_iter::<Value>() {
            match value {
                Ok(Value::Array(values)) => records.extend(values),
                Ok(value) => records.push(value),
                Err(error) => {
                    let start = &self.body[..self.body.len().min(300)];
                    panic!("no JSON ({error}): {:?}", String::from_utf8_lossy(start))
                }
            }
        }
        records
    }

    /// The `id` of every record that has one.
    pub fn ids(&self) -> &[String] {
        self.ids.get_or_init(|| {
            let text = |id: &Value| id.as_str().map_or_else(|| id.to_string(), String::from);
            self.records().iter().filter_map(|record| record.get("id").map(text)).collect()
        })
    }
}
