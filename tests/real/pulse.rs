//! Another input and output of the same host: as long as they beat, its engine is alive.

use std::time::{Duration, Instant};

use crate::support;
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

    pub fn input(&self) -> [(&str, &str); 3] {
        [("name", "dummy"), ("tag", "pulse"), ("rate", self.a_second)]
    }

    /// Without workers of its own this output runs on the engine too, as the input does.
    pub fn output(&self) -> [(&str, &str); 6] {
        [
            ("name", "http"),
            ("match", "pulse"),
            ("host", "127.0.0.1"),
            ("port", &self.port),
            ("format", "json"),
            ("workers", "0"),
        ]
    }

    pub fn between(&self, began: Instant, ended: Instant) -> Beats {
        let mut arrivals: Vec<_> = self.taker.requests().iter().map(|request| request.arrived).collect();
        arrivals.retain(|arrived| (began..=ended).contains(arrived));
        let edges = [&[began][..], &arrivals, &[ended]].concat();
        let longest_silence = edges.windows(2).map(|pair| pair[1] - pair[0]).max().expect("two edges");
        Beats { count: arrivals.len(), longest_silence }
    }
}
