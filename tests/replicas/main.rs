//! Do two replicas deliver everything, and only one of them at a time?

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may fail, and says its seed"
)]

/// The protocol under the name by which the model uses it: a changed copy takes its place in `mutants`.
mod protocol {
    pub use event_gateway::replicas::*;
}

mod model;
mod mutants;
mod states;
mod walks;
