//! What the topology and a correlation cost: `make bench`.
//!
//! The clusters are generated in the sizes that users have. Times are of one core; memory is the growth of the process,
//! from the kernel's counter.

#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]
#![allow(clippy::unwrap_used, reason = "the cluster is ours, and holds what it should")]

mod tables;

use testkit::{cluster, swarm};

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cluster::{Cluster, Size};
use event_gateway::clock;
use event_gateway::correlate::{About, Correlator, Work};
use event_gateway::pattern::Patterns;
use event_gateway::topology::index::Index;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::object::{Details, Object};
use event_gateway::topology::parse::Parser;
use event_gateway::topology::writer::IndexWriter;
use serde_json::{Value, json};

fn main() {
    // Memory is measured in a process that does nothing but hold a cluster.
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, file] = &arguments[..]
        && flag == "--hold"
    {
        return hold(file);
    }
    if let [_, tables::FLAG, name] = &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return tables::hold(name, resident_bytes);
    }
    tables::compare();
    bounds();
    slices();
    for (name, size) in [("standard", Size::STANDARD), ("crowded", CROWDED), ("largest", Size::LARGEST)] {
        println!("{name}: {} pods, {} Services, {} nodes", size.pods, size.services, size.nodes);
        let cluster = Cluster::generate(size, 1);
        let file = std::env::temp_dir().join(format!("topology-{}.ndjson", std::process::id()));
        let mut lines = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
        for (resource, object) in cluster.objects() {
            writeln!(lines, "{resource} {object}").unwrap();
        }
        lines.into_inner().unwrap();
        let holder =
            std::process::Command::new(std::env::current_exe().unwrap()).arg("--hold").arg(&file).output();
        print!("{}", String::from_utf8_lossy(&holder.unwrap().stdout));
        let (mut writer, mut parsers) = load(&file, false);
        std::fs::remove_file(&file).unwrap();
        correlations(&writer.snapshot());
        updates(&cluster, &mut writer, &mut parsers);
    }
}

fn hold(file: &str) {
    let before = resident_bytes();
    let (mut writer, _parsers) = load(Path::new(file), true);
    let held = resident_bytes().saturating_sub(before);
    println!("  {:<34} {:>9.1} MiB for {} objects", "memory", mebibytes(held), writer.snapshot().len());
}

/// The standard cluster on fewer nodes, so that each has 110 pods, the most that Kubernetes supports.
const CROWDED: Size = Size { nodes: 91, ..Size::STANDARD };

/// Loads a cluster object by object, as the scanner of a list does.
fn load(file: &Path, report: bool) -> (IndexWriter, Vec<Parser>) {
    let mut parsers: Vec<Parser> = ObjectKind::ALL.map(|kind| Parser::new(kind, Patterns::default())).into();
    let mut writer = IndexWriter::new(3_600);
    let (mut parsed, mut bytes) = (Duration::ZERO, 0);
    let mut lists: Vec<Vec<Arc<Object>>> = ObjectKind::ALL.iter().map(|_| Vec::new()).collect();
    let mut lines = BufReader::new(std::fs::File::open(file).unwrap());
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        let (resource, json) = line.split_once(' ').unwrap();
        let kind = kind_of(resource);
        bytes += json.len();
        let start = clock::monotonic();
        lists[kind.index()].push(Arc::new(parsers[kind.index()].object(json.as_bytes()).unwrap()));
        parsed += start.elapsed();
        line.clear();
    }
    let start = clock::monotonic();
    for (kind, list) in ObjectKind::ALL.into_iter().zip(lists) {
        writer.replace(kind, list);
    }
    black_box(writer.snapshot());
    if report {
        let rate = bytes as f64 / parsed.as_secs_f64() / 1e6;
        println!(
            "  {:<34} {:>9.1} ms, {rate:.0} MB/s of JSON",
            "parse all lists",
            parsed.as_secs_f64() * 1e3
        );
        println!("  {:<34} {:>9.1} ms", "enter all objects", start.elapsed().as_secs_f64() * 1e3);
    }
    (writer, parsers)
}

fn correlations(index: &Index) {
    const IN_A_CHUNK: usize = 500;
    let correlator =
        Correlator { max_services: 20, labels: Patterns::parse("*"), annotations: Patterns::default() };
    let mut objects: Vec<&Object> = index.objects().map(|object| &**object).collect();
    // An order that defeats the caches.
    objects.sort_by_key(|object| object.key());
    for kind in [
        ObjectKind::Pod,
        ObjectKind::Node,
        ObjectKind::Deployment,
        ObjectKind::ReplicaSet,
        ObjectKind::Service,
    ] {
        let of_kind = objects.iter().filter(|object| object.kind == kind).take(5_000);
        let mut times = Vec::new();
        let (mut services, mut work) = (0, Work::default());
        for (number, object) in of_kind.enumerate() {
            if number % IN_A_CHUNK == 0 {
                work = Work::default();
            }
            let uid = object.uid.to_string();
            let about = About {
                kind: kind.name(),
                namespace: &object.namespace,
                name: &object.name,
                uid: &uid,
                ..About::default()
            };
            let start = clock::monotonic();
            let impact = black_box(correlator.correlate_within(index, &about, &mut work));
            times.push(start.elapsed());
            services += impact.services_total;
        }
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 100].as_nanos();
        println!(
            "  correlate {:<24} {:>9} ns median, {} ns 99th of 100, {:.1} Services",
            kind.name(),
            at(50),
            at(99),
            services as f64 / times.len() as f64
        );
    }
    let pods = objects
        .iter()
        .filter(|object| matches!(&object.details, Details::Pod { node, .. } if !node.is_empty()));
    println!(
        "  {:<34} {:>9.1}",
        "pods on a node",
        pods.count() as f64 / objects.iter().filter(|object| object.kind == ObjectKind::Node).count() as f64
    );
}

/// The most expensive event and chunk of events that a tenant can cause: 2,000 Services that select 1,000 pods.
fn bounds() {
    const RECORDS: usize = 1_000;
    let (services, pods) = (2_000, 1_000);
    println!("swarm: {pods} pods below one Deployment, {services} Services before each");
    let index = swarm::Swarm::of(services, pods).index();
    let correlator =
        Correlator { max_services: 20, labels: Patterns::parse("*"), annotations: Patterns::default() };
    let names: Vec<String> = (0..pods).map(|pod| format!("swarm-{pod}")).collect();
    let of_pod = |name| ("v1", "Pod", name);
    let worst = [("apps/v1", "Deployment", "swarm"), of_pod(&*names[0])];
    let timed = |subjects: &mut dyn Iterator<Item = (&str, &str, &str)>| {
        let mut work = Work::default();
        let mut longest = Duration::ZERO;
        let start = clock::monotonic();
        for (api_version, kind, name) in subjects {
            let (namespace, event_namespace) = (swarm::HOSTILE, swarm::HOSTILE);
            let about = About { api_version, kind, namespace, name, uid: "", event_namespace };
            let begun = clock::monotonic();
            black_box(correlator.correlate_within(&index, &about, &mut work));
            longest = longest.max(begun.elapsed());
        }
        (start.elapsed(), longest)
    };
    for subject in worst {
        let longest = (0..20).map(|_| timed(&mut std::iter::once(subject)).1).max().unwrap_or_default();
        println!(
            "  {:<34} {:>9.2} ms at most",
            format!("one record, {}", subject.1),
            longest.as_secs_f64() * 1e3
        );
    }
    let mut chunk = (0..RECORDS).map(|n| if n % 2 == 0 { worst[0] } else { of_pod(&*names[n % pods]) });
    let (whole, _) = timed(&mut chunk);
    println!("  {:<34} {:>9.2} ms", format!("a chunk of {RECORDS} records"), whole.as_secs_f64() * 1e3);
}

/// One Service with as many slices as a tenant can create in a minute, and changes of one slice between two snapshots.
fn slices() {
    const SLICES: usize = 1_000;
    const CHANGES: usize = 100;
    let service = |number: usize, ready: bool| {
        let endpoints: Vec<Value> = (0..100)
            .map(|pod| {
                let target = json!({"kind": "Pod", "namespace": "aaa", "uid": format!("{number}-{pod}")});
                json!({"addresses": ["10.0.0.1"], "conditions": {"ready": ready}, "targetRef": target, "nodeName": format!("n{pod}")})
            })
            .collect();
        let metadata = json!({"name": format!("s-{number}"), "namespace": "aaa", "uid": format!("s-{number}"),
            "resourceVersion": "1", "labels": {"kubernetes.io/service-name": "s"}});
        json!({"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints}).to_string()
    };
    let mut parser = Parser::new(ObjectKind::EndpointSlice, Patterns::default());
    let mut parse =
        |number, ready| Arc::new(parser.object(service(number, ready).as_bytes()).expect("a slice"));
    let all: Vec<Arc<Object>> = (0..SLICES).map(|number| parse(number, true)).collect();
    let changes: Vec<Arc<Object>> = (0..CHANGES).map(|change| parse(0, change % 2 == 1)).collect();
    let mut writer = IndexWriter::new(3_600);
    let start = clock::monotonic();
    writer.replace(ObjectKind::EndpointSlice, all);
    black_box(writer.snapshot());
    println!("slices: {SLICES} of one Service, of 100 endpoints each");
    println!("  {:<34} {:>9.2} ms", "listed", start.elapsed().as_secs_f64() * 1e3);
    let start = clock::monotonic();
    changes.into_iter().for_each(|slice| writer.put(slice));
    black_box(writer.snapshot());
    let name = format!("{CHANGES} changes of one, a snapshot");
    println!("  {name:<34} {:>9.2} ms", start.elapsed().as_secs_f64() * 1e3);
}

/// A snapshot after each update: more often than it is published.
fn updates(cluster: &Cluster, writer: &mut IndexWriter, parsers: &mut [Parser]) {
    const UPDATES: usize = 20_000;
    let lines: Vec<_> = cluster.updates(UPDATES).collect();
    let lines: Vec<_> = lines
        .into_iter()
        .map(|update| (kind_of(update.resource), update.change, update.object.to_string()))
        .collect();
    let mut last = writer.snapshot();
    let start = clock::monotonic();
    for (kind, change, json) in &lines {
        let object = Arc::new(parsers[kind.index()].object(json.as_bytes()).unwrap());
        match change {
            cluster::Change::Deleted => writer.delete(object),
            _ => writer.put(object),
        }
        last = writer.snapshot();
    }
    let spent = start.elapsed();
    black_box(last);
    let each = spent.as_nanos() as f64 / UPDATES as f64;
    println!(
        "  {:<34} {:>9.0} ns each, {:.1} % of a core at 5,000 a second",
        "update, parse and snapshot",
        each,
        each * 5_000.0 / 1e7
    );
}

fn kind_of(resource: &str) -> ObjectKind {
    ObjectKind::ALL.into_iter().find(|kind| kind.resource() == resource).unwrap()
}

fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The memory of this process, from the kernel's counter.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}
