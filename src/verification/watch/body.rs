//! Reads the bodies of lists, probes and watches, which may be cut anywhere.

use super::super::change::{Change, event, number};
use super::super::object::{Meta, is_whole};
use super::{Body, Goal, Listed, Output, Watch, WatchBody, WatchEnd};
use crate::replicas::Event;
use crate::topology::list_scanner::ListMeta;
use crate::topology::watch::LossReason;
use crate::topology::watch::line::{Line, ServerError};

impl Watch {
    /// Takes bytes of the response body. `false` means that no more bytes are wanted.
    pub fn body(&mut self, bytes: &[u8]) -> bool {
        let Self { body, listed, version, highest, is_ordered, silent_until, refusals, output, goal, .. } =
            self;
        match body {
            Body::None => false,
            Body::Probe(scanner) => scanner.feed(bytes, |_| {}).is_ok(),
            Body::List { scanner, early } => {
                let fed = scanner.feed(bytes, |item| match read_item(item) {
                    Some((event, Some(version))) => early.push((event, version)),
                    Some((_, None)) => output.unordered += 1,
                    None => output.skipped += 1,
                });
                if let (Some(meta), Goal::List(_)) = (scanner.meta(), goal) {
                    begin(meta, listed, output);
                }
                if let Some(Listed { number, .. }) = listed {
                    // Without a version of its own the list proves nothing of its events.
                    let seen = early.drain(..).filter(|_| number.is_some());
                    output.changes.extend(seen.map(|(event, version)| Change::Seen { event, version }));
                }
                fed.is_ok()
            }
            Body::Watch(watch) => {
                let WatchBody { lines, progressed, over, .. } = watch;
                let mut reader = Reader { version, highest, is_ordered: *is_ordered, silent_until, output };
                lines.feed(bytes, |line| {
                    if over.is_some() {
                        return;
                    }
                    match reader.line(line) {
                        Ok(is_progress) => {
                            *progressed |= is_progress;
                            *refusals = if is_progress { 0 } else { *refusals };
                        }
                        Err(end) => *over = Some(end),
                    }
                });
                output.skipped += lines.take_dropped();
                over.is_none()
            }
        }
    }
}

/// The first page that shows its version begins the list.
fn begin(meta: &ListMeta, listed: &mut Option<Listed>, output: &mut Output) {
    let text = meta.resource_version.as_deref().unwrap_or_default();
    if listed.is_some() || text.is_empty() {
        return;
    }
    let number = number(text);
    match number {
        Some(version) => output.changes.push(Change::ListBegins(version)),
        None => output.unordered += 1,
    }
    *listed = Some(Listed { text: text.to_owned(), number });
}

/// The event and its version, if that is a number; `None` for what is no event.
fn read_item(item: &[u8]) -> Option<(Event, Option<u64>)> {
    let meta = Meta::read(item).filter(|meta| !meta.uid.is_empty())?;
    Some((event(&meta.uid), number(&meta.version)))
}

/// Reads the lines of a watch.
struct Reader<'w> {
    version: &'w mut String,
    highest: &'w mut u64,
    is_ordered: bool,
    silent_until: &'w mut Option<u64>,
    output: &'w mut Output,
}

impl Reader<'_> {
    /// Returns whether the watch has moved on.
    fn line(&mut self, line: &[u8]) -> Result<bool, WatchEnd> {
        let unreadable = |why: String| {
            let why = format!("a line is not a watch event ({why})");
            WatchEnd::Error(LossReason::Unreadable, why)
        };
        let Line { what, object } = Line::read(line).map_err(|why| unreadable(why.to_string()))?;
        if !is_whole(object) {
            return Err(unreadable("its object is not whole".to_owned()));
        }
        if what == "ERROR" {
            return Err(match ServerError::read(object) {
                ServerError::Expired => WatchEnd::Expired,
                ServerError::Other(why) => WatchEnd::Error(LossReason::ServerError, why),
            });
        }
        let Some(Meta { uid, version }) = Meta::read(object).filter(|meta| !meta.version.is_empty()) else {
            self.output.skipped += 1;
            return Ok(false);
        };
        let is_deleted = what == "DELETED";
        let number = number(&version);
        match (&*what, number) {
            ("BOOKMARK", _) => {}
            ("ADDED" | "MODIFIED" | "DELETED", _) if uid.is_empty() => self.output.skipped += 1,
            ("DELETED", _) => self.output.changes.push(Change::Deleted(event(&uid))),
            ("ADDED" | "MODIFIED", Some(version)) => {
                self.output.changes.push(Change::Seen { event: event(&uid), version });
            }
            ("ADDED" | "MODIFIED", None) => self.output.unordered += 1,
            _ => self.output.skipped += 1,
        }
        if let (true, Some(number)) = (self.is_ordered, number) {
            self.output.changes.push(Change::Through(number));
        }
        if let Some(number) = number.filter(|number| *number > *self.highest) {
            *self.highest = number;
            // It came before the consistent read, and the silent watch did not show it.
            self.output.dead += u64::from(self.silent_until.take().is_some_and(|until| number <= until));
        }
        self.version.clear();
        match number {
            // The rest of its bunch may be missing.
            Some(number) if is_deleted => self.version.push_str(&number.saturating_sub(1).max(1).to_string()),
            _ => self.version.push_str(&version),
        }
        Ok(true)
    }
}
