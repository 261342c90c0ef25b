//! A second opinion on correlation: a random world of few names, and what a look through all of its lists says.

pub mod answer;
pub mod model;
pub mod world;
