//! Correlates an object with the Services that it affects, and adds workload, node and labels.
//!
//! - `subject`: the object that the event is about, and whether the event may be about it
//! - `rules`: one rule per kind; `owned_pods`: Services of owners and budgets; `service_search`: Services of
//!   a pod
//! - `work`: limits the look-ups per event; `max_services`: which Services are named if there are too many
//! - `kinds_read`: the kinds that a rule reads; `awaited`: what an event may wait for
//! - `impact`: the result, as every format writes it
//! - `selected_labels`: the labels and annotations that a record includes
//! - `heapsort`: a sort that needs little stack
//! - `workload_and_node`: the workload, the node and the pod's own fields
//!
//! All data comes from one snapshot of the topology; nothing here waits or sends requests.

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

/// The object that an event is about, as the event states it.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'i> {
    pub api_version: &'i str,
    pub kind: &'i str,
    /// Empty for cluster-scoped objects, and if the sender left it out.
    pub namespace: &'i str,
    pub name: &'i str,
    pub uid: &'i str,
    /// The namespace of the event itself; for an audit record, the namespace of the request. Empty if the
    /// sender of the record is trusted with all namespaces.
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
                // The API server takes the namespace from the URL and checks it. The uid may come from the
                // request body, which the client wrote.
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

/// The kind of an audit record's object: from a body, or else from the resource name if the topology holds
/// the kind.
#[must_use]
pub fn kind_of<'i>(object: &'i AuditObject<'_>) -> &'i str {
    if object.kind.is_empty() {
        ObjectKind::of_resource(group_of(&object.api_version), &object.resource).map_or("", ObjectKind::name)
    } else {
        &object.kind
    }
}

/// Settings of the correlation.
#[derive(Debug, Clone)]
pub struct Correlator {
    /// Maximum number of Services named; the total is always given.
    pub max_services: usize,
    /// Names of the labels to include.
    pub labels: Patterns,
    /// Names of the annotations to include.
    pub annotations: Patterns,
}

impl Correlator {
    /// Finds the impact of an event. Before the topology is ready, the result is `NotReady`.
    #[must_use]
    pub fn correlate<'i>(&'i self, index: &'i Index, about: &About<'i>) -> Impact<'i> {
        self.correlate_within(index, about, &mut Work::default())
    }

    /// The same for one record of a chunk, within the chunk's work limits.
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
            // "No Service" is certain only if all candidates were checked
            0 if is_short || subject.is_unknown(index) => Correlation::Unknown,
            // and all kinds were up to date.
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
