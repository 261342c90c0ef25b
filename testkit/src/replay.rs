//! Replays the recording of a cluster into a topology, and shows what an event touches, in one line.

use std::fmt::Write;
use std::sync::Arc;

use event_gateway::correlate::{About, Correlator, Impact};
use event_gateway::pattern::Patterns;
use event_gateway::time::Stamp;
use event_gateway::topology::index::Index;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::parse::Parser;
use event_gateway::topology::writer::IndexWriter;
use serde_json::Value;

use super::recording::{self, Change, Line};

/// When the recording began.
const BEGAN: &str = "2026-11-21T00:47:05Z";

pub struct Replay {
    writer: IndexWriter,
    parsers: Vec<Parser>,
    pub correlator: Correlator,
}

impl Replay {
    pub fn new() -> Self {
        let parsers = ObjectKind::ALL.map(|kind| Parser::new(kind, Patterns::default())).into();
        let (labels, annotations) = (Patterns::parse("*"), Patterns::default());
        let correlator = Correlator { max_services: 20, labels, annotations };
        let mut replay = Self { writer: IndexWriter::new(3_600), parsers, correlator };
        for kind in ObjectKind::ALL {
            replay.writer.replace(kind, Vec::new());
        }
        replay
    }

    pub fn apply(&mut self, line: &Line) {
        let began = Stamp::parse(BEGAN).expect("a time").unix_seconds();
        self.writer.set_time(u64::try_from(began).expect("after 1970") + line.ms / 1_000);
        let kind = ObjectKind::ALL.into_iter().find(|kind| kind.resource() == line.resource).expect("a kind");
        let json = line.object.to_string();
        let object = Arc::new(self.parsers[kind.index()].object(json.as_bytes()).expect("a real object"));
        match line.change {
            Change::Deleted => self.writer.delete(object),
            _ => self.writer.put(object),
        }
    }

    /// The cluster now.
    pub fn index(&mut self) -> Index {
        self.writer.snapshot()
    }

    /// Replays everything; `each` sees every event with the cluster as it stood.
    pub fn run(mut self, mut each: impl FnMut(&Line, &Correlator, &Index)) {
        for line in recording::lines() {
            if line.resource == "events" {
                each(&line, &self.correlator, &self.writer.snapshot());
            } else {
                self.apply(&line);
            }
        }
    }
}

pub fn about(event: &Value) -> About<'_> {
    let object = &event["involvedObject"];
    About {
        api_version: object["apiVersion"].as_str().unwrap_or(""),
        kind: object["kind"].as_str().unwrap_or(""),
        namespace: object["namespace"].as_str().unwrap_or(""),
        name: object["name"].as_str().unwrap_or(""),
        uid: object["uid"].as_str().unwrap_or(""),
        event_namespace: event["metadata"]["namespace"].as_str().unwrap_or(""),
    }
}

/// One line for a person: what happened to what, and the Services with their reasons.
pub fn shown(event: &Value, impact: &Impact<'_>) -> String {
    let about = about(event);
    let mut line = format!(
        "{} {}/{} {}",
        about.kind,
        about.namespace,
        about.name,
        event["reason"].as_str().unwrap_or("")
    );
    if impact.deleted == Some(true) {
        line.push_str(" (gone)");
    }
    line.push_str(" ->");
    if impact.services.is_empty() {
        line.push(' ');
        line.push_str(impact.correlation.name());
    }
    for one in &impact.services {
        let via = serde_json::to_value(one.via).expect("a word");
        let via = via.as_str().unwrap_or_default();
        write!(
            line,
            " {}/{} by {via} {}/{}",
            one.namespace, one.name, one.endpoints_ready, one.endpoints_total
        )
        .expect("a string");
        if let Some(here) = one.endpoints_here {
            write!(line, ", {here} here").expect("a string");
        }
        line.push_str(if one.deleted { " (gone);" } else { ";" });
    }
    if let Some(workload) = impact.workload {
        write!(line, " of {} {}", workload.kind, workload.name).expect("a string");
    }
    if let Some(node) = impact.node {
        write!(line, " on {} in {}", node.name, node.zone).expect("a string");
    }
    line
}
