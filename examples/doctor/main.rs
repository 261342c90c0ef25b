//! `make doctor`: do events flow? Reads Fluent Bit's page of metrics and says so, output by output.
//!
//! - `options`: the words of the command line
//! - `examine`: the page, from its URL to the report
//! - `page`: the figures of a page
//! - `verdict`: what the figures of an output mean; `waiting` and `cluster` have two parts of it
//! - `source`: follows the events at the API server; `inputs`: which inputs should have read them
//! - `finding`: a line of the report
//!
//! The exit code is 0 when all is well, 1 when not, and 2 when the page or the command line cannot be read.

mod cluster;
mod examine;
mod finding;
mod inputs;
mod options;
mod page;
mod source;
mod verdict;
mod waiting;

use std::io::Write;
use std::process::ExitCode;

/// Set in every pod.
const POD_VARIABLE: &str = "KUBERNETES_SERVICE_HOST";

fn main() -> ExitCode {
    let is_pod = std::env::var_os(POD_VARIABLE).is_some();
    let (text, code) = match options::Options::read(std::env::args().skip(1), is_pod) {
        Ok(options) => examine::examine(&options),
        Err(why) => (why, examine::UNREADABLE),
    };
    // A reader that has gone away does not change what was found.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::from(code)
}
