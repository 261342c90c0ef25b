//! `format cloudevents` and `cloudevents_batch`: CloudEvents 1.0.2, structured, around a native document.
//!
//! `source` is the cluster, `type` the reason, `subject` the object; `id` together with `source` is
//! unique, as the specification asks. The extension attribute `service` names the first Service under
//! impact, as `namespace/name`.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Serialize;

use super::Record;
use super::native::{self, Native, Time};
use crate::time::Stamp;

#[derive(Serialize)]
pub(super) struct CloudEvent<'r> {
    specversion: &'static str,
    id: Cow<'r, str>,
    source: &'r str,
    r#type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
    #[serde(skip_serializing_if = "is_unknown")]
    time: Time,
    datacontenttype: &'static str,
    /// An extension attribute: the first Service under impact, for routing without a look into `data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    data: Native<'r>,
}

fn is_unknown(time: &Time) -> bool {
    time.0.is_none()
}

pub(super) fn document<'r>(record: &Record<'r, '_>, cluster: &'r str, source: &'r str) -> CloudEvent<'r> {
    let object = &record.event.object;
    let subject: Vec<_> = [&object.namespace, &object.kind, &object.name]
        .into_iter()
        .map(|part| &**part)
        .filter(|part| !part.is_empty())
        .collect();
    let reason = &record.event.reason;
    let kind = if reason.is_empty() { TYPE.to_owned() } else { format!("{TYPE}.{}", attribute(reason)) };
    CloudEvent {
        specversion: "1.0",
        id: attribute(record.id),
        source,
        r#type: kind,
        subject: attribute(&subject.join("/")).into_owned(),
        time: Time(Stamp::parse(record.event.time())),
        datacontenttype: "application/json",
        service: record
            .impact
            .services
            .first()
            .map(|one| attribute(&format!("{}/{}", one.namespace, one.name)).into_owned()),
        data: native::document(record, cluster),
    }
}

const TYPE: &str = "io.k8s.event";

/// `/k8s/<cluster>/events`, a URI-reference as the specification asks.
pub(super) fn source(cluster: &str) -> String {
    let mut source = String::from("/k8s/");
    for byte in cluster.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            source.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(source, "%{byte:02X}");
        }
    }
    source.push_str(if cluster.is_empty() { "events" } else { "/events" });
    source
}

/// Attributes of type String hold no control characters and no noncharacters.
fn attribute(text: &str) -> Cow<'_, str> {
    let is_barred = |c: char| {
        c.is_control() || matches!(u32::from(c), 0xfdd0..=0xfdef) || u32::from(c) & 0xfffe == 0xfffe
    };
    if text.contains(is_barred) {
        Cow::Owned(text.chars().map(|c| if is_barred(c) { char::REPLACEMENT_CHARACTER } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}
