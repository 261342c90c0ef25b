//! The references in an event: the object that it is about, and its source.

use super::cursor::{Cursor, DecodeError};
use super::fields::FieldReader;
use super::text::Text;

/// `ObjectReference` of core/v1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectRef<'a> {
    /// Group and version, such as `apps/v1`; `v1` for the core group.
    pub api_version: Text<'a>,
    /// Singular, as in a manifest: `Pod`.
    pub kind: Text<'a>,
    /// Empty for cluster-scoped objects.
    pub namespace: Text<'a>,
    /// Empty if the sender left it out, which the API server accepts.
    pub name: Text<'a>,
    /// Empty if the sender left it out. In the kubelet's events about a Node it is the node's name.
    pub uid: Text<'a>,
    /// A part of the object, such as `spec.containers{app}`; usually empty.
    pub field_path: Text<'a>,
    /// The version of the object when the event was made; often empty.
    pub resource_version: Text<'a>,
}

/// `EventSource` of core/v1, and the reporter of events.k8s.io/v1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventSource<'a> {
    /// The controller, such as `kubelet`.
    pub component: Text<'a>,
    /// The node on which it ran; empty for controllers without a node of their own.
    pub host: Text<'a>,
}

impl FieldReader<'_> {
    pub(super) fn object_ref<'a>(&self, cursor: &mut Cursor<'a>) -> Result<ObjectRef<'a>, DecodeError> {
        let mut object = ObjectRef::default();
        self.fields(cursor, |key, value| {
            match key {
                b"apiVersion" => object.api_version = self.text(value)?,
                b"kind" => object.kind = self.text(value)?,
                b"namespace" => object.namespace = self.text(value)?,
                b"name" => object.name = self.text(value)?,
                b"uid" => object.uid = self.text(value)?,
                b"fieldPath" => object.field_path = self.text(value)?,
                b"resourceVersion" => object.resource_version = self.version(value)?,
                _ => value.skip()?,
            }
            Ok(())
        })?;
        Ok(object)
    }

    pub(super) fn source<'a>(&self, cursor: &mut Cursor<'a>) -> Result<EventSource<'a>, DecodeError> {
        let mut source = EventSource::default();
        self.fields(cursor, |key, value| {
            match key {
                b"component" => source.component = self.text(value)?,
                b"host" => source.host = self.text(value)?,
                _ => value.skip()?,
            }
            Ok(())
        })?;
        Ok(source)
    }
}
