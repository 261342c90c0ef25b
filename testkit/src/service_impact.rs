//! The filter in a mini host, under the name by which hosts know it.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::host::{Build, Filtered, MiniHost, Outcome, Place};

pub const EACH: [Place; 2] = [Place::Pipeline, Place::Processor];

/// One image under its two names, as `make` leaves it.
pub struct Image {
    folder: TempDir,
}

impl Image {
    pub fn new() -> Image {
        let folder = tempfile::tempdir().expect("a folder");
        symlink(MiniHost::plugin_path(), folder.path().join("out_event_gateway.so")).expect("a link");
        symlink("out_event_gateway.so", folder.path().join("flb-filter_service_impact.so")).expect("a link");
        Image { folder }
    }

    pub fn output(&self) -> PathBuf {
        self.folder.path().join("out_event_gateway.so")
    }

    pub fn filter(&self) -> PathBuf {
        self.folder.path().join("flb-filter_service_impact.so")
    }
}

/// A host that has opened the filter, and the files it has it from.
pub fn loaded(build: Build, prepare: impl FnOnce(&mut Command)) -> (MiniHost, Image) {
    let image = Image::new();
    let mut host = MiniHost::start_empty(build, prepare);
    assert_eq!(host.load_filter(&image.filter()).name, "service_impact");
    (host, image)
}

/// The same, with a live filter "f" of these settings. Its start waits for the first look at a cluster as long as it
/// takes, where nothing else is asked for.
pub fn filtering(build: Build, settings: &[(&str, &str)]) -> (MiniHost, Image) {
    let (mut host, image) = loaded(build, |_| {});
    set(&mut host, "f", &[("topology_wait", "5m")]);
    set(&mut host, "f", settings);
    assert_eq!(host.init_filter("f"), 0);
    (host, image)
}

pub fn set(host: &mut MiniHost, filter: &str, settings: &[(&str, &str)]) {
    for (key, value) in settings {
        host.set_filter(filter, key, value);
    }
}

/// What the filter "f" leaves of a chunk: the same bytes where it does not touch it.
pub fn left_of(host: &mut MiniHost, chunk: &[u8], place: Place) -> Vec<u8> {
    match host.filter("f", "kube.events", chunk, place) {
        Filtered { outcome: Outcome::Modified(bytes), .. } => bytes,
        Filtered { outcome: Outcome::NoTouch, .. } => chunk.to_vec(),
        Filtered { outcome: Outcome::Yielded, .. } => panic!("the filter yielded"),
    }
}
