//! The deliveries of one event that have no outcome yet.

use super::verdict::Ticket;

/// In the order in which they were begun. Nearly always there is one.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) first: Ticket,
    pub(super) more: Vec<Ticket>,
    /// The delivery of the newest version among them.
    pub(super) newest: Ticket,
}

impl Begun {
    pub(super) fn all(&self) -> impl Iterator<Item = Ticket> {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }
}
