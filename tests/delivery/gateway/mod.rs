//! The client of the gateway, against servers that behave and such that do not.
//! Each file here asks one question.

mod answers;
mod bounds;
mod credentials;
mod echoes;
mod expect;
mod proxies;
mod stale_answers;
mod tls;

use testkit as support;
use testkit::posting;
