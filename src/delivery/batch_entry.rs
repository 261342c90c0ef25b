//! [`BatchEntry`]: what the steps of a delivery know of a record beside its rendered text.

use std::time::SystemTime;

use crate::format::Adjusted;
use crate::ledger::Ticket;

/// What a batch knows of each of its records beside the rendered text.
#[derive(Debug)]
pub struct BatchEntry<'a> {
    /// The delivery that the record's outcome ends.
    pub ticket: Ticket,
    /// The record as a dead letter holds it.
    pub body: &'a [u8],
    /// The event's own time, if it has one.
    pub happened: Option<SystemTime>,
    /// What was changed in it for its receiver.
    pub adjusted: Adjusted,
    /// The chunk it came in.
    pub chunk: usize,
    /// Other chunks that hold the same record.
    pub sharing: Vec<usize>,
}
