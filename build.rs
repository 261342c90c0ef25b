//! Keeps the image mapped once it is loaded, and makes the C header of what the host calls.

use std::env;
use std::path::PathBuf;

fn main() {
    // The host unloads the image at exit and on some reloads. Code that is still mapped cannot crash.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/abi/layout.rs");
    println!("cargo::rerun-if-changed=src/abi/output.rs");
    println!("cargo::rerun-if-changed=src/abi/filter.rs");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let header = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("event_gateway.h");
    // The checked-in copy is include/event_gateway.h: `make header` refreshes it, a test compares them.
    cbindgen::Builder::new()
        .with_config(config())
        .with_src(root.join("src/abi/layout.rs"))
        .with_src(root.join("src/abi/output.rs"))
        .with_src(root.join("src/abi/filter.rs"))
        .generate()
        .expect("the border can be written as C")
        .write_to_file(header);
}

fn config() -> cbindgen::Config {
    cbindgen::Config {
        language: cbindgen::Language::C,
        header: Some(
            "/* What Fluent Bit calls in event_gateway, and the structs it hands over. Made by build.rs. */"
                .to_owned(),
        ),
        include_guard: Some("EVENT_GATEWAY_H".to_owned()),
        no_includes: true,
        sys_includes: vec!["stddef.h".to_owned(), "stdint.h".to_owned()],
        cpp_compat: true,
        documentation_style: cbindgen::DocumentationStyle::C99,
        // No function names it: it is the longer form of what Register gets.
        export: cbindgen::ExportConfig {
            include: vec!["EgDefinitionWithMap".to_owned()],
            ..cbindgen::ExportConfig::default()
        },
        style: cbindgen::Style::Tag,
        usize_is_size_t: true,
        ..cbindgen::Config::default()
    }
}
