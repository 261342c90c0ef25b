//! The client of the gateway, against servers that behave and such that do not.
//! Each file here asks one question.

mod answers;
mod bounds;
mod credentials;
mod echoes;
mod expect;
#[path = "../support/posting.rs"]
mod posting;
mod proxies;
mod stale_answers;
#[path = "../support/mod.rs"]
mod support;
mod tls;
