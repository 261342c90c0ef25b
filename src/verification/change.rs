//! [`Change`]: what the watch proves about the events, in order, and how a [`Replica`] takes it.

use crate::record::identity;
use crate::record::identity::Version;
use crate::replicas::replica::Replica;
use crate::replicas::{Event, Millis};

/// One thing that the API server has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A list of all events begins, which shows the state of etcd at this version.
    ListBegins(u64),
    /// A version of an event, in a list or as a line of the watch.
    Seen {
        /// By [`event`].
        event: Event,
        /// Its resourceVersion.
        version: u64,
    },
    /// The list is complete.
    ListEnds(u64),
    /// The API server has deleted an event: its hour is over.
    Deleted(Event),
    /// The watch has shown everything up to this version.
    Through(u64),
    /// A consistent read found that etcd is at this version.
    Confirmed(u64),
}

/// The event with this uid, as the ledger identifies it, so that what the pipeline settles is found here.
#[must_use]
pub fn event(uid: &str) -> Event {
    identity::of_uid(uid).0
}

/// A resourceVersion that can be compared. `None`: it is no number, or none that etcd makes.
#[must_use]
pub fn number(version: &str) -> Option<u64> {
    let number = version.parse::<u64>().ok().filter(|number| *number > 0)?;
    // The pipeline's version of the same text, which is a hash for what is no number.
    (Version::parse(version) == Version(number)).then_some(number)
}

/// What the changes did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Versions that were not known before.
    pub seen: u64,
    /// Unsettled versions that are no longer remembered: etcd was restored, or too many versions came.
    pub forgotten: u64,
}

/// Applies changes at one moment. `said` is up to where the Lease's word went when the read began whose version is to
/// confirm it: another word, observed since, may be newer than that read.
pub fn apply(changes: &[Change], replica: &mut Replica, said: Option<u64>, now: Millis) -> Applied {
    let mut applied = Applied::default();
    let mut through = None;
    for change in changes {
        match *change {
            Change::ListBegins(version) => {
                // The order of a list and of what was shown before matters: a lower list means another history.
                through.take().into_iter().for_each(|through| replica.advance(through));
                let before = replica.seen().unsettled_len();
                replica.begin_list(version);
                if replica.seen().is_empty() {
                    applied.forgotten += before as u64;
                }
            }
            Change::Seen { event, version } => applied.add(see(replica, event, version, now)),
            Change::ListEnds(version) => replica.end_list(version),
            Change::Deleted(event) => replica.delete(event),
            // Once for all lines that came together.
            Change::Through(version) => through = Some(version),
            Change::Confirmed(version) => {
                if replica.seen().said_through() == said {
                    replica.confirm(version);
                }
            }
        }
    }
    through.into_iter().for_each(|through| replica.advance(through));
    applied
}

fn see(replica: &mut Replica, event: Event, version: u64, now: Millis) -> Applied {
    let seen = replica.seen();
    if seen.event_of(version) == Some(event) {
        return Applied::default();
    }
    let (len, oldest) = (seen.len(), seen.unsettled().next());
    replica.see(event, version, now);
    // The bound on memory drops the lowest version.
    let is_full = replica.seen().len() == len;
    let is_gone = |(version, _)| replica.seen().event_of(version).is_none();
    Applied { seen: 1, forgotten: u64::from(is_full && oldest.is_some_and(is_gone)) }
}

impl Applied {
    fn add(&mut self, other: Self) {
        self.seen += other.seen;
        self.forgotten += other.forgotten;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replicas::election::Timing;
    use crate::replicas::lease::{LeaseContent, LeaseRecord};
    use crate::replicas::seen::Bounds;
    use crate::replicas::watermark::Watermark;

    const TIMING: Timing = Timing { lease: 15_000, renew_deadline: 10_000, retry: 2_000, watermark: 500 };

    /// A leader's word may be newer than the read that is to confirm it.
    #[test]
    fn a_read_says_nothing_of_a_word_that_was_observed_later() {
        for (said, is_asked) in [(Some(20), true), (Some(10), false), (None, false)] {
            let mut replica = Replica::new("me".to_owned(), TIMING, Bounds { versions: 10, exceptions: 8 });
            let watermark = Some(Watermark { through: 20, ..Watermark::default() });
            let content = LeaseContent {
                holder: "other".to_owned(),
                duration: 15_000,
                transitions: 0,
                renewals: 0,
                watermark,
                announced: Vec::new(),
            };
            replica.observe(Some(LeaseRecord { uid: String::new(), version: 1, content }), true, 0);
            apply(&[Change::Confirmed(15)], &mut replica, said, 0);
            let is_dropped = replica.seen().said_through().is_none();
            assert_eq!(is_dropped, is_asked, "it said {said:?} when the read began");
        }
    }

    #[test]
    fn what_is_dropped_unsettled_is_counted() {
        let mut replica = Replica::new("me".to_owned(), TIMING, Bounds { versions: 3, exceptions: 8 });
        let seen = |version| Change::Seen { event: u128::from(version), version };
        let mut at = |changes: &[Change]| apply(changes, &mut replica, None, 0);
        let some = Applied { seen: 3, forgotten: 0 };
        assert_eq!(
            at(&[Change::ListBegins(3), seen(1), seen(2), seen(3), seen(3), Change::ListEnds(3)]),
            some
        );
        assert_eq!(at(&[seen(4), Change::Through(4)]), Applied { seen: 1, forgotten: 1 });
        assert_eq!(at(&[Change::ListBegins(2), seen(2)]), Applied { seen: 1, forgotten: 3 });
    }

    #[test]
    fn only_numbers_of_etcd_are_versions_and_the_pipeline_agrees() {
        assert_eq!(number("7"), Some(7));
        for odd in ["", "0", "07", "+7", "-1", "7x", "abc", "18446744073709551615", "9223372036854775808"] {
            assert_eq!(number(odd), None, "{odd}");
        }
    }
}
