//! How the cost of a correlation grows with the cluster, from a hundred to a hundred thousand pods.

use std::hint::black_box;
use std::sync::Arc;

use event_gateway::correlate::{About, Correlator, Work};
use event_gateway::pattern::Patterns;
use event_gateway::topology::index::Index;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::object::Object;
use event_gateway::topology::parse::Parser;
use event_gateway::topology::writer::IndexWriter;

use crate::measure::{Cost, print_head};
use crate::plot::{Line, Panel};
use crate::support::cluster::{Cluster, Size};

const PODS: [usize; 4] = [100, 1_000, 10_000, 100_000];
/// The kinds that nearly all events are about.
const KINDS: [(ObjectKind, &str); 3] =
    [(ObjectKind::Pod, "a Pod"), (ObjectKind::Node, "a Node"), (ObjectKind::Deployment, "a Deployment")];
/// How many objects of a kind are looked up; these are more than a processor's caches hold.
const ASKED: usize = 5_000;
/// Events that share the work limit of a chunk.
const IN_A_CHUNK: usize = 500;

pub fn grow() -> Panel {
    print_head("a correlation, by the pods of the cluster");
    let correlator =
        Correlator { max_services: 20, labels: Patterns::parse("*"), annotations: Patterns::default() };
    let mut lines = KINDS.map(|(_, name)| Line { name, points: Vec::new() });
    for pods in PODS {
        let index = index(&Cluster::generate(size(pods), 1));
        let mut objects: Vec<&Object> = index.objects().map(|object| &**object).collect();
        // An order that defeats the caches.
        objects.sort_by_key(|object| object.key());
        for ((kind, name), line) in KINDS.into_iter().zip(&mut lines) {
            let of_kind = objects.iter().filter(|object| object.kind == kind).take(ASKED);
            let asked: Vec<_> = of_kind.map(|object| (*object, object.uid.to_string())).collect();
            let cost = Cost::best(asked.len(), || {
                for chunk in asked.chunks(IN_A_CHUNK) {
                    let mut work = Work::default();
                    for (object, uid) in chunk {
                        let (namespace, name) = (&object.namespace, &object.name);
                        let about = About { kind: kind.name(), namespace, name, uid, ..About::default() };
                        black_box(correlator.correlate_within(&index, &about, &mut work));
                    }
                }
            });
            cost.print(&format!("{pods} pods, an event about {name}"));
            line.points.push((pods as f64, cost.ns));
        }
    }
    println!();
    Panel { title: "A correlation", axis: "pods of the cluster", lines: lines.into() }
}

/// A cluster with the proportions of the standard one.
fn size(pods: usize) -> Size {
    let Size { pods: standard, services, nodes, replica_sets, namespaces } = Size::STANDARD;
    let share = |of_standard: usize| (of_standard * pods / standard).max(3);
    Size {
        pods,
        services: share(services),
        nodes: share(nodes),
        replica_sets: share(replica_sets),
        namespaces: share(namespaces),
    }
}

fn index(cluster: &Cluster) -> Index {
    let mut parsers = ObjectKind::ALL.map(|kind| Parser::new(kind, Patterns::default()));
    let mut lists = ObjectKind::ALL.map(|_| Vec::new());
    for (resource, object) in cluster.objects() {
        let kind = ObjectKind::ALL.into_iter().find(|kind| kind.resource() == resource).expect("a kind");
        let parsed = parsers[kind.index()].object(object.to_string().as_bytes()).expect("an object of ours");
        lists[kind.index()].push(Arc::new(parsed));
    }
    let mut writer = IndexWriter::new(3_600);
    for (kind, list) in ObjectKind::ALL.into_iter().zip(lists) {
        writer.replace(kind, list);
    }
    writer.snapshot()
}
