//! Object → impact: the Services it touches, with the reason, and what else is worth knowing of it.
//!
//! - `rules`: one rule for each kind of object
//! - `reads`: the kinds that a rule reads; `awaited`: what an event may wait for
//! - `impact`: what comes of it, as every format writes it
//! - `order`: sorting on little stack
//! - `around`: the workload, the node, and what the object says of itself
//!
//! No request is made and nothing is waited for: all comes from one snapshot of the topology.

mod around;
mod awaited;
mod impact;
mod order;
mod reads;
mod rules;

pub use awaited::Awaited;
pub use impact::{Affected, Chosen, Correlation, Impact, Node, UidText, Via, Workload, text_or_null};

pub use reads::kinds_read;

use crate::pattern::Patterns;
use crate::record::audit::AuditObject;
use crate::record::content::Content;
use crate::record::event::KubeEvent;
use crate::record::violation::Resource;
use crate::topology::freshness::Freshness;
use crate::topology::index::Index;
use crate::topology::key::Key;
use crate::topology::kind::{Kind, group_of};
use crate::topology::object::Object;

/// What an event is about, as the event says it.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'e> {
    pub api_version: &'e str,
    pub kind: &'e str,
    /// Empty for objects of the cluster, and where the sender left it out.
    pub namespace: &'e str,
    pub name: &'e str,
    pub uid: &'e str,
    /// Where the event itself lies.
    pub event_namespace: &'e str,
}

impl<'e> From<&'e KubeEvent<'_>> for About<'e> {
    fn from(event: &'e KubeEvent<'_>) -> Self {
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

impl<'e> From<Content<'e, '_>> for About<'e> {
    fn from(content: Content<'e, '_>) -> Self {
        match content {
            Content::Event(event) => event.into(),
            Content::Audit(audit) => {
                let AuditObject { api_version, namespace, name, uid, .. } = &audit.object;
                Self { api_version, kind: kind_of(&audit.object), namespace, name, uid, event_namespace: "" }
            }
            Content::Violation(violation) => {
                let Resource { api_version, kind, namespace, name, .. } = &violation.resource;
                Self { api_version, kind, namespace, name, uid: "", event_namespace: "" }
            }
            Content::Other => Self::default(),
        }
    }
}

/// The kind of an audit record's object: as a body says it, else that of the resource, if the topology holds it.
#[must_use]
pub fn kind_of<'e>(object: &'e AuditObject<'_>) -> &'e str {
    if object.kind.is_empty() {
        Kind::of_resource(group_of(&object.api_version), &object.resource).map_or("", Kind::name)
    } else {
        &object.kind
    }
}

/// What is to be told of an object.
#[derive(Debug, Clone)]
pub struct Correlator {
    /// Services named at most; the full number is given beside.
    pub max_services: usize,
    /// Labels told, by name.
    pub labels: Patterns,
    /// Annotations told, by name.
    pub annotations: Patterns,
}

impl Correlator {
    /// Finds what an event touches. Before the topology is ready it finds nothing, and says so.
    #[must_use]
    pub fn correlate<'i>(&'i self, index: &'i Index, about: &About<'i>) -> Impact<'i> {
        if !index.is_ready() {
            return Impact::without(Correlation::NotReady);
        }
        let subject = Subject::find(index, *about);
        let (mut services, services_total) = rules::services(index, &subject);
        services.truncate(self.max_services);
        let entry = subject.entry.map(|(_, entry)| entry);
        let freshness = reads::least_fresh(index, subject.kind, about.kind);
        let correlation = match services_total {
            _ if freshness >= Freshness::Stale => Correlation::Stale,
            1.. => Correlation::Matched,
            0 if subject.is_unknown(index) => Correlation::Unknown,
            // That there is no Service can be said of what is known to be all.
            0 if freshness >= Freshness::Behind => Correlation::Stale,
            0 => Correlation::None,
        };
        let (pod_ip, start_time) = entry.map_or((None, None), around::pod_facts);
        Impact {
            correlation,
            services,
            services_total,
            workload: around::workload(index, &subject),
            node: around::node(index, &subject),
            labels: Chosen::of(entry.map(|entry| &*entry.labels), &self.labels),
            annotations: Chosen::of(entry.map(|entry| &*entry.annotations), &self.annotations),
            pod_ip,
            start_time,
            deleted: entry
                .filter(|entry| entry.is_live() || index.was_listed(entry.kind))
                .map(|entry| !entry.is_live()),
        }
    }
}

/// What an event is about, as far as the topology knows it.
#[derive(Debug, Clone, Copy)]
struct Subject<'i> {
    about: About<'i>,
    /// `None`: a kind that the topology does not hold.
    kind: Option<Kind>,
    namespace: &'i str,
    uid: Option<Key>,
    entry: Option<(Key, &'i Object)>,
}

impl<'i> Subject<'i> {
    fn find(index: &'i Index, about: About<'i>) -> Self {
        let kind = Kind::of(group_of(about.api_version), about.kind);
        // Some senders leave the namespace out. A Node has none, whatever namespace its events lie in;
        // other objects live where their events do.
        let namespace = match kind {
            Some(Kind::Node) => "",
            _ if !about.namespace.is_empty() => about.namespace,
            _ => about.event_namespace,
        };
        // The kubelet, and the tools that watch a node, write the node's name in place of its uid.
        let by_name = about.uid.is_empty() || (kind == Some(Kind::Node) && about.uid == about.name);
        let uid = (!by_name).then(|| Key::of(about.uid));
        let entry = match uid {
            // An object of the same name is another one: a uid finds itself or nothing.
            Some(uid) => index.by_uid(uid).filter(|(_, entry)| Some(entry.kind) == kind),
            None => index
                .by_name(Key::object(about.api_version, about.kind, namespace, about.name))
                .map(|entry| (entry.key(), entry)),
        };
        // The event may say another namespace than the object's, or none.
        let namespace = entry.map_or(namespace, |(_, entry)| &*entry.namespace);
        Self { about, kind, namespace, uid, entry }
    }

    /// Whether it is of a kind that is followed, and was never seen. An audit record of a list names no object.
    fn is_unknown(&self, index: &Index) -> bool {
        let is_named = !self.about.name.is_empty() || !self.about.uid.is_empty();
        let is_followed = self.kind.is_some_and(|kind| index.freshness(kind) != Freshness::Refused);
        self.entry.is_none() && is_named && is_followed
    }

    /// Whether what goes by its name may be taken for it: not when its name has passed to another.
    fn has_its_name(&self, index: &Index) -> bool {
        match (self.entry, self.uid) {
            (Some((uid, entry)), _) => index.by_name(entry.name_key()).is_none_or(|named| named.key() == uid),
            (None, Some(_)) => {
                let name =
                    Key::object(self.about.api_version, self.about.kind, self.namespace, self.about.name);
                index.by_name(name).is_none()
            }
            (None, None) => true,
        }
    }
}
