//! A core/v1 Event as client-go's types write it, whatever API group it came from.
//!
//! Empty fields are left out if Go leaves them out; an absent time is null. `eventTime` and `series.lastObservedTime` are
//! of the type `MicroTime`, which Go reads only with six decimals. Events of Flux have only `timestamp`, which becomes the
//! first and the last time. All values have the types of client-go, so that its decoders accept them; values of another
//! type are left out. `managedFields` are left out, as both tools do or may do.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::Serializer;

use crate::format::interface::RenderError;
use crate::format::native::Time;
use crate::format::record::Record;
use crate::record::content::Content;
use crate::record::event::KubeEvent;
use crate::record::raw::Raw;
use crate::time::Stamp;

/// `metadata` of an Event.
#[derive(Serialize)]
pub(super) struct Metadata<'r> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'r str,
    #[serde(rename = "generateName", skip_serializing_if = "str::is_empty")]
    generate_name: Cow<'r, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    uid: &'r str,
    #[serde(rename = "resourceVersion", skip_serializing_if = "str::is_empty")]
    resource_version: &'r str,
    #[serde(rename = "creationTimestamp")]
    creation_timestamp: Time,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    labels: Texts<'r>,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    annotations: Texts<'r>,
}

/// An `ObjectReference`.
#[derive(Serialize)]
pub(super) struct Reference<'r> {
    #[serde(skip_serializing_if = "str::is_empty")]
    kind: Cow<'r, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: Cow<'r, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: Cow<'r, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    uid: Cow<'r, str>,
    #[serde(rename = "apiVersion", skip_serializing_if = "str::is_empty")]
    api_version: Cow<'r, str>,
    #[serde(rename = "resourceVersion", skip_serializing_if = "str::is_empty")]
    resource_version: Cow<'r, str>,
    #[serde(rename = "fieldPath", skip_serializing_if = "str::is_empty")]
    field_path: Cow<'r, str>,
}

/// The members of an Event behind `involvedObject`, which the two tools write differently.
#[derive(Serialize)]
pub(super) struct Rest<'r> {
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'r str,
    source: Source<'r>,
    #[serde(rename = "firstTimestamp")]
    first_timestamp: Time,
    #[serde(rename = "lastTimestamp")]
    last_timestamp: Time,
    #[serde(skip_serializing_if = "is_zero")]
    count: i32,
    #[serde(skip_serializing_if = "str::is_empty")]
    r#type: &'r str,
    #[serde(rename = "eventTime")]
    event_time: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<Series>,
    #[serde(skip_serializing_if = "str::is_empty")]
    action: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    related: Option<Reference<'r>>,
    #[serde(rename = "reportingComponent")]
    reporting_component: &'r str,
    #[serde(rename = "reportingInstance")]
    reporting_instance: &'r str,
}

#[derive(Serialize)]
struct Source<'r> {
    #[serde(skip_serializing_if = "str::is_empty")]
    component: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    host: &'r str,
}

#[derive(Serialize)]
struct Series {
    #[serde(skip_serializing_if = "is_zero")]
    count: i32,
    #[serde(rename = "lastObservedTime")]
    last_observed_time: Time,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(count: &i32) -> bool {
    *count == 0
}

/// The event of the record.
///
/// # Errors
/// If the record is of another kind, which `format` cannot hold.
pub(super) fn event<'r, 'a>(
    record: &Record<'r, 'a>,
    format: &'static str,
) -> Result<&'r KubeEvent<'a>, RenderError> {
    match record.content {
        Content::Event(event) => Ok(event),
        other => Err(RenderError::Kind { format, kind: other.kind().name() }),
    }
}

pub(super) fn metadata<'r>(record: &Record<'r, 'r>, event: &'r KubeEvent<'_>) -> Metadata<'r> {
    let of_event = &event.metadata;
    let all = Raw::new(record.body).get("metadata").unwrap_or_default();
    Metadata {
        name: &of_event.name,
        generate_name: text(all, "generateName"),
        namespace: &of_event.namespace,
        uid: &of_event.uid,
        resource_version: &of_event.resource_version,
        creation_timestamp: time(&of_event.creation_timestamp),
        labels: Texts(all.get("labels").unwrap_or_default()),
        annotations: Texts(all.get("annotations").unwrap_or_default()),
    }
}

/// `involvedObject`, also from a record that calls it `regarding`.
pub(super) fn involved_object<'r>(event: &'r KubeEvent<'_>) -> Reference<'r> {
    let object = &event.object;
    Reference {
        kind: Cow::Borrowed(&object.kind),
        namespace: Cow::Borrowed(&object.namespace),
        name: Cow::Borrowed(&object.name),
        uid: Cow::Borrowed(&object.uid),
        api_version: Cow::Borrowed(&object.api_version),
        resource_version: Cow::Borrowed(&object.resource_version),
        field_path: Cow::Borrowed(&object.field_path),
    }
}

fn reference(all: Raw<'_>) -> Reference<'_> {
    Reference {
        kind: text(all, "kind"),
        namespace: text(all, "namespace"),
        name: text(all, "name"),
        uid: text(all, "uid"),
        api_version: text(all, "apiVersion"),
        resource_version: text(all, "resourceVersion"),
        field_path: text(all, "fieldPath"),
    }
}

pub(super) fn rest<'r>(record: &Record<'r, 'r>, event: &'r KubeEvent<'_>) -> Rest<'r> {
    let (first, last) = (Stamp::parse_set(&event.first_timestamp), Stamp::parse_set(&event.last_timestamp));
    let of_both = if first.or(last).is_none() { Stamp::parse_set(&event.timestamp) } else { None };
    let related = Raw::new(record.body).get("related").map(reference);
    Rest {
        reason: &event.reason,
        message: &event.message,
        source: Source { component: &event.source.component, host: &event.source.host },
        first_timestamp: Time(first.or(of_both)),
        last_timestamp: Time(last.or(of_both)),
        count: number(event.count.unwrap_or(0)),
        r#type: &event.event_type,
        event_time: micro_time(&event.event_time),
        series: event.series.as_ref().map(|series| Series {
            count: number(series.count),
            last_observed_time: micro_time(&series.last_observed_time),
        }),
        action: &event.action,
        related: related.filter(|related| !related.kind.is_empty() || !related.name.is_empty()),
        reporting_component: &event.reporting_component,
        reporting_instance: &event.reporting_instance,
    }
}

fn text<'r>(of: Raw<'r>, key: &str) -> Cow<'r, str> {
    of.get(key).and_then(|value| value.as_text()).unwrap_or_default()
}

fn time(text: &str) -> Time {
    Time(Stamp::parse_set(text))
}

/// Go's `MicroTime` always has six decimals.
fn micro_time(text: &str) -> Time {
    Time(Stamp::parse_set(text).map(|time| time.with_decimals(6)))
}

/// Go's counts have 32 bits.
fn number(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Labels or annotations, as a map of texts.
pub(super) struct Texts<'r>(Raw<'r>);

impl Texts<'_> {
    fn is_empty(&self) -> bool {
        self.0.text_pairs().next().is_none()
    }
}

impl Serialize for Texts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.text_pairs())
    }
}
