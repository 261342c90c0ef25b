//! What the benches have in common: real events, and the work of each stage on them.

pub mod recorded;
pub mod work;
