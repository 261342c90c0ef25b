//! A dead letter: one line of JSON. And many of them, on their way into the file together.

use std::io;

use serde::Serialize;

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
    Ok(line)
}
