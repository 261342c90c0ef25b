//! `format gelf`: GELF 1.1 over HTTP for Graylog's input, `POST /gelf`.
//!
//! A request holds one message. `short_message` is one line; `full_message` is the whole text if that is longer. The
//! columns that all kinds share are additional fields, such as `_services`. Each is a text or a number. There is no `_id`,
//! which Graylog sets itself.
//!
//! `host` and `short_message` are never blank. A message is cut to the input's default limit, which applies after
//! decompression.
//!
//! A 202 comes before Graylog decodes the message; it drops a message that it cannot decode. A request above the limit
//! gets a 413.

use std::borrow::Cow;

use serde::Serialize;

use super::common::{Common, Severity};
use super::framing::Framing;
use super::interface::{Adjusted, Format, RenderError};
use super::limit::{Limit, Over, Unit};
use super::record::Record;
use super::text::{self, Cutter};
use super::{fit, json, times};
use crate::record::content::Content;
use crate::time::Stamp;

/// The limit of a whole message.
const MESSAGE: Limit = Limit {
    of: Limit::RECORD,
    most: 64 << 10,
    unit: Unit::Bytes,
    over: Over::Cut,
    source: "Graylog2/graylog2-server graylog2-server/src/main/java/org/graylog2/inputs/transports/AbstractHttpTransport.java (max_chunk_size)",
};
/// GELF names no limit; a list of messages shows about this much.
const SHORT: Limit = Limit { of: "short_message", most: 250, unit: Unit::Characters, ..MESSAGE };

pub(super) struct Gelf {
    pub(super) cluster: String,
}

impl Format for Gelf {
    fn framing(&self) -> Framing {
        Framing::ALONE
    }

    fn limits(&self) -> &'static [Limit] {
        &[MESSAGE]
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        let (common, cutter, before) = (Common::of(record), Cutter::default(), out.len());
        let happened = times::within(record.time_or_now(), Some(Stamp::EPOCH), None);
        json::write(&self.message(record, &common, &happened), out);
        let bytes = out.len() - before;
        if bytes > MESSAGE.usize() {
            let fitted = fit::fit(out.get(before..).unwrap_or_default(), MESSAGE.usize());
            let fitted = fitted.ok_or(RenderError::TooLarge { bytes, limit: MESSAGE })?;
            out.truncate(before);
            out.extend_from_slice(&fitted);
            cutter.leave_out();
        }
        Ok(Adjusted { time: happened.is_adjusted(), cut: cutter.has_cut(), ..Adjusted::default() })
    }
}

#[derive(Serialize)]
struct Message<'r> {
    version: &'static str,
    host: &'r str,
    short_message: Cow<'r, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    full_message: Cow<'r, str>,
    timestamp: f64,
    level: u8,
    _record_id: &'r str,
    _kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    _cluster: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    _namespace: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    _object_kind: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    _object_name: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    _object_uid: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    _event_type: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    _reason: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    _action: &'r str,
    _count: u64,
    _new_occurrences: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    _component: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    _node: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    _user: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    _response_code: Option<u64>,
    /// Names the Services under impact.
    #[serde(skip_serializing_if = "Option::is_none")]
    _services: Option<String>,
    _services_total: usize,
    #[serde(skip_serializing_if = "str::is_empty")]
    _original_time: String,
}

impl Gelf {
    fn message<'r>(
        &'r self,
        record: &Record<'r, 'r>,
        common: &Common<'r>,
        happened: &times::AcceptedTime,
    ) -> Message<'r> {
        let object = text::object(&common.object);
        let summary = text::summary(record, common, &object);
        let first_line = summary.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        // This cut is not reported, because the whole text follows in `full_message`.
        let short = Cutter::default().text(first_line.to_owned(), &SHORT);
        let full = if *short == summary { Cow::Borrowed("") } else { text::message(record, common) };
        let node = common.node(record.impact);
        let (user, response_code) = match record.content {
            Content::Audit(audit) => (&*audit.user.name, audit.response.code),
            _ => ("", None),
        };
        Message {
            version: "1.1",
            host: [node, &self.cluster]
                .into_iter()
                .find(|name| !name.trim().is_empty())
                .unwrap_or("kubernetes"),
            short_message: short,
            full_message: full,
            timestamp: times::unix_seconds(happened.time),
            level: syslog_level(common.severity),
            _record_id: record.id,
            _kind: record.content.kind().name(),
            _cluster: &self.cluster,
            _namespace: common.object.namespace,
            _object_kind: common.object.kind,
            _object_name: common.object.name,
            _object_uid: common.object.uid,
            _event_type: common.r#type,
            _reason: common.reason,
            _action: common.action,
            _count: common.count,
            _new_occurrences: record.new_occurrences,
            _component: common.component,
            _node: node,
            _user: user,
            _response_code: response_code,
            _services: text::services(record.impact),
            _services_total: record.impact.services_total,
            _original_time: happened.original_text(),
        }
    }
}

/// RFC 5424, 6.2.1.
fn syslog_level(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 2,
        Severity::Error => 3,
        Severity::Warning => 4,
        Severity::Info => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::{Correlation, Impact};
    use crate::record::event::KubeEvent;

    fn message(reason: &str, text: &str) -> serde_json::Value {
        let event = KubeEvent { reason: reason.into(), message: text.into(), ..KubeEvent::default() };
        let impact = Impact::without(Correlation::Off);
        let record = Record::new("u.1", Content::Event(&event), &impact, b"\x80");
        let mut out = Vec::new();
        Gelf { cluster: " ".to_owned() }.render(&record, &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn the_short_message_is_one_line_that_is_never_blank() {
        let short = |reason, text| message(reason, text)["short_message"].as_str().unwrap().to_owned();
        assert_eq!(short("Failed", "it did"), "Failed: it did");
        assert_eq!(short("\n \nFailed", "it\ndid"), "Failed: it");
        assert_eq!(short("", ""), "KubernetesEvent: (no message)");
        assert_eq!(short("Failed", &"x".repeat(999)).chars().count(), 250);
    }

    #[test]
    fn the_full_message_follows_if_it_is_longer() {
        assert_eq!(message("Failed", "it did").get("full_message"), None);
        assert_eq!(message("Failed", "it\ndid")["full_message"], "it\ndid");
        assert_eq!(message("Failed", &"x".repeat(999))["full_message"], "x".repeat(999));
    }

    #[test]
    fn a_blank_name_is_no_host() {
        assert_eq!(message("Failed", "it did")["host"], "kubernetes");
    }
}
