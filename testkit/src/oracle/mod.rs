//! A second opinion on correlation: a random world of few names, and what a look through all of its lists says.
#![allow(clippy::unwrap_used, reason = "the world is ours, and holds what it should")]

pub mod answer;
pub mod model;
pub mod world;
