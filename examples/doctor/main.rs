//! `make doctor`: reads Fluent Bit's page of metrics and reports for each output whether events flow.
//!
//! - `options`: the command line
//! - `examine`: from the URL of the page to the report
//! - `page`: the metrics of a page
//! - `verdict`: what the metrics of an output mean; `waiting`, `cluster` and `reconcile` are parts of it
//! - `source`: follows the events at the API server; `inputs`: the inputs that should have read them
//! - `finding`: a line of the report
//!
//! The exit code is 0 when all is well, 1 when not, and 2 when the page or the command line cannot be read.

mod cluster;
mod examine;
mod finding;
mod inputs;
mod options;
mod page;
mod reconcile;
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
    // A closed stdout does not change the exit code.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::from(code)
}
