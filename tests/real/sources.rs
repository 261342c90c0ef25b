//! Is each configuration of docs/sources.md, docs/filter.md and README.md one that a real Fluent Bit takes?

use std::path::Path;

use crate::{real, support};
use real::on_every_host;
use support::fluent_bit::Config;
use support::host::MiniHost;
use support::service_impact::Image;

/// The whole configurations of a document, in order: those with an input.
fn configurations(document: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = std::fs::read_to_string(page).expect("the page");
    let blocks = text.split("```ini\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().expect("an end").to_owned());
    blocks.filter(|block| block.contains("[INPUT]")).collect()
}

/// The configuration without the sections of a plugin: without its inputs it has one that every host has.
fn without(config: &str, plugin: &str) -> String {
    let starts = config.match_indices("\n[").map(|(at, _)| at + 1).chain([config.len()]);
    let mut from = 0;
    let mut kept = String::new();
    for to in starts {
        let section = &config[from..to];
        from = to;
        let mut words = section.split_whitespace();
        match (words.next(), words.nth(1)) {
            (Some("[INPUT]"), Some(name)) if name == plugin => {
                kept += "[INPUT]\n    name dummy\n    tag dummy\n"
            }
            (_, Some(name)) if name == plugin => {}
            _ => kept += section,
        }
    }
    kept
}

/// The plugin of the page that this build of the host has not, if that is what it complains of.
fn missing(said: &str) -> Option<String> {
    let before = said.split("' tried to instance a plugin name that").next()?;
    (before.len() < said.len()).then(|| before.rsplit('\'').next().unwrap_or_default().to_owned())
}

#[test]
fn a_plugin_that_is_missing_is_left_out_of_a_configuration() {
    let config = "[SERVICE]\n    a b\n[INPUT]\n    name kafka\n    tag t\n[OUTPUT]\n    name s3\n[OUTPUT]\n    name x\n";
    let said = missing("[error] [config] section 'kafka' tried to instance a plugin name that doesn't exist");
    assert_eq!(said.as_deref(), Some("kafka"));
    let input = config.replace("name kafka\n    tag t", "name dummy\n    tag dummy");
    assert_eq!(without(config, "kafka"), input);
    assert_eq!(without(config, "s3"), config.replace("[OUTPUT]\n    name s3\n", ""));
}

#[test]
fn a_host_takes_every_documented_source() {
    let [sources, readme, filter] = ["docs/sources.md", "README.md", "docs/filter.md"].map(configurations);
    assert_eq!(
        (sources.len(), readme.len(), filter.len()),
        (15, 1, 1),
        "one for each source; the output's; the filter's"
    );
    on_every_host(|fluent_bit, folder| {
        let image = Image::new();
        // Writes plugins.conf and parsers.conf into the folder.
        let plugins =
            Config::new(folder).output_plugin(&MiniHost::plugin_path()).filter_plugin(&image.filter());
        drop(plugins.text());
        std::fs::write(folder.join("parsers.conf"), "[PARSER]\n    name json\n    format json\n")
            .expect("parsers");
        for config in sources.iter().chain(&readme).chain(&filter) {
            let state = folder.join("state");
            std::fs::create_dir_all(&state).expect("a folder");
            let here = config.replace("/fluent-bit/state", &state.to_string_lossy());
            let mut here = here;
            let (mut code, mut said) = fluent_bit.dry_run(&here, folder);
            // Not every build has every plugin.
            while let Some(plugin) = missing(&said) {
                let less = without(&here, &plugin);
                assert_ne!(less, here, "{said}");
                here = less;
                (code, said) = fluent_bit.dry_run(&here, folder);
            }
            assert!(said.contains("configuration test is successful"), "{code:?}: {said}\n{here}");
        }
    });
}
