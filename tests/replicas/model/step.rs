//! [`Action`]: what can happen next.

use Action::*;

/// One step. The number is the index of the replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The next version is made.
    Make,
    Tick,
    /// The verification lists, or shows the next version.
    Verify(usize),
    /// The source brings the next version, or skips one that is overtaken.
    Read(usize),
    Skip(usize),
    /// The replica does its next step at the API server.
    Lease(usize),
    /// The response to its write comes.
    Written(usize),
    /// The watch shows the Lease, or, from a cache that is behind, the one before.
    Observe(usize),
    ObserveEarlier(usize),
    /// The replica decides to send a version.
    Check(usize, usize),
    Send(usize),
    /// The request comes to the gateway; the response comes back.
    Arrive(usize),
    Respond(usize),
    /// The request is given up at its deadline.
    GiveUp(usize),
    /// It is in doubt whether a former leader sent the version, so it is dead-lettered.
    DeadLetter(usize, usize),
    /// A version in hand gets its OK by the word of the Lease.
    Release(usize, usize),
    /// SIGTERM: it sends nothing more, releases the Lease and starts anew.
    Stop(usize),
    Restart(usize),
    // Faults.
    Kill(usize),
    Pause(usize),
    CutOff(usize),
    /// The write is stored and its response lost.
    LoseWrite(usize),
    LoseLease,
    /// The partition ends. This is no fault.
    Heal(usize),
}

impl Action {
    pub fn is_fault(&self) -> bool {
        self.fault().is_some()
    }

    /// Which fault it is.
    pub fn fault(&self) -> Option<u64> {
        match self {
            Kill(_) => Some(0),
            Stop(_) => Some(1),
            Pause(_) => Some(2),
            CutOff(_) => Some(3),
            LoseWrite(_) => Some(4),
            LoseLease => Some(5),
            _ => None,
        }
    }
}
