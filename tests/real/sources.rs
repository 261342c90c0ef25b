//! Is each configuration of docs/sources.md one that a real Fluent Bit takes?

use std::path::Path;

use crate::{real, support};
use real::on_every_host;
use support::fluent_bit::Config;
use support::host::MiniHost;
use support::service_impact::Image;

/// The configurations of the page, in order.
fn configurations() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sources.md");
    let text = std::fs::read_to_string(page).expect("the page");
    let blocks = text.split("```ini\n").skip(1);
    blocks.map(|block| block.split("```").next().expect("an end").to_owned()).collect()
}

/// The sections of a configuration without those of an output.
fn without(config: &str, output: &str) -> String {
    let mut kept = String::new();
    for section in config.split("[OUTPUT]").enumerate() {
        match section {
            (0, head) => kept.push_str(head),
            (_, body) if body.split_whitespace().nth(1) == Some(output) => {}
            (_, body) => kept.extend(["[OUTPUT]", body]),
        }
    }
    kept
}

/// The output of the page that this build of the host has not, if that is what it complains of.
fn missing(said: &str) -> Option<String> {
    let before = said.split("' tried to instance a plugin name that doesn't exist").next()?;
    (before.len() < said.len()).then(|| before.rsplit('\'').next().unwrap_or_default().to_owned())
}

#[test]
fn a_host_takes_every_one_of_them() {
    let configurations = configurations();
    assert_eq!(configurations.len(), 5, "one for each source");
    on_every_host(|fluent_bit, folder| {
        let image = Image::new();
        // Writes plugins.conf and parsers.conf into the folder.
        let plugins =
            Config::new(folder).output_plugin(&MiniHost::plugin_path()).filter_plugin(&image.filter());
        drop(plugins.text());
        std::fs::write(folder.join("parsers.conf"), "[PARSER]\n    name json\n    format json\n")
            .expect("parsers");
        for config in &configurations {
            let state = folder.join("state");
            std::fs::create_dir_all(&state).expect("a folder");
            let here = config.replace("/fluent-bit/state", &state.to_string_lossy());
            let (mut code, mut said) = fluent_bit.dry_run(&here, folder);
            // Not every build has every output.
            if let Some(output) = missing(&said) {
                (code, said) = fluent_bit.dry_run(&without(&here, &output), folder);
            }
            assert!(said.contains("configuration test is successful"), "{code:?}: {said}\n{here}");
        }
    });
}
