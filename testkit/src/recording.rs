//! The recording of a cluster in motion: every change of its objects and every event, in the order in which
//! they arrived, so that an event meets its objects as they stood at its time.

use serde_json::Value;

use super::chunk;
use super::kube_api::KubeApi;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was there before the recording began.
    Listed,
    Added,
    Modified,
    Deleted,
}

#[derive(Clone, Debug)]
pub struct Line {
    /// Milliseconds since the recording began.
    pub ms: u64,
    /// As in paths: `pods`, `endpointslices`.
    pub resource: String,
    pub change: Change,
    /// Without managedFields; what was listed has neither kind nor apiVersion, as the items of a list.
    pub object: Value,
}

/// All lines, in order of arrival. What was listed comes first and in no order; then versions rise within a resource,
/// but as the resources were watched side by side, a line may carry a version below that of the line before it.
pub fn lines() -> impl Iterator<Item = Line> {
    chunk::recording().into_iter().map(|mut line| {
        let change = match line["type"].as_str() {
            Some("LISTED") => Change::Listed,
            Some("ADDED") => Change::Added,
            Some("MODIFIED") => Change::Modified,
            Some("DELETED") => Change::Deleted,
            other => panic!("no kind of change: {other:?}"),
        };
        let ms = line["ms"].as_u64().expect("milliseconds");
        let resource = line["resource"].as_str().expect("a resource").to_owned();
        Line { ms, resource, change, object: line["object"].take() }
    })
}

/// All lines in the order in which they were written, which differs from that of arrival by 37 ms at most. Replayed
/// so, every object keeps its recorded version.
pub fn in_order_of_version() -> Vec<Line> {
    let mut lines: Vec<Line> = lines().collect();
    lines.sort_by_key(|line| {
        let version = line.object["metadata"]["resourceVersion"].as_str();
        version.and_then(|text| text.parse::<u64>().ok()).expect("a version")
    });
    lines
}

/// Brings a line to the server and its watches, and tells the object as the server has it: with the recorded
/// resourceVersion where that is above the server's newest, else with the next one.
pub fn replay_into(api: &KubeApi, line: &Line) -> Value {
    match line.change {
        Change::Deleted => api.remove(&line.resource, line.object.clone()),
        _ => api.put(&line.resource, line.object.clone()),
    }
}

/// An API server with the recorded cluster as it stood after so many seconds, without its events.
pub fn cluster_after(seconds: u64) -> KubeApi {
    let api = KubeApi::start();
    let earlier = |line: &Line| line.resource != "events" && line.ms < seconds.saturating_mul(1_000);
    for line in lines().filter(earlier) {
        replay_into(&api, &line);
    }
    api
}
