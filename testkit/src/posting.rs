//! The gateway's client under test, made from settings as a user writes them.
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use event_gateway::clock;
use event_gateway::config::{self, ConfigError, FormatName, Settings};
use event_gateway::format::Renderer;
use event_gateway::gateway::{Packer, Post, Transport, transport};
use event_gateway::log::{HostLog, Level};
use event_gateway::metrics::Metrics;
use event_gateway::response::Disposition;

pub struct Client {
    pub gateway: Box<dyn Transport>,
    packer: Packer,
    pub metrics: Arc<Metrics>,
    pub log: Arc<HostLog>,
}

pub fn settings(endpoint: &str, properties: &[(&str, &str)]) -> Settings {
    let property = |key: &str| match key {
        "endpoint" => Some(endpoint.as_bytes().to_vec()),
        _ => properties.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_bytes().to_vec()),
    };
    let readable = |_: &Path| Ok(());
    config::read(&config::Source {
        property: &property,
        readable: &readable,
        contents: &|path| std::fs::read_to_string(path).map_err(config::PathError::Io),
        writable: &|_| Ok(()),
        environment: &|_| None,
    })
    .expect("good settings")
}

pub fn open(endpoint: &str, properties: &[(&str, &str)]) -> Client {
    try_open(endpoint, properties).unwrap_or_else(|errors| panic!("{errors:?}"))
}

pub fn try_open(endpoint: &str, properties: &[(&str, &str)]) -> Result<Client, Vec<ConfigError>> {
    let (metrics, log) = (Arc::<Metrics>::default(), Arc::<HostLog>::default());
    let settings = settings(endpoint, properties);
    let gateway = transport::open(&settings, &metrics, &log)?;
    Ok(Client { gateway, packer: Packer::new(settings.compress), metrics, log })
}

impl Client {
    pub fn post(&mut self) -> Disposition {
        self.post_body(b"{\"id\":\"a.1\"}\n")
    }

    pub fn post_body(&mut self, body: &[u8]) -> Disposition {
        self.post_to(FormatName::Native, body)
    }

    /// In a format whose service responds in its own way.
    pub fn post_to(&mut self, format: FormatName, body: &[u8]) -> Disposition {
        let renderer = Renderer::new(format, "").expect("a format");
        let body = self.packer.pack(body).expect("a body");
        self.gateway.post(&Post {
            body,
            content_type: "application/x-ndjson",
            idempotency_key: "batch-1",
            format: renderer.format(),
            records: 1,
        })
    }

    /// Does all that is due now.
    pub fn settle(&mut self) {
        while self.gateway.idle() == Some(Duration::ZERO) {}
    }

    /// What was said to the log since the last look.
    pub fn log(&self) -> Vec<(Level, String)> {
        self.log.drain(clock::monotonic()).into_iter().map(|line| (line.level, line.text)).collect()
    }
}

pub fn accepted(disposition: &Disposition) -> bool {
    matches!(disposition, Disposition::Accepted { .. })
}

/// The reason of a retry; panics for any other disposition.
pub fn retry(disposition: Disposition) -> String {
    match disposition {
        Disposition::Retry { why, .. } => why,
        other => panic!("no retry: {other:?}"),
    }
}

/// Neither compressible nor small.
pub fn noise(len_bytes: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..len_bytes).map(|_| next()).collect()
}
