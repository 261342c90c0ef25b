//! Object → impact: the Services it touches, with the reason, and what else is worth knowing of it.
//!
//! - `subject`: what the event is about, and whether the event may speak for it
//! - `rules`: one rule for each kind of object; `below`: what stands above pods; `found`: the Services of a pod
//! - `work`: how much is looked at for one event; `fair`: which Services are named when there are too many
//! - `reads`: the kinds that a rule reads; `awaited`: what an event may wait for
//! - `impact`: what comes of it, as every format writes it
//! - `chosen`: the labels and annotations that a record carries
//! - `order`: sorting on little stack
//! - `around`: the workload, the node, and what the object says of itself
//!
//! No request is made and nothing is waited for: all comes from one snapshot of the topology.

mod awaited;
mod heapsort;
mod impact;
mod kinds_read;
mod max_services;
mod owned_pods;
mod rules;
mod selected_labels;
mod service_search;
mod subject;
mod work;
mod workload_and_node;

pub use awaited::Awaited;
pub use impact::{Affected, Correlation, Impact, Node, UidText, Via, Workload, text_or_null};
pub use selected_labels::SelectedLabels;

pub use kinds_read::kinds_read;
pub use work::{MOST_FOR_CHUNK, MOST_FOR_NAMESPACE, MOST_FOR_RECORD, SHARE_OF_RECORD, Work};

use crate::pattern::Patterns;
use crate::record::audit::AuditObject;
use crate::record::content::Content;
use crate::record::event::KubeEvent;
use crate::record::violation::ViolatingObject;
use crate::topology::freshness::Freshness;
use crate::topology::index::Index;
use crate::topology::kind::{ObjectKind, group_of};
use subject::Subject;

/// What an event is about, as the event says it.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'i> {
    pub api_version: &'i str,
    pub kind: &'i str,
    /// Empty for objects of the cluster, and where the sender left it out.
    pub namespace: &'i str,
    pub name: &'i str,
    pub uid: &'i str,
    /// Where the event itself lies; for an audit record, the namespace of the request. Empty where the sender of the record is
    /// trusted with all namespaces.
    pub event_namespace: &'i str,
}

impl<'i> From<&'i KubeEvent<'_>> for About<'i> {
    fn from(event: &'i KubeEvent<'_>) -> Self {
        let object = &event.object;
        Self {
            api_version: &object.api_version,
            kind: &object.kind,
            namespace: &object.namespace,
            name: &object.name,
            uid: &object.uid,
            event_namespace: &event.metadata.namespace,
        }
    }
}

impl<'i> From<Content<'i, '_>> for About<'i> {
    fn from(content: Content<'i, '_>) -> Self {
        match content {
            Content::Event(event) => event.into(),
            Content::Audit(audit) => {
                let AuditObject { api_version, namespace, name, uid, .. } = &audit.object;
                // The API server takes the namespace from the URL and checks it. A uid may come from the body, where the
                // client chose it.
                Self {
                    api_version,
                    kind: kind_of(&audit.object),
                    namespace,
                    name,
                    uid,
                    event_namespace: namespace,
                }
            }
            Content::Violation(violation) => {
                let ViolatingObject { api_version, kind, namespace, name, .. } = &violation.resource;
                Self { api_version, kind, namespace, name, uid: "", event_namespace: "" }
            }
            Content::Other => Self::default(),
        }
    }
}

/// The kind of an audit record's object: as a body says it, else that of the resource, if the topology holds it.
#[must_use]
pub fn kind_of<'i>(object: &'i AuditObject<'_>) -> &'i str {
    if object.kind.is_empty() {
        ObjectKind::of_resource(group_of(&object.api_version), &object.resource).map_or("", ObjectKind::name)
    } else {
        &object.kind
    }
}

/// What a record is to say of an object.
#[derive(Debug, Clone)]
pub struct Correlator {
    /// Services named at most; the full number is given beside.
    pub max_services: usize,
    /// Labels to include, by name.
    pub labels: Patterns,
    /// Annotations to include, by name.
    pub annotations: Patterns,
}

impl Correlator {
    /// Finds what an event touches. Before the topology is ready it finds nothing, and says so.
    #[must_use]
    pub fn correlate<'i>(&'i self, index: &'i Index, about: &About<'i>) -> Impact<'i> {
        self.correlate_within(index, about, &mut Work::default())
    }

    /// The same for one of several records, which share the work that may be done for all of them.
    #[must_use]
    pub fn correlate_within<'i>(
        &'i self,
        index: &'i Index,
        about: &About<'i>,
        work: &mut Work,
    ) -> Impact<'i> {
        if !index.is_ready() {
            return Impact::without(Correlation::NotReady);
        }
        let subject = Subject::find(index, *about);
        if subject.is_foreign {
            return Impact::without(Correlation::Foreign);
        }
        work.begin(index, about.event_namespace);
        let mut services = rules::services(index, &subject, work);
        let services_total = services.len();
        max_services::limit(&mut services, self.max_services);
        let is_short = work.is_short();
        let entry = subject.entry.map(|(_, entry)| entry);
        let freshness = kinds_read::least_fresh(index, subject.kind, about.kind);
        let correlation = match services_total {
            _ if freshness >= Freshness::Stale => Correlation::Stale,
            1.. => Correlation::Matched,
            // That there is no Service can be said only after all were looked at.
            0 if is_short || subject.is_unknown(index) => Correlation::Unknown,
            // And of what is known to be all.
            0 if freshness >= Freshness::Behind => Correlation::Stale,
            0 => Correlation::None,
        };
        let (pod_ip, start_time) = entry.map_or((None, None), workload_and_node::pod_facts);
        let workload = workload_and_node::workload(index, &subject, work);
        let labels = SelectedLabels::of(entry.map(|entry| &*entry.labels), &self.labels);
        let annotations = SelectedLabels::of(entry.map(|entry| &*entry.annotations), &self.annotations);
        Impact {
            correlation,
            services,
            services_total,
            incomplete: work.end(),
            workload,
            node: workload_and_node::node(index, &subject),
            labels_omitted: labels.omitted(),
            annotations_omitted: annotations.omitted(),
            labels,
            annotations,
            pod_ip,
            start_time,
            deleted: entry
                .filter(|entry| entry.is_live() || index.was_listed(entry.kind))
                .map(|entry| !entry.is_live()),
        }
    }
}
