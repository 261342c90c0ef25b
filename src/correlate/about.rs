//! The object that an event is about, as the event states it.

use crate::record::audit::AuditObject;
use crate::record::content::Content;
use crate::record::event::KubeEvent;
use crate::record::violation::ViolatingObject;
use crate::topology::kind::{ObjectKind, group_of};

/// The object that an event is about, as the event states it.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'i> {
    /// Group and version, such as `apps/v1`; `v1` for the core group.
    pub api_version: &'i str,
    /// Such as `Pod`. Empty if an audit record names only a resource of a kind that the topology does not hold.
    pub kind: &'i str,
    /// Empty for cluster-scoped objects, and if the sender left it out.
    pub namespace: &'i str,
    /// Empty if the record names none, such as an audit record of a list request.
    pub name: &'i str,
    /// Empty if the sender left it out, and for violations, which have none. Senders may write any text.
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
