//! `make doctor`: what it says of a mini host, and of a real one.

#[path = "../../examples/doctor/examine.rs"]
mod examine;
mod mini_host;
#[path = "../../examples/doctor/page.rs"]
mod page;
#[path = "../support/real.rs"]
mod real;
mod real_host;
#[path = "../support/mod.rs"]
mod support;
#[path = "../../examples/doctor/verdict.rs"]
mod verdict;
