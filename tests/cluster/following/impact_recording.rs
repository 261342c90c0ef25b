//! Which Services does each event of a real cluster touch?
//!
//! The recording is replayed in its order: each event meets the objects as they stood, or had just gone,
//! when it arrived. The golden file holds the answer to every event; `UPDATE_GOLDEN=1` writes it anew, and
//! a person reads the difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::support;
use support::recording::{self, Change};
use support::replay::{Replay, about, shown};

#[test]
fn every_event_of_the_recording_touches_what_the_golden_file_says() {
    let mut text = String::new();
    Replay::new().run(|line, correlator, index| {
        let impact = correlator.correlate(index, &about(&line.object));
        writeln!(text, "{:>6} {}", line.ms, shown(&line.object, &impact)).expect("a string");
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/impact.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &text).expect("the golden file");
    }
    let golden = std::fs::read_to_string(path).expect("the golden file");
    for (number, (now, then)) in text.lines().zip(golden.lines()).enumerate() {
        assert_eq!(now, then, "line {} of {path}", number + 1);
    }
    assert_eq!(text.lines().count(), golden.lines().count());
}

/// What a search through the whole recording finds: a pod had a Service if ever a slice held it. A pod that
/// outlives its Service has none any more.
#[test]
fn no_event_of_a_pod_that_had_a_service_is_left_without_it() {
    let mut held: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut ended: BTreeMap<String, u64> = BTreeMap::new();
    for line in recording::lines() {
        let name = line.object["metadata"]["name"].as_str().expect("a name");
        if line.resource == "services" && line.change == Change::Deleted {
            ended.insert(name.to_owned(), line.ms);
        }
        let service = line.object["metadata"]["labels"]["kubernetes.io/service-name"].as_str().unwrap_or("");
        for endpoint in line.object["endpoints"].as_array().into_iter().flatten() {
            // Some events name their pod without its uid.
            for key in ["uid", "name"] {
                if let Some(pod) = endpoint["targetRef"][key].as_str() {
                    held.entry(pod.to_owned()).or_default().insert(service.to_owned());
                }
            }
        }
    }
    let (mut events, mut gone) = (0, 0);
    Replay::new().run(|line, correlator, index| {
        let object = about(&line.object);
        let pod = if object.uid.is_empty() { object.name } else { object.uid };
        let Some(services) = held.get(pod).filter(|_| object.kind == "Pod") else { return };
        let impact = correlator.correlate(index, &object);
        let is_gone = impact.deleted == Some(true);
        let named: BTreeSet<&str> = impact.services.iter().map(|one| one.name).collect();
        for service in services {
            let stands = is_gone || ended.get(service).is_none_or(|ms| line.ms < *ms);
            assert_eq!(named.contains(&**service), stands, "{service}: {}", shown(&line.object, &impact));
        }
        events += 1;
        gone += usize::from(is_gone);
    });
    assert!(events > 480 && gone > 0, "{events} events, {gone} of pods that were gone");
}
