//! What an event touches, as every format writes it.

use std::fmt;
use std::net::IpAddr;

use serde::{Serialize, Serializer};

use super::selected_labels::SelectedLabels;
use crate::time::Stamp;
use crate::topology::endpoints::{EndpointCounts, Service};
use crate::topology::object::Object;
use crate::topology::uid::Uid;

/// Whether Services were looked for, and found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Correlation {
    /// At least one Service is under impact.
    Matched,
    /// The object is known, and no Service is.
    None,
    /// The topology has never seen the object, though it follows objects of its kind.
    Unknown,
    /// A kind of objects that decides it has not been followed for some time, or may not be read. The record
    /// carries what is known.
    Stale,
    /// The event lies in a namespace whose writers have no say about its object. The record says nothing of the object.
    Foreign,
    /// The topology was not complete yet.
    NotReady,
    /// Nobody asked for it.
    Off,
}

impl Correlation {
    /// As records say it.
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

/// Why a Service is under impact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// The event is about the Service, its Endpoints or one of its slices.
    #[serde(rename = "self")]
    Itself,
    /// Its slices hold the pod, or held it while it lived.
    Endpoint,
    /// Its selector takes the labels.
    Selector,
    /// It stands before pods below the object.
    Owner,
    /// It stands before pods of what the autoscaler scales.
    ScaleTarget,
    /// It has endpoints on the node.
    Node,
    /// It stands before pods that mount the volume.
    Volume,
    /// The Ingress sends traffic to it.
    Backend,
}

/// A uid as the topology knows it, or as the event said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UidText<'i> {
    Known(&'i Uid),
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

/// A Service under impact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Affected<'i> {
    pub namespace: &'i str,
    pub name: &'i str,
    /// Unknown where Services may not be watched, and only slices tell of it.
    pub uid: UidText<'i>,
    pub via: Via,
    /// Pods and addresses behind it that take traffic.
    pub endpoints_ready: u32,
    pub endpoints_total: u32,
    /// Those on the node that the event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints_here: Option<u32>,
    /// It went, too.
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

    /// A Service that has lost its name to another one, and its endpoints with it.
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

/// The topmost owner of what the event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Workload<'i> {
    pub kind: &'i str,
    pub namespace: &'i str,
    pub name: &'i str,
    pub uid: UidText<'i>,
}

/// The node that the event is about, or on which its pod runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Node<'i> {
    pub name: &'i str,
    #[serde(serialize_with = "or_null")]
    pub zone: &'i str,
    #[serde(serialize_with = "or_null")]
    pub region: &'i str,
    pub addresses: &'i [Box<str>],
}

/// All that was found: the member `impact` of a record, and what the other formats take their fields from.
#[derive(Debug, Clone, Serialize)]
pub struct Impact<'i> {
    pub correlation: Correlation,
    /// The worst hit first where that is known (Nodes), else by reason and name.
    pub services: Vec<Affected<'i>>,
    /// How many there are, those left out by `max_services` included.
    pub services_total: usize,
    /// A bound on the work was reached: there may be more than was found.
    #[serde(skip_serializing_if = "is_false")]
    pub incomplete: bool,
    pub workload: Option<Workload<'i>>,
    pub node: Option<Node<'i>>,
    /// Of the object that the event is about.
    pub labels: SelectedLabels<'i>,
    pub annotations: SelectedLabels<'i>,
    /// How many were left out, as there are too many or they are too large.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels_omitted: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations_omitted: Option<usize>,
    #[serde(serialize_with = "text_or_null")]
    pub pod_ip: Option<IpAddr>,
    #[serde(serialize_with = "text_or_null")]
    pub start_time: Option<Stamp>,
    /// Whether the object is gone; unknown when the topology never saw it.
    pub deleted: Option<bool>,
}

impl Impact<'_> {
    /// Nothing was looked for.
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

/// The text of a value, or null for none.
///
/// # Errors
/// The serializer's.
pub fn text_or_null<S: Serializer>(
    value: &Option<impl fmt::Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        // As text: of its own, an address goes out as bytes in MessagePack.
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_false(value: &bool) -> bool {
    !value
}
