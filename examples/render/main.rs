//! `cargo run --example render -- --format F < records.json`: what a format makes of records, without a cluster, a
//! gateway or a host.
//!
//! Records are JSON, one behind the other, as long or as short as they are. They are packed as the host's inputs pack
//! them, and take the plugin's own way from there: a list is taken apart, JSON in a string is read, and each record is
//! told from its bytes. The exit code is 1 when a record cannot be rendered, and 2 when there is none, or no format.

mod ask;
mod show;

use std::io::{Read, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut input = Vec::new();
    let shown = ask::settings(std::env::args().skip(1)).and_then(|settings| {
        std::io::stdin().read_to_end(&mut input).map_err(|error| error.to_string())?;
        show::show(&settings, &input)
    });
    let (text, trouble, code) = match shown {
        Ok(shown) => (shown.text, shown.trouble.join("\n"), u8::from(!shown.trouble.is_empty())),
        Err(why) => (Vec::new(), why, 2),
    };
    // A reader that has gone away does not change what was found.
    let _ = std::io::stdout().write_all(&text);
    if !trouble.is_empty() {
        let _ = writeln!(std::io::stderr(), "{trouble}");
    }
    ExitCode::from(code)
}
