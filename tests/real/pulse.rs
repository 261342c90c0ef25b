//! Another input and output of the same host: as long as they beat, its engine is alive.

use std::time::{Duration, Instant};

use crate::support;
use support::fluent_bit::Config;
use support::gateway::TestGateway;

pub struct Pulse {
    taker: TestGateway,
    port: String,
    a_second: &'static str,
}

/// What arrived of it in some stretch of time.
#[derive(Debug)]
pub struct Beats {
    pub count: usize,
    pub longest_silence: Duration,
}

impl Pulse {
    /// Beats so many times a second.
    pub fn start(a_second: &'static str) -> Pulse {
        let taker = TestGateway::start();
        Pulse { port: taker.port().to_string(), taker, a_second }
    }

    /// The events of an API server to the plugin, with these settings, and the pulse around both.
    pub fn beside(&self, config: Config, kube_url: &str, event_gateway: &[(&str, &str)]) -> Config {
        let input = [("name", "dummy"), ("tag", "pulse"), ("rate", self.a_second)];
        // Without workers of its own this output runs on the engine too, as the input does.
        let output = [
            ("name", "http"),
            ("match", "pulse"),
            ("host", "127.0.0.1"),
            ("port", &self.port),
            ("format", "json"),
            ("workers", "0"),
        ];
        let to_us = [("name", "event_gateway"), ("match", "kube_events"), ("retry_limit", "no_limits")];
        config
            .section("INPUT", &input)
            .kubernetes_events(kube_url)
            .section("OUTPUT", &[&to_us[..], event_gateway].concat())
            .section("OUTPUT", &output)
    }

    pub fn between(&self, began: Instant, ended: Instant) -> Beats {
        let mut arrivals: Vec<_> = self.taker.requests().iter().map(|request| request.arrived).collect();
        arrivals.retain(|arrived| (began..=ended).contains(arrived));
        let edges = [&[began][..], &arrivals, &[ended]].concat();
        let longest_silence = edges.windows(2).map(|pair| pair[1] - pair[0]).max().expect("two edges");
        Beats { count: arrivals.len(), longest_silence }
    }
}
