//! A configuration of Fluent Bit in classic mode, with the files it refers to in the same folder.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// It flushes often and retries soon (after 2 to 3 seconds: the host adds one to `base`).
pub struct Config {
    folder: PathBuf,
    service: Vec<(String, String)>,
    plugins: String,
    sections: String,
}

impl Config {
    pub fn new(folder: &Path) -> Self {
        let config = Config {
            folder: folder.into(),
            service: Vec::new(),
            plugins: String::new(),
            sections: String::new(),
        };
        let defaults =
            [("flush", "0.2"), ("grace", "2"), ("log_level", "info"), ("parsers_file", "parsers.conf")];
        let config = defaults.into_iter().fold(config, |config, (key, value)| config.service(key, value));
        config.write("parsers.conf", "[PARSER]\n    name   whole_json\n    format json\n");
        config.service("scheduler.base", "1").service("scheduler.cap", "2")
    }

    /// Sets a key of the section SERVICE, in place of an earlier value.
    pub fn service(mut self, key: &str, value: &str) -> Self {
        self.service.retain(|(known, _)| !known.eq_ignore_ascii_case(key));
        self.service.push((key.into(), value.into()));
        self
    }

    pub fn hot_reload(self) -> Self {
        self.service("hot_reload", "on")
    }

    /// Loads the image as the output plugin. The host takes a file for a proxy plugin unless its
    /// name begins with `flb-`, so the image gets its name by a link.
    pub fn output_plugin(self, image: &Path) -> Self {
        self.plugin(image, "out_event_gateway.so")
    }

    /// Loads the image as the native filter, whose symbol the host derives from the file's name.
    pub fn filter_plugin(self, image: &Path) -> Self {
        self.plugin(image, "flb-filter_service_impact.so")
    }

    fn plugin(mut self, image: &Path, name: &str) -> Self {
        let (image, link) = (fs::canonicalize(image).expect("a built plugin"), self.folder.join(name));
        let _ = fs::remove_file(&link); // of an earlier configuration in the same folder
        symlink(image, &link).expect("a link to the plugin");
        let _ = writeln!(self.plugins, "    path {}", link.display());
        let text = format!("[PLUGINS]\n{}", self.plugins);
        self.write("plugins.conf", &text);
        self.service("plugins_file", "plugins.conf")
    }

    /// Any section: "INPUT", "FILTER", "OUTPUT".
    pub fn section<K: AsRef<str>, V: AsRef<str>>(mut self, name: &str, properties: &[(K, V)]) -> Self {
        let _ = writeln!(self.sections, "\n[{name}]");
        for (key, value) in properties {
            let _ = writeln!(self.sections, "    {} {}", key.as_ref(), value.as_ref());
        }
        self
    }

    /// `kubernetes_events` without `db`. The token must be there, even for plain HTTP. Recorded
    /// events are old, so the retention is ten years.
    pub fn kubernetes_events(self, kube_url: &str) -> Self {
        self.kubernetes_events_with(kube_url, &[])
    }

    /// The same with more properties.
    pub fn kubernetes_events_with(self, kube_url: &str, more: &[(&str, &str)]) -> Self {
        self.write("token", "a-token");
        let token_file = self.folder.join("token");
        let properties = [
            ("name", "kubernetes_events"),
            ("tag", "kube_events"),
            ("kube_url", kube_url),
            ("kube_token_file", &token_file.to_string_lossy()),
            ("kube_retention_time", "3650d"),
            ("interval_sec", "0"),
            ("interval_nsec", "200000000"),
        ];
        self.section("INPUT", &[&properties, more].concat())
    }

    /// A file with an event a line, read from its beginning at every start, and then followed.
    pub fn tail(self, ndjson: &Path) -> Self {
        let path = ndjson.to_string_lossy();
        let properties = [
            ("name", "tail"),
            ("tag", "tail_events"),
            ("path", &*path),
            ("parser", "whole_json"),
            ("read_from_head", "on"),
            ("buffer_max_size", "1M"),
        ];
        self.section("INPUT", &properties)
    }

    /// The output `event_gateway`, for all tags and with `retry_limit no_limits`.
    pub fn event_gateway(self, properties: &[(&str, &str)]) -> Self {
        self.output("event_gateway", properties)
    }

    /// Any output, in the same way.
    pub fn output(self, name: &str, properties: &[(&str, &str)]) -> Self {
        let always = [("name", name), ("match", "*"), ("retry_limit", "no_limits")];
        let all = [&always[..], properties].concat();
        self.section("OUTPUT", &all)
    }

    /// A filter of the pipeline, for all tags.
    pub fn filter(self, name: &str, properties: &[(&str, &str)]) -> Self {
        let all = [&[("name", name), ("match", "*")][..], properties].concat();
        self.section("FILTER", &all)
    }

    /// The output `file`: each record's body as a line of JSON in the file `out` of this folder.
    pub fn file_output(self) -> Self {
        let folder = self.folder.to_string_lossy().into_owned();
        self.output("file", &[("path", &folder), ("file", "out"), ("format", "plain")])
    }

    /// The text for `FluentBit::start`.
    pub fn text(&self) -> String {
        let mut text = String::from("[SERVICE]\n");
        for (key, value) in &self.service {
            let _ = writeln!(text, "    {key} {value}");
        }
        text + &self.sections
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).expect("a file beside the configuration");
    }
}
