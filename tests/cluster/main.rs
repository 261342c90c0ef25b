//! How a cluster is followed, and whether what records say of it is true.

mod correlation_model;
mod election;
mod following;
mod lateness;
mod topology_feeding;
mod verification;
