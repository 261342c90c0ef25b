//! A dead letter: one line of JSON. And many of them, on their way into the file together.

use std::fmt::Write;
use std::io;

use serde::Serialize;

use crate::secrets::plain::is_unseen;

/// One record that will not be delivered, and why.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// When it was given up, RFC 3339.
    pub time: &'a str,
    pub id: &'a str,
    /// The gateway's status, when it was the gateway that refused it.
    pub status: Option<u16>,
    pub reason: &'a str,
    /// What the gateway said.
    pub answer: &'a str,
    /// The record as JSON text. Text that is no JSON is kept too, as a string.
    pub record: &'a str,
}

/// Letters that are written in one go.
#[derive(Debug)]
pub struct Letters {
    lines: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
    room_bytes: u64,
    /// Of the first that was left out: how long it is.
    pub(super) left_out: Option<io::Result<u64>>,
}

impl Letters {
    /// None yet, and room for lines of so many bytes.
    #[must_use]
    pub fn within(room_bytes: u64) -> Self {
        Self { lines: Vec::new(), ends: Vec::new(), room_bytes, left_out: None }
    }

    /// Adds a letter if there is room for it. `false`: there is not.
    pub fn add(&mut self, letter: &Letter<'_>) -> bool {
        let line = line(letter);
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

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The lines from one letter on, up to another.
    pub(super) fn lines(&self, from: usize, to: usize) -> &[u8] {
        let start = |index: usize| index.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        self.lines.get(start(from).unwrap_or(0)..start(to).unwrap_or(0)).unwrap_or_default()
    }
}

/// The letter as one line. What is no JSON (so that no reader chokes on the file) goes in as a string.
fn line(letter: &Letter<'_>) -> io::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Head<'a> {
        time: &'a str,
        id: &'a str,
        status: Option<u16>,
        reason: &'a str,
        answer: &'a str,
    }
    let Letter { time, id, status, reason, answer, record } = *letter;
    let mut line = serde_json::to_vec(&Head { time, id, status, reason, answer })?;
    line.pop(); // the closing brace; the record follows
    line.extend_from_slice(b",\"record\":");
    if serde_json::from_str::<serde_json::Value>(record).is_ok() {
        // Raw line breaks in JSON are always between values, where a space does as well.
        line.extend(
            record.trim().bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }),
        );
    } else {
        serde_json::to_writer(&mut line, record)?;
    }
    line.extend_from_slice(b"}\n");
    Ok(seen(line))
}

/// The same JSON, with the number of each character that is not seen: a person looks at the file on a terminal, which
/// takes some of them for commands. JSON has those beyond ASCII in strings only.
fn seen(line: Vec<u8>) -> Vec<u8> {
    let is_unseen_here = |c: char| c >= '\u{7f}' && is_unseen(c);
    let text = match String::from_utf8(line) {
        Ok(text) if text.contains(is_unseen_here) => text,
        Ok(text) => return text.into_bytes(),
        Err(error) => return error.into_bytes(),
    };
    let mut seen = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        if is_unseen_here(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // A String takes any text.
                let _ = write!(seen, "\\u{unit:04x}");
            }
        } else {
            seen.push(c);
        }
    }
    seen.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C1 controls move a cursor, marks of direction turn a line round, and tags are not seen at all.
    #[test]
    fn a_letter_shows_all_its_characters_and_says_the_same() {
        let hostile = "a\u{9b}2J\u{7f}\u{202e}b\u{2028}\u{200b}\u{e0041}é🦀";
        let record =
            serde_json::json!({ hostile: [hostile], "\t": "\u{1b}" }).to_string().replace(':', "\t:");
        for record in [&*record, hostile] {
            let letter =
                Letter { time: "t", id: hostile, status: None, reason: hostile, answer: hostile, record };
            let text = String::from_utf8(line(&letter).unwrap()).unwrap();
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
