//! What of one event is on its way.

use super::verdict::Ticket;

/// The begun deliveries of one event, in the order they were begun. Nearly always it is one.
#[derive(Debug)]
pub(super) struct Ahead {
    pub(super) first: Ticket,
    pub(super) more: Vec<Ticket>,
    /// That of the newest version among them.
    pub(super) newest: Ticket,
}

impl Ahead {
    pub(super) fn all(&self) -> impl Iterator<Item = Ticket> {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }
}
