//! The variants that are compared: the same input with different filters and outputs.

use std::path::Path;

use crate::support::fluent_bit::Config;
use crate::support::host::MiniHost;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The bare host, which only reads and parses the file.
    Null,
    Http {
        gzip: bool,
    },
    LuaHttp,
    Gateway(Gateway),
}

/// This plugin; it always removes repeated events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gateway {
    format: &'static str,
    gzip: bool,
    correlate: bool,
    on_disk: bool,
}

const PLAIN: Gateway = Gateway { format: "native", gzip: true, correlate: false, on_disk: false };
const CORRELATED: Gateway = Gateway { correlate: true, ..PLAIN };

impl Variant {
    /// The baseline of the others.
    pub const HTTP: Variant = Variant::Http { gzip: true };

    pub const ALL: [Variant; 9] = [
        Variant::Null,
        Variant::HTTP,
        Variant::LuaHttp,
        Variant::Gateway(PLAIN),
        Variant::Gateway(CORRELATED),
        Variant::Gateway(Gateway { format: "cloudevents_batch", ..CORRELATED }),
        Variant::Gateway(Gateway { on_disk: true, ..CORRELATED }),
        // The host compresses more than this plugin; the variants without compression show the rest of the cost.
        Variant::Http { gzip: false },
        Variant::Gateway(Gateway { gzip: false, ..PLAIN }),
    ];

    pub fn name(self) -> String {
        format!("{}: {}", self.title(), self.detail())
    }

    pub fn title(self) -> &'static str {
        match self {
            Variant::Null => "bare host",
            Variant::Http { .. } => "out_http",
            Variant::LuaHttp => "Lua filter, out_http",
            Variant::Gateway(_) => "event_gateway",
        }
    }

    /// What the variant does.
    pub fn detail(self) -> String {
        let packed = if self.packs() { "gzip" } else { "not compressed" };
        match self {
            Variant::Null => "reads, parses, throws away".into(),
            Variant::Http { .. } => format!("JSON lines, {packed}"),
            Variant::LuaHttp => format!("de-duplicated, JSON lines, {packed}"),
            Variant::Gateway(Gateway { format, correlate, on_disk, .. }) => {
                let correlate = if correlate { ", correlated" } else { "" };
                let on_disk = if on_disk { ", ledger on disk" } else { "" };
                format!("de-duplicated{correlate}, {format}, {packed}{on_disk}")
            }
        }
    }

    pub fn packs(self) -> bool {
        !matches!(
            self,
            Variant::Null | Variant::Http { gzip: false } | Variant::Gateway(Gateway { gzip: false, .. })
        )
    }

    pub fn correlates(self) -> bool {
        matches!(self, Variant::Gateway(Gateway { correlate: true, .. }))
    }

    /// Whether a record that was seen before reaches the sink again.
    pub fn repeats(self) -> bool {
        matches!(self, Variant::Null | Variant::Http { .. })
    }

    /// The filter and the output; the file `dedup.lua` is in this folder.
    pub fn add_to(self, config: Config, folder: &Path, sink_port: u16, kube_url: &str) -> Config {
        let port = sink_port.to_string();
        // One JSON document per line, as in the plugin's native format.
        let mut http =
            vec![("host", "127.0.0.1"), ("port", &*port), ("uri", "/events"), ("format", "json_lines")];
        if self.packs() {
            http.push(("compress", "gzip"));
        }
        match self {
            Variant::Null => config.output("null", &[]),
            Variant::Http { .. } => config.output("http", &http),
            Variant::LuaHttp => {
                config.filter("lua", &[("script", "dedup.lua"), ("call", "dedup")]).output("http", &http)
            }
            Variant::Gateway(Gateway { format, gzip, correlate, on_disk }) => {
                let (endpoint, ledger) = (format!("http://127.0.0.1:{port}/events"), folder.join("ledger"));
                let (ledger, compress) = (ledger.to_string_lossy(), if gzip { "gzip" } else { "none" });
                let mut keys = vec![
                    ("endpoint", &*endpoint),
                    ("format", format),
                    ("compress", compress),
                    ("cluster_name", "prod-eu"),
                ];
                if correlate {
                    keys.push(("kube_url", kube_url));
                }
                if on_disk {
                    keys.push(("state_file", &*ledger));
                }
                config.output_plugin(&MiniHost::plugin_path()).event_gateway(&keys)
            }
        }
    }
}
