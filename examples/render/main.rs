//! `cargo run --example render -- --format F < records.json`: what the plugin makes of records, without a cluster, a
//! gateway or a host.
//!
//! Records are JSON, one behind the other, as long or as short as they are. They are packed as the host's inputs pack
//! them, and go through the plugin's own stages: selection, ledger, redaction, format and batches, as the settings have
//! them. A setting that needs a gateway, a cluster or a file that stays is refused. The exit code is 1 when a record would
//! be dead-lettered, and 2 when there is none, or no format.

mod ask;
mod show;

use std::io::{Read, Write};
use std::process::ExitCode;

use show::Shown;

fn main() -> ExitCode {
    let (shown, code) = match shown() {
        Ok(shown) => {
            let code = u8::from(!shown.trouble.is_empty());
            (shown, code)
        }
        Err(why) => (Shown { text: Vec::new(), trouble: vec![why], notes: Vec::new() }, 2),
    };
    // A reader that has gone away does not change what was found.
    let _ = std::io::stdout().write_all(&shown.text);
    for line in shown.trouble.iter().chain(&shown.notes) {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
    ExitCode::from(code)
}

fn shown() -> Result<Shown, String> {
    let folder =
        tempfile::tempdir().map_err(|error| format!("no folder for what lasts as long as this: {error}"))?;
    let settings = ask::settings(std::env::args().skip(1), folder.path())?;
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).map_err(|error| error.to_string())?;
    show::show(&settings, &input)
}
