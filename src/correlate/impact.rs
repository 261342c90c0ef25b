//! The impact of an event, as every format writes it.

use std::fmt;
use std::net::IpAddr;

use serde::{Serialize, Serializer};

use super::selected_labels::SelectedLabels;
use crate::time::Stamp;
use crate::topology::endpoints::{EndpointCounts, Service};
use crate::topology::object::Object;
use crate::topology::uid::Uid;

/// Whether Services were looked for and found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Correlation {
    /// At least one Service is affected.
    Matched,
    /// The object is known, and no Service is affected.
    None,
    /// The topology has never seen the object, although it follows the kind.
    Unknown,
    /// A kind that the rule reads has not been followed for some time, or is refused. The record still
    /// includes what is known.
    Stale,
    /// The event is in a namespace whose writers have no right to the object. The record says nothing about
    /// the object.
    Foreign,
    /// The topology was not complete yet.
    NotReady,
    /// Correlation is switched off.
    Off,
}

impl Correlation {
    /// As written in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::None => "none",
            Self::Unknown => "unknown",
            Self::Stale => "stale",
            Self::Foreign => "foreign",
            Self::NotReady => "not_ready",
            Self::Off => "off",
        }
    }
}

/// Why a Service is affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// The event is about the Service, its Endpoints or one of its slices.
    #[serde(rename = "self")]
    Itself,
    /// The Service's slices hold the pod, or held it while it lived.
    Endpoint,
    /// The Service's selector matches the labels.
    Selector,
    /// The Service has pods that the object owns, directly or indirectly.
    Owner,
    /// The Service has pods of the workload that the autoscaler scales.
    ScaleTarget,
    /// The Service has endpoints on the node.
    Node,
    /// The Service has pods that mount the volume.
    Volume,
    /// The Ingress sends traffic to the Service.
    Backend,
}

/// A uid from the topology, or as the event states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UidText<'i> {
    /// From the topology: of an object, or of a reference to an owner.
    Known(&'i Uid),
    /// From the record, which may hold any text; an empty one is written as null.
    Said(&'i str),
}

impl fmt::Display for UidText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(uid) => uid.fmt(f),
            Self::Said(text) => f.write_str(text),
        }
    }
}

impl Serialize for UidText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(uid) => uid.serialize(serializer),
            Self::Said(text) => or_null(text, serializer),
        }
    }
}

/// An affected Service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Affected<'i> {
    /// The Service's own; it differs from the event's, for example, if the event is about a Node.
    pub namespace: &'i str,
    /// The Service's name, which its slices have as the label `kubernetes.io/service-name`.
    pub name: &'i str,
    /// Empty if Services may not be watched and the Service is known from its slices alone.
    pub uid: UidText<'i>,
    /// If several reasons apply, the first in the order of [`Via`].
    pub via: Via,
    /// Pods and addresses that receive traffic.
    pub endpoints_ready: u32,
    /// Pods and addresses in all slices of the Service, ready or not.
    pub endpoints_total: u32,
    /// Endpoints on the node that the event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints_here: Option<u32>,
    /// The Service was deleted too.
    #[serde(skip_serializing_if = "is_false")]
    pub deleted: bool,
}

impl<'i> Affected<'i> {
    pub(super) fn new(service: &'i Service, via: Via) -> Self {
        let Service { namespace, name, object, endpoints, .. } = service;
        Self {
            namespace,
            name,
            uid: object.as_ref().map_or(UidText::Said(""), |entry| UidText::Known(&entry.uid)),
            via,
            endpoints_ready: endpoints.ready,
            endpoints_total: endpoints.total,
            endpoints_here: None,
            deleted: object.as_ref().is_some_and(|entry| !entry.is_live()),
        }
    }

    /// A Service that lost its name, and so its endpoints, to another Service.
    pub(super) fn former(object: &'i Object, via: Via) -> Self {
        Self {
            namespace: &object.namespace,
            name: &object.name,
            uid: UidText::Known(&object.uid),
            via,
            endpoints_ready: 0,
            endpoints_total: 0,
            endpoints_here: None,
            deleted: !object.is_live(),
        }
    }

    pub(super) fn here(mut self, counts: EndpointCounts) -> Self {
        self.endpoints_here = Some(counts.total);
        self
    }
}

/// The topmost owner of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Workload<'i> {
    /// Such as `Deployment`, or any kind that an owner reference names.
    pub kind: &'i str,
    /// If only owner references name the workload, the namespace of what it owns; empty if that is in several.
    pub namespace: &'i str,
    /// As the object has it, or as an owner reference states it.
    pub name: &'i str,
    /// Never [`UidText::Said`]: even an owner that is not in the topology has a uid in the owner reference.
    pub uid: UidText<'i>,
}

/// The node that the event is about, or on which its pod runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Node<'i> {
    /// For a pod, its `spec.nodeName`.
    pub name: &'i str,
    /// From the label `topology.kubernetes.io/zone`; empty (null in records) without it or if the node is unknown.
    #[serde(serialize_with = "or_null")]
    pub zone: &'i str,
    /// From the label `topology.kubernetes.io/region`; empty (null in records) without it or if the node is unknown.
    #[serde(serialize_with = "or_null")]
    pub region: &'i str,
    /// `status.addresses` of all types, host names included; empty if the node is unknown.
    pub addresses: &'i [Box<str>],
}

/// The result of a correlation: the field `impact` of a record. Other formats take their fields from it.
#[derive(Debug, Clone, Serialize)]
pub struct Impact<'i> {
    /// Says whether the other fields are an answer; without a look-up they are empty.
    pub correlation: Correlation,
    /// For a Node, the most affected Service comes first; otherwise sorted by reason and name.
    pub services: Vec<Affected<'i>>,
    /// Number of affected Services, including those beyond `max_services`.
    pub services_total: usize,
    /// A work limit was reached, so there may be more Services.
    #[serde(skip_serializing_if = "is_false")]
    pub incomplete: bool,
    /// `None` if the object has no pods and is none, or if its pods have no workload in common.
    pub workload: Option<Workload<'i>>,
    /// `None` unless the event is about a Node or a scheduled pod that the topology knows.
    pub node: Option<Node<'i>>,
    /// Labels of the object that the event is about.
    pub labels: SelectedLabels<'i>,
    /// Annotations of the same object. Only those that the setting `annotations` names are kept.
    pub annotations: SelectedLabels<'i>,
    /// How many labels were left out because there are too many or they are too large.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels_omitted: Option<usize>,
    /// As `labels_omitted`, for the annotations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations_omitted: Option<usize>,
    /// `status.podIP`; `None` unless the event is about a pod that has an address.
    #[serde(serialize_with = "text_or_null")]
    pub pod_ip: Option<IpAddr>,
    /// `status.startTime` of a pod; `None` for other kinds, and until the kubelet has accepted the pod.
    #[serde(serialize_with = "text_or_null")]
    pub start_time: Option<Stamp>,
    /// Whether the object was deleted; unknown if the topology never saw it.
    pub deleted: Option<bool>,
}

impl Impact<'_> {
    /// An impact without a look-up.
    #[must_use]
    pub fn without(correlation: Correlation) -> Self {
        Self {
            correlation,
            services: Vec::new(),
            services_total: 0,
            incomplete: false,
            workload: None,
            node: None,
            labels: SelectedLabels::NOTHING,
            annotations: SelectedLabels::NOTHING,
            labels_omitted: None,
            annotations_omitted: None,
            pod_ip: None,
            start_time: None,
            deleted: None,
        }
    }
}

fn or_null<S: Serializer>(text: &&str, serializer: S) -> Result<S::Ok, S::Error> {
    if text.is_empty() { serializer.serialize_none() } else { serializer.serialize_str(text) }
}

/// Writes a value as a string, or null if there is none.
///
/// # Errors
/// The serializer's errors.
pub fn text_or_null<S: Serializer>(
    value: &Option<impl fmt::Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        // As a string, because an address would otherwise become bytes in MessagePack.
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_false(value: &bool) -> bool {
    !value
}
