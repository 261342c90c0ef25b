//! Does a file of the topology that says anything whatever of its objects make anything panic, at the start or later?
//!
//! Each field of each object may hold a value that no plugin has written, also one of another object, and the file is
//! sound for gzip and JSON. Events are then correlated with what was read of it, lists replace that, and it is saved and
//! read once more.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use event_gateway::cluster::snapshot_file;
use event_gateway::correlate::{About, Correlator};
use event_gateway::log::HostLog;
use event_gateway::pattern::Patterns;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::object::Object;
use event_gateway::topology::parse::Parser;
use event_gateway::topology::writer::IndexWriter;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::dice::Dice;
use super::support::cluster::{Cluster, Size};

const NOW_SECONDS: u64 = 1_800_000_000;
/// Changes of one file each; `PERTURBATIONS` sets another number.
const FILES: u64 = 80;

/// Objects of all kinds, as lists bring them.
fn objects() -> Vec<(ObjectKind, Arc<Object>, Value)> {
    let cluster =
        Cluster::generate(Size { pods: 12, services: 6, nodes: 2, replica_sets: 4, namespaces: 2 }, 7);
    let mut parsers = ObjectKind::ALL.map(|kind| Parser::new(kind, Patterns::parse("*")));
    let read = |(resource, value): (&str, Value)| {
        let kind = ObjectKind::ALL.into_iter().find(|kind| kind.resource() == resource)?;
        let object = parsers[kind.index()].object(value.to_string().as_bytes()).ok()?;
        Some((kind, Arc::new(object), value))
    };
    cluster.objects().filter_map(read).collect()
}

fn lines(path: &Path) -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn write(path: &Path, lines: &[Value]) {
    let mut packed = GzEncoder::new(File::create(path).unwrap(), Compression::fast());
    lines.iter().for_each(|line| writeln!(packed, "{line}").unwrap());
    packed.finish().unwrap();
}

/// Every place of a value that holds no other.
fn leaves(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members
                .iter()
                .for_each(|(name, value)| leaves(value, &format!("{at}/{}", name.replace('/', "~1")), into));
        }
        Value::Array(items) if !items.is_empty() => {
            items
                .iter()
                .enumerate()
                .for_each(|(number, value)| leaves(value, &format!("{at}/{number}"), into));
        }
        _ => into.push(at.to_owned()),
    }
}

/// One that the reader may take where a value of the kind of the former stood.
fn odd(dice: &mut Dice, former: &Value, others: &[Value]) -> Value {
    match (dice.below(4), former) {
        (0, _) => others[dice.below(others.len())].clone(),
        (_, Value::Number(_)) => {
            json!([0, 1, u64::MAX, u64::MAX - 1, u64::MAX / 2, 1 << 32, 65_535, 255][dice.below(8)])
        }
        (_, Value::String(_)) => {
            let kind = ObjectKind::ALL[dice.below(ObjectKind::ALL.len())].name();
            [json!(""), json!(kind), json!("x".repeat(1_000)), json!("\u{1b}[2J\u{202e}\0")][dice.below(4)]
                .clone()
        }
        (_, Value::Bool(is_so)) => json!(!is_so),
        (1, Value::Null) => json!(0),
        (2, Value::Null) => json!([]),
        _ => Value::Null,
    }
}

#[test]
fn no_crafted_topology_panics() {
    let folder = tempfile::tempdir().unwrap();
    let (good, path) = (folder.path().join("good"), folder.path().join("ledger.topology"));
    let objects = objects();
    let mut writer = IndexWriter::new(3_600);
    objects.iter().for_each(|(_, object, _)| writer.put(Arc::clone(object)));
    snapshot_file::save(&good, &writer.snapshot(), NOW_SECONDS).unwrap();
    let good = lines(&good);
    let mut values = Vec::new();
    for line in &good {
        let mut places = Vec::new();
        leaves(line, "", &mut places);
        values.extend(places.iter().map(|place| line.pointer(place).unwrap().clone()));
    }
    let (labels, annotations) = (Patterns::parse("*"), Patterns::parse("*"));
    let correlator = Correlator { max_services: 20, labels, annotations };
    let files = std::env::var("PERTURBATIONS").map_or(FILES, |text| text.parse().unwrap());
    let mut read = 0;
    for number in 0..files {
        let mut dice = Dice(number);
        let mut lines = good.clone();
        for _ in 0..=dice.below(6) {
            let at = 1 + dice.below(lines.len() - 1);
            let mut places = Vec::new();
            leaves(&lines[at], "", &mut places);
            let place = &places[dice.below(places.len())];
            let value = lines[at].pointer_mut(place).unwrap();
            *value = odd(&mut dice, value, &values);
        }
        write(&path, &lines);
        let mut writer = IndexWriter::new(3_600);
        writer.set_time(NOW_SECONDS);
        snapshot_file::restore(&path, &mut writer, NOW_SECONDS, &HostLog::default());
        read += u64::from(!writer.is_empty());
        for round in 0..3 {
            let index = writer.snapshot();
            for (kind, object, value) in &objects {
                let text = |name: &str| value["metadata"][name].as_str().unwrap_or_default();
                let about = About {
                    api_version: value["apiVersion"].as_str().unwrap_or_default(),
                    kind: kind.name(),
                    namespace: text("namespace"),
                    name: &object.name,
                    uid: text("uid"),
                    event_namespace: if kind.is_of_cluster() { "default" } else { text("namespace") },
                };
                let impact = correlator.correlate(&index, &about);
                assert!(!format!("{impact:?}").is_empty());
            }
            snapshot_file::save(&path, &index, NOW_SECONDS).unwrap();
            match round {
                0 => {
                    for kind in ObjectKind::ALL {
                        let of_kind = objects.iter().filter(|(of, _, _)| *of == kind);
                        writer.replace(kind, of_kind.map(|(_, object, _)| Arc::clone(object)).collect());
                    }
                }
                _ => writer.set_time(NOW_SECONDS + 3_600 * round),
            }
            writer.expire();
            snapshot_file::restore(&path, &mut IndexWriter::new(3_600), NOW_SECONDS, &HostLog::default());
        }
    }
    assert!(read > files / 4, "{read} of {files} were read: the others were moved aside");
}
