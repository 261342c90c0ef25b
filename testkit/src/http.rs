//! Reads a request of HTTP/1.1 from a connection.

use std::io::{self, BufRead, BufReader, Read, Write};

const LINE_LIMIT_BYTES: u64 = 64 << 10;
const BODY_LIMIT_BYTES: usize = 256 << 20;

/// The request line and the headers.
#[derive(Debug)]
pub struct Head {
    pub method: String,
    /// The target, with its query.
    pub path: String,
    /// Names in lower case, in order of arrival.
    pub headers: Vec<(String, String)>,
}

impl Head {
    pub fn header(&self, lower_case_name: &str) -> Option<&str> {
        header(&self.headers, lower_case_name)
    }
}

/// The value of the first header of this name.
pub fn header<'a>(headers: &'a [(String, String)], lower_case_name: &str) -> Option<&'a str> {
    headers.iter().find(|(name, _)| name == lower_case_name).map(|(_, value)| &**value)
}

/// Nothing when the client has closed the connection.
pub fn read_head(wire: &mut impl BufRead) -> io::Result<Option<Head>> {
    let Some(line) = read_line(wire)? else { return Ok(None) };
    let mut words = line.split(' ');
    let (Some(method), Some(path), Some("HTTP/1.1"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(invalid("no request line of HTTP/1.1"));
    };
    let mut headers = Vec::new();
    loop {
        let line = read_line(wire)?.ok_or_else(|| invalid("cut within the headers"))?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| invalid("a header without ':'"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_string()));
    }
    Ok(Some(Head { method: method.into(), path: path.into(), headers }))
}

/// The body as it is on the wire, without the framing of chunks. A client that waits for it is asked
/// to continue.
pub fn read_body<S: Read + Write>(wire: &mut BufReader<S>, head: &Head) -> io::Result<Vec<u8>> {
    if head.header("expect").is_some() {
        wire.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        wire.get_mut().flush()?;
    }
    let mut body = Vec::new();
    if head.header("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        loop {
            let line = read_line(wire)?.ok_or_else(|| invalid("cut between two chunks"))?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| invalid("no chunk size"))?;
            if size == 0 {
                while read_line(wire)?.is_some_and(|trailer| !trailer.is_empty()) {}
                break;
            }
            read_exactly(wire, &mut body, size)?;
            read_line(wire)?;
        }
    } else if let Some(length) = head.header("content-length") {
        let length = length.parse().map_err(|_| invalid("no number as Content-Length"))?;
        read_exactly(wire, &mut body, length)?;
    }
    Ok(body)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn read_line(wire: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    wire.by_ref().take(LINE_LIMIT_BYTES).read_until(b'\n', &mut line)?;
    match line.strip_suffix(b"\r\n") {
        Some(line) => Ok(Some(String::from_utf8_lossy(line).into_owned())),
        None if line.is_empty() => Ok(None),
        None => Err(invalid("a line that is cut, too long, or does not end in CR LF")),
    }
}

fn read_exactly(wire: &mut impl BufRead, body: &mut Vec<u8>, count: usize) -> io::Result<()> {
    let start = body.len();
    if count > BODY_LIMIT_BYTES - start {
        return Err(invalid("a body that is too large for a test"));
    }
    body.resize(start + count, 0);
    wire.read_exact(&mut body[start..])
}
