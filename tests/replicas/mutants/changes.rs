//! The changes, each of which breaks a promise.

use std::fs;
use std::path::{Path, PathBuf};

/// A change of one file.
pub struct Change {
    pub name: &'static str,
    /// Below `src/replicas`, or, for what the worker does around the protocol, below `tests/replicas/model`.
    pub file: &'static str,
    pub from: &'static str,
    pub to: &'static str,
}

impl Change {
    pub fn source(&self) -> PathBuf {
        let (room, name) = self.file.split_once('/').expect("a room and a file");
        folder(room).join(name)
    }
}

/// The files of a room, as they are.
pub fn files(room: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(room)).expect("a folder of sources");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    files
}

fn folder(room: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    match room {
        "protocol" => root.join("src/replicas"),
        _ => root.join("tests/replicas/model"),
    }
}

pub const CHANGES: &[Change] = &[
    Change {
        name: "a standby gives OK at once",
        file: "protocol/replica.rs",
        from: "Standing::Unsettled | Standing::NotYet if !may_send => Gate::Hold,",
        to: "Standing::Unsettled | Standing::NotYet if !may_send => Gate::Settled,",
    },
    Change {
        name: "the watermark rises before the acknowledgement",
        file: "model/action.rs",
        from: "                    node.request = Some(Request { place, deadline, has_arrived: false });\n",
        to: "                    node.request = Some(Request { place, deadline, has_arrived: false });\n                    \
             node.machine.settle(VERSIONS[place], self.api.made[place]);\n",
    },
    Change {
        name: "a leader counts from the response to its renewal",
        file: "protocol/election.rs",
        from: "renewed: pending.sent }",
        to: "renewed: now }",
    },
    Change {
        name: "an overflow of exceptions does not lower the watermark",
        file: "protocol/watermark.rs",
        from: "            self.through = self.through.min(end);\n",
        to: "            let _ = end;\n",
    },
    Change {
        name: "a leader sends after its renew deadline",
        file: "protocol/election.rs",
        from: "        is_in_time.then(|| (renewed + self.timing.last_request()).saturating_sub(now))",
        to: "        let _ = is_in_time;\n        Some((renewed + self.timing.last_request()).saturating_sub(now))",
    },
    Change {
        name: "a request may take longer than the lease",
        file: "protocol/election.rs",
        from: "self.lease / 5 * 4",
        to: "self.lease * 2",
    },
    Change {
        name: "expiry is a point of time on the wall clock",
        file: "protocol/election.rs",
        from: "let expires = observed.since + duration;",
        to: "let expires = duration;",
    },
    Change {
        name: "a Lease that is gone is made anew at once",
        file: "protocol/election.rs",
        from: "() if self.may_send(now).is_none() && now < expires => Step::Wait(expires),",
        to: "() if false => Step::Wait(expires),",
    },
    Change {
        name: "a leader does not look who holds the Lease",
        file: "protocol/election.rs",
        from: "if record.as_ref().is_some_and(|record| record.content.holder != self.me) {",
        to: "if false {",
    },
    Change {
        name: "a lost response counts as a renewal",
        file: "protocol/election.rs",
        from: "            Written::Unknown => {\n",
        to: "            Written::Unknown => {\n                if let Some(leading) = &mut self.leading { leading.renewed = \
             pending.sent; }\n",
    },
    Change {
        name: "the Lease's word counts for versions that were not seen",
        file: "protocol/replica.rs",
        from: "Standing::NotYet if self.seen.may_be_said(event, version) => Gate::Hold,",
        to: "Standing::NotYet if self.seen.may_be_said(event, version) => Gate::Deliver,",
    },
    Change {
        name: "the watermark covers what a list has hidden",
        file: "protocol/seen.rs",
        from: "let hides_above = self.listed.as_ref().map(|(_, above)| *above);",
        to: "let hides_above = None;",
    },
    Change {
        name: "a version is overtaken by a newer one that is not settled",
        file: "protocol/seen.rs",
        from: "if newer.is_some_and(|newest| !self.unsettled.contains_key(newest)) {",
        to: "if newer.is_some() {",
    },
    Change {
        name: "a version settles the newer ones of its event too",
        file: "protocol/seen.rs",
        from: ".take_while(|older| *older <= version).collect();",
        to: ".collect();",
    },
    Change {
        name: "the watermark leaves out what is not settled",
        file: "protocol/seen.rs",
        from: "others.copied().chain(own).filter(|other| other.version > from)",
        to: "others.copied().chain(own).filter(|other| other.version > from && false)",
    },
    Change {
        name: "a request is sent before it is announced",
        file: "protocol/replica.rs",
        from: "self.election.may_send(now).is_some() && versions.iter().all(has)",
        to: "self.election.may_send(now).is_some() || versions.iter().all(has)",
    },
    Change {
        name: "a successor does not ask what was announced",
        file: "protocol/replica.rs",
        from: "Standing::Unsettled if self.in_doubt.contains(&version) => Gate::InDoubt,",
        to: "Standing::Unsettled if false && self.in_doubt.contains(&version) => Gate::InDoubt,",
    },
    Change {
        name: "the Lease is released while a request is on its way",
        file: "model/action.rs",
        from: "if !node.is_stopping && node.request.is_none() && node.checked.is_none() {",
        to: "if !node.is_stopping {",
    },
    Change {
        name: "a leader whose time is over makes its Lease anew at once",
        file: "protocol/election.rs",
        from: "() if self.may_send(now).is_none() && now < expires",
        to: "() if self.leading.is_none() && now < expires",
    },
    Change {
        name: "a new leader's watermark leaves out what the former one said",
        file: "protocol/seen.rs",
        from: "        let said = self.said.as_ref();\n",
        to: "        let said: Option<&Watermark> = None;\n",
    },
];
