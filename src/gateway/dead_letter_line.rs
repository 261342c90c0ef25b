//! A line of the dead letter file, and many of them for one write.

use std::fmt::Write;
use std::io;

use serde::Serialize;

use crate::secrets::plain::is_unseen;

/// One record that will not be delivered, and why.
#[derive(Debug, Clone, Copy)]
pub struct DeadLetterLine<'a> {
    /// When it was dead-lettered, RFC 3339.
    pub time: &'a str,
    /// The id of the record.
    pub id: &'a str,
    /// The gateway's status, if the gateway rejected it.
    pub status: Option<u16>,
    /// Why it will not be delivered.
    pub reason: &'a str,
    /// The gateway's own words.
    pub answer: &'a str,
    /// The record as JSON. Other text is written as a JSON string.
    pub record: &'a str,
}

/// Lines for one write.
#[derive(Debug)]
pub struct DeadLetterLines {
    lines: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
    room_bytes: u64,
    /// The length of the first line that was left out, or why it could not be made.
    pub(super) left_out: Option<io::Result<u64>>,
}

impl DeadLetterLines {
    /// No lines yet, and room for so many bytes.
    #[must_use]
    pub fn within(room_bytes: u64) -> Self {
        Self { lines: Vec::new(), ends: Vec::new(), room_bytes, left_out: None }
    }

    /// Adds a line; `false` if there is no room for it.
    pub fn add(&mut self, entry: &DeadLetterLine<'_>) -> bool {
        let line = line(entry);
        match line {
            Ok(line) if (self.lines.len() as u64).saturating_add(line.len() as u64) <= self.room_bytes => {
                self.lines.extend_from_slice(&line);
                self.ends.push(self.lines.len());
                return true;
            }
            line => drop(self.left_out.get_or_insert(line.map(|line| line.len() as u64))),
        }
        false
    }

    /// The number of lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of the lines `from..to`.
    pub(super) fn lines(&self, from: usize, to: usize) -> &[u8] {
        let start = |index: usize| index.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        self.lines.get(start(from).unwrap_or(0)..start(to).unwrap_or(0)).unwrap_or_default()
    }
}

/// The record as one line. A text that is not JSON becomes a string, so that the file stays readable for every reader.
fn line(entry: &DeadLetterLine<'_>) -> io::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Head<'a> {
        time: &'a str,
        id: &'a str,
        status: Option<u16>,
        reason: &'a str,
        answer: &'a str,
    }
    let DeadLetterLine { time, id, status, reason, answer, record } = *entry;
    let mut line = serde_json::to_vec(&Head { time, id, status, reason, answer })?;
    line.pop(); // removes the closing brace: the record follows
    line.extend_from_slice(b",\"record\":");
    if serde_json::from_str::<serde_json::Value>(record).is_ok() {
        // JSON has raw line breaks between values only, where a space means the same.
        line.extend(
            record.trim().bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }),
        );
    } else {
        serde_json::to_writer(&mut line, record)?;
    }
    line.extend_from_slice(b"}\n");
    Ok(visible(line))
}

/// The same JSON with each invisible character escaped: a person reads the file on a terminal, which obeys some of them
/// as commands. Only strings can hold those beyond ASCII.
fn visible(line: Vec<u8>) -> Vec<u8> {
    let is_unseen_here = |c: char| c >= '\u{7f}' && is_unseen(c);
    let text = match String::from_utf8(line) {
        Ok(text) if text.contains(is_unseen_here) => text,
        Ok(text) => return text.into_bytes(),
        Err(error) => return error.into_bytes(),
    };
    let mut visible = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        if is_unseen_here(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(visible, "\\u{unit:04x}");
            }
        } else {
            visible.push(c);
        }
    }
    visible.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C1 controls move a cursor, direction marks reverse a line, and tag characters are invisible.
    #[test]
    fn a_line_shows_all_its_characters_and_means_the_same() {
        let hostile = "a\u{9b}2J\u{7f}\u{202e}b\u{2028}\u{200b}\u{e0041}é🦀";
        let record =
            serde_json::json!({ hostile: [hostile], "\t": "\u{1b}" }).to_string().replace(':', "\t:");
        for record in [&*record, hostile] {
            let entry = DeadLetterLine {
                time: "t",
                id: hostile,
                status: None,
                reason: hostile,
                answer: hostile,
                record,
            };
            let text = String::from_utf8(line(&entry).unwrap()).unwrap();
            let (last, all) = (text.len() - 1, text.find(|c: char| is_unseen(c) && c != '\t'));
            assert_eq!(all, Some(last), "{text}");
            assert!(text.contains("é🦀") && text.contains("\\u009b2J\\u007f\\u202eb"), "{text}");
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert!(["id", "reason", "answer"].iter().all(|key| read[key] == hostile), "{text}");
            let as_it_was = serde_json::from_str(record).unwrap_or(serde_json::Value::from(hostile));
            assert_eq!(read["record"], as_it_was);
        }
    }
}
