//! The recording in windows of time: what changed in the cluster, then the events that came meanwhile.
//!
//! So an event meets its objects much as they stood when it came, at any speed of the replay.

use std::time::Duration;

use serde_json::Value;

use crate::support::kube_api::{ALL, KubeApi};
use crate::support::recording::{self, Line, replay_into};

/// How long a change may take to reach the plugin.
const BOUND: Duration = Duration::from_secs(600);
/// A change that was sent is parsed, and shown with the plugin's next snapshot. Mostly it is within this time; an
/// event that meets the cluster as it stood a moment before is reported with that, and is no error.
const SHOWN: Duration = Duration::from_millis(14);

pub struct Window {
    changes: Vec<Line>,
    pub events: Vec<Value>,
}

/// Windows of so many milliseconds, those without events left to the next one.
pub fn windows(millis: u64) -> Vec<Window> {
    let mut windows = Vec::new();
    let (mut window, mut end) = (Window { changes: Vec::new(), events: Vec::new() }, millis);
    for line in recording::lines() {
        if line.ms >= end && !window.events.is_empty() {
            windows.push(std::mem::replace(&mut window, Window { changes: Vec::new(), events: Vec::new() }));
        }
        if line.ms >= end {
            end = line.ms - line.ms % millis + millis;
        }
        if line.resource == "events" { window.events.push(line.object) } else { window.changes.push(line) }
    }
    windows.push(window);
    windows
}

impl Window {
    /// Changes the cluster, and waits until the plugin should know of it.
    pub fn change(&self, api: &KubeApi) {
        for line in &self.changes {
            replay_into(api, line);
        }
        api.wait_for_sent(ALL, BOUND);
        std::thread::sleep(SHOWN);
    }
}
