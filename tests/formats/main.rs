//! How records are read, and how they are written in each format.

#[path = "../interpose/allocations.rs"]
mod allocations;
#[path = "../../fuzz/bodies/mod.rs"]
mod bodies;

mod decoding;
mod presets;
mod templates;
