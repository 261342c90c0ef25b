//! Whether what a record says of Services is right, whenever it met the cluster.
//!
//! An event and the watches that tell of its object are on their way at the same time. So a record may say what was
//! true a moment before or after, or that the object is not known yet. But whatever it names has to have stood behind
//! its object at some time of the recording.

use std::collections::{BTreeMap, BTreeSet};

use event_gateway::correlate::Correlation;
use serde_json::Value;

use crate::support::chunk;
use crate::support::recording;
use crate::support::replay::{Replay, about};

/// Namespace and name.
type Service = (String, String);

/// What is wrong, in a sentence for each kind of error.
pub fn errors(events: &[Value], records: &[Value]) -> Vec<String> {
    let ever = ever_behind(events);
    let (mut strange, mut odd) = (0, 0);
    for record in records {
        let named = named(record);
        let id = record["id"].as_str().unwrap_or_default();
        let known = ever.get(id);
        strange +=
            usize::from(!named.iter().all(|service| known.is_some_and(|known| known.contains(service))));
        let fits = match record["correlation"].as_str() {
            Some("matched") => !named.is_empty(),
            Some("stale") => true,
            Some("none" | "unknown" | "foreign" | "not_ready") => named.is_empty(),
            _ => false,
        };
        odd += usize::from(!fits);
    }
    let said = [
        (strange, "records name a Service that never stood behind their object."),
        (odd, "records say one thing in correlation and another in services."),
    ];
    said.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
}

fn named(record: &Value) -> BTreeSet<Service> {
    let services = record["services"].as_array().map_or(&[][..], |services| services);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    services.iter().map(|one| (text(&one["namespace"]), text(&one["name"]))).collect()
}

/// By the id of each event all Services that stood behind its object after any of the changes.
fn ever_behind(events: &[Value]) -> BTreeMap<String, BTreeSet<Service>> {
    let mut replay = Replay::new();
    // Many events about one object have one answer.
    let mut of_objects: BTreeMap<String, (&Value, BTreeSet<Service>)> = BTreeMap::new();
    let object = |event: &Value| format!("{} {}", event["involvedObject"], event["metadata"]["namespace"]);
    for event in events {
        of_objects.entry(object(event)).or_insert((event, BTreeSet::new()));
    }
    for line in recording::lines().filter(|line| line.resource != "events") {
        replay.apply(&line);
        let index = replay.index();
        for (event, services) in of_objects.values_mut() {
            let impact = replay.correlator.correlate(&index, &about(event));
            if impact.correlation != Correlation::None {
                services.extend(
                    impact.services.iter().map(|one| (one.namespace.to_string(), one.name.to_string())),
                );
            }
        }
    }
    let services_of = |event: &Value| of_objects[&object(event)].1.clone();
    events.iter().map(|event| (chunk::event_id(event), services_of(event))).collect()
}
