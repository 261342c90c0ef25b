//! [`Watermark`]: which versions of events are settled, in a few bytes.

use super::Event;

/// Which versions are settled: those above `from`, up to `through`, except for some.
///
/// resourceVersions of one resource may be compared as integers (KEP-5504, and every etcd before it). What does not fit
/// into the list of exceptions makes the range shorter, so that an overflow costs a repetition and never a loss.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Watermark {
    /// Rises each time a restored etcd is found: a version of an earlier history says nothing about this one.
    pub history: u32,
    /// This version and lower ones are not covered.
    pub from: u64,
    /// The highest version that is covered.
    pub through: u64,
    /// Unsettled versions in the range, in ascending order.
    pub except: Vec<Exception>,
}

/// An unsettled version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exception {
    /// The version that is not settled.
    pub version: u64,
    /// It came from a list, which does not show the versions that it replaced.
    pub hidden: Option<Hidden>,
}

/// Versions of one event that a list did not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hidden {
    /// A part of the event's hash. Two events that share it cost a repetition.
    pub event: u32,
    /// They are above this version.
    pub above: u64,
}

impl Watermark {
    /// Whether it says that this version of this event is settled.
    #[must_use]
    pub fn covers(&self, event: Event, version: u64) -> bool {
        let is_excepted = |exception: &Exception| {
            let is_hidden = |hidden: Hidden| {
                hidden.event == short(event) && hidden.above < version && version < exception.version
            };
            exception.version == version || exception.hidden.is_some_and(is_hidden)
        };
        self.from < version && version <= self.through && !self.except.iter().any(is_excepted)
    }

    /// The same with at most this many exceptions: the range ends before the first version that has no place, and before
    /// all versions that a list may have hidden behind it.
    #[must_use]
    pub fn bounded(mut self, exceptions: usize) -> Self {
        for left_out in self.except.iter().skip(exceptions) {
            let end = left_out.hidden.map_or(left_out.version.saturating_sub(1), |hidden| hidden.above);
            self.through = self.through.min(end);
        }
        self.except.truncate(exceptions);
        self.except.retain(|exception| {
            exception.version <= self.through
                || exception.hidden.is_some_and(|hidden| hidden.above < self.through)
        });
        self
    }
}

/// The part of an event's hash that a watermark names it by.
#[must_use]
pub fn short(event: Event) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "a part of a hash is one")]
    let part = event as u32;
    part
}
