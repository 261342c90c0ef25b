//! The smallest client of the Kubernetes API: no more than what shows every byte of an answer. For tests of the
//! test server, and for those that look at it from the side.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// What an answer may take on a busy machine.
const BOUND: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text))
    }

    pub fn header(&self, lower_case_name: &str) -> Option<&str> {
        super::http::header(&self.headers, lower_case_name)
    }

    /// `metadata.name` of the items of a list.
    pub fn names(&self) -> Vec<String> {
        let items = self.json()["items"].take();
        let items = items.as_array().into_iter().flatten();
        items.map(|item| item["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// What comes next on a watch.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    Line(Value),
    /// A whole line that is no JSON.
    Garbage(String),
    /// The server ended the watch in good order.
    End,
    /// The connection closed within the stream; what was there of a line.
    Cut(String),
    /// Nothing came within the time.
    Silence,
}

pub struct Watch {
    pub status: u16,
    lines: BufReader<Body>,
}

impl Watch {
    /// The next line, which must come.
    pub fn next(&mut self) -> Next {
        match self.next_within(BOUND) {
            Next::Silence => panic!("nothing came within {BOUND:?}"),
            next => next,
        }
    }

    /// Its type and its object's name and version.
    pub fn change(&mut self) -> (String, String, u64) {
        let Next::Line(line) = self.next() else { panic!("the watch is over") };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &line["object"]["metadata"];
        let version = metadata["resourceVersion"].as_str().and_then(|text| text.parse().ok());
        (text(&line["type"]), text(&metadata["name"]), version.unwrap_or_default())
    }

    pub fn next_within(&mut self, time: Duration) -> Next {
        self.lines.get_ref().wire.get_ref().set_read_timeout(Some(time)).expect("a socket");
        let mut line = Vec::new();
        let read = self.lines.read_until(b'\n', &mut line);
        let text = String::from_utf8_lossy(&line).into_owned();
        match read {
            Ok(0) => Next::End,
            Ok(_) if !text.ends_with('\n') => Next::Cut(text),
            Ok(_) => serde_json::from_str(&text).map_or(Next::Garbage(text), Next::Line),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                assert!(text.is_empty(), "half a line, and then nothing: {text:?}");
                Next::Silence
            }
            Err(_) => Next::Cut(text),
        }
    }
}

/// One request on a connection of its own, with these headers, each as `Name: value`.
pub fn get(url: &str, target: &str, headers: &[&str]) -> Answer {
    let (status, headers, mut body) = request(url, ("GET", target), headers, b"").expect("an answer");
    let mut text = String::new();
    body.read_to_string(&mut text).expect("a whole body");
    Answer { status, headers, text }
}

/// The same for a write, with a body of JSON. An error when the connection closes without an answer.
pub fn send(url: &str, (method, target): (&str, &str), headers: &[&str], body: &[u8]) -> io::Result<Answer> {
    let headers = [headers, &["Content-Type: application/json"]].concat();
    let (status, headers, mut answered) = request(url, (method, target), &headers, body)?;
    let mut text = String::new();
    answered.read_to_string(&mut text)?;
    Ok(Answer { status, headers, text })
}

pub fn watch(url: &str, target: &str, headers: &[&str]) -> Watch {
    let (status, _, body) = request(url, ("GET", target), headers, b"").expect("an answer");
    Watch { status, lines: BufReader::new(body) }
}

type Headers = Vec<(String, String)>;

fn request(
    url: &str,
    (method, target): (&str, &str),
    headers: &[&str],
    body: &[u8],
) -> io::Result<(u16, Headers, Body)> {
    let address = url.strip_prefix("http://").expect("a server without TLS");
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(BOUND))?;
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}{length}\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut wire = BufReader::new(stream);
    let line = |wire: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        wire.read_line(&mut line).map(|_| line.trim_end().to_owned())
    };
    let first = line(&mut wire)?;
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status line: {first:?}")))?;
    let mut answered = Vec::new();
    loop {
        let line = line(&mut wire)?;
        let Some((name, value)) = line.split_once(':') else { break };
        answered.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let chunked = super::http::header(&answered, "transfer-encoding") == Some("chunked");
    let length = super::http::header(&answered, "content-length").and_then(|length| length.parse().ok());
    let left = if chunked { 0 } else { length.unwrap_or(0) };
    Ok((status, answered, Body { wire, chunked, left, over: false }))
}

/// A body without its framing. An end that the framing does not announce is an error.
struct Body {
    wire: BufReader<TcpStream>,
    chunked: bool,
    /// The rest of the chunk, or of the body.
    left: usize,
    over: bool,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && self.chunked && !self.over {
            let mut line = String::new();
            self.wire.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16);
            self.left = size.map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
            self.over = self.left == 0;
        }
        if self.left == 0 {
            return Ok(0);
        }
        let most = buffer.len().min(self.left);
        let count = self.wire.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count;
        if self.left == 0 && self.chunked {
            self.wire.read_exact(&mut [0; 2])?;
        }
        Ok(count)
    }
}
