//! `format cloudevents` and `cloudevents_batch`: CloudEvents 1.0.2 in structured mode, for any path.
//!
//! A request holds one CloudEvent, or an array of them. `data` is a native document. `source` is the cluster, `type` the
//! kind with the reason (or the verb of an audit record), and `subject` the object. `id` together with `source` is unique,
//! as the specification requires. The extension attribute `service` is the first Service under impact,
//! `namespace/name`. Characters that an attribute must not hold are replaced.
//!
//! The status of the response decides.

use std::borrow::Cow;
use std::fmt::{self, Write};

use serde::{Serialize, Serializer};

use super::common::Common;
use super::framing::Framing;
use super::interface::{Adjusted, Format, RenderError};
use super::json;
use super::limit::{Limit, Over, Unit};
use super::native::{Native, NativeDocument, Time};
use super::record::Record;
use crate::kind::Kind;

/// The size that every intermediary must forward.
const EVENT: Limit = Limit {
    of: Limit::RECORD,
    most: 64 << 10,
    unit: Unit::Bytes,
    over: Over::Receiver,
    source: "cloudevents/spec cloudevents/spec.md (size limits: what intermediaries must forward)",
};

pub(super) struct CloudEvents {
    native: Native,
    source: String,
    framing: Framing,
}

impl CloudEvents {
    /// The framing selects one event per request, or an array of them.
    pub(super) fn new(native: Native, framing: Framing) -> Self {
        Self { source: source(&native.cluster), native, framing }
    }
}

impl Format for CloudEvents {
    fn framing(&self) -> Framing {
        self.framing
    }

    /// As the HTTP binding of CloudEvents 1.0.2 names them.
    fn content_type(&self) -> Cow<'_, str> {
        let kind = if self.framing.is_alone { "cloudevents" } else { "cloudevents-batch" };
        format!("application/{kind}+json; charset=UTF-8").into()
    }

    fn limits(&self) -> &'static [Limit] {
        &[EVENT]
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        json::write(&document(record, &self.source, self.native.document(record)), out);
        Ok(Adjusted::default())
    }
}

#[derive(Serialize)]
struct CloudEvent<'r> {
    specversion: &'static str,
    id: Cow<'r, str>,
    source: &'r str,
    r#type: Joined<'r, 2>,
    #[serde(skip_serializing_if = "Joined::is_empty")]
    subject: Joined<'r, 3>,
    #[serde(skip_serializing_if = "Time::is_unknown")]
    time: Time,
    datacontenttype: &'static str,
    /// An extension attribute: the first Service under impact, for routing without reading `data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Joined<'r, 2>>,
    data: NativeDocument<'r>,
}

fn document<'r>(record: &Record<'r, 'r>, source: &'r str, data: NativeDocument<'r>) -> CloudEvent<'r> {
    let Common { time, reason, action, object, .. } = Common::of(record);
    let (kind, more) = match record.content.kind() {
        Kind::Event => ("io.k8s.event", reason),
        Kind::Audit => ("io.k8s.audit", action),
        Kind::Violation => ("io.gatekeeper.violation", reason),
        Kind::Other => ("io.fluentbit.record", ""),
    };
    let what = if object.kind.is_empty() { object.resource } else { object.kind };
    let first = record.impact.services.first();
    CloudEvent {
        specversion: "1.0",
        id: attribute(record.id),
        source,
        r#type: Joined { parts: [kind, more], by: "." },
        subject: Joined { parts: [object.namespace, what, object.name], by: "/" },
        time: Time(time),
        datacontenttype: "application/json",
        service: first.map(|one| Joined { parts: [one.namespace, one.name], by: "/" }),
        data,
    }
}

/// An attribute of several parts; empty ones are left out. It is written without an intermediate text.
struct Joined<'r, const N: usize> {
    parts: [&'r str; N],
    by: &'static str,
}

impl<const N: usize> Joined<'_, N> {
    fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.is_empty())
    }
}

impl<const N: usize> fmt::Display for Joined<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut by = "";
        for part in self.parts.iter().filter(|part| !part.is_empty()) {
            f.write_str(by)?;
            f.write_str(&attribute(part))?;
            by = self.by;
        }
        Ok(())
    }
}

impl<const N: usize> Serialize for Joined<'_, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `/k8s/<cluster>/events`: a URI-reference, as the specification requires.
fn source(cluster: &str) -> String {
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

/// A text without control characters and noncharacters, which an attribute of type String must not hold.
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
