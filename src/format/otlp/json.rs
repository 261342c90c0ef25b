//! OTLP in JSON: protobuf's JSON mapping, with 64-bit integers as texts and enums as numbers, as OTLP requires.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::log::{AttributeValue, Attributes, Log, SCOPE};
use crate::format::json;

/// Appends an item of `resourceLogs`.
pub(super) fn write(log: &Log<'_>, out: &mut Vec<u8>) {
    json::write(&ResourceLogs(log), out);
}

struct ResourceLogs<'l>(&'l Log<'l>);

impl Serialize for ResourceLogs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Resource<'l> {
            attributes: AttributePairs<'l>,
        }
        #[derive(serde::Serialize)]
        struct Scope {
            name: &'static str,
            version: &'static str,
        }
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        struct LogRecord<'l> {
            #[serde(serialize_with = "as_text")]
            time_unix_nano: u64,
            #[serde(serialize_with = "as_text")]
            observed_time_unix_nano: u64,
            severity_number: u8,
            severity_text: &'l str,
            body: AnyValue<'l>,
            attributes: AttributePairs<'l>,
            event_name: &'static str,
        }
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        struct ScopeLogs<'l> {
            scope: Scope,
            log_records: [LogRecord<'l>; 1],
        }
        let log = self.0;
        let record = LogRecord {
            time_unix_nano: log.time_nanos,
            observed_time_unix_nano: log.observed_nanos,
            severity_number: log.severity,
            severity_text: log.severity_text,
            body: AnyValue::Text(&log.body),
            attributes: AttributePairs(&log.attributes),
            event_name: log.event_name,
        };
        let scope = Scope { name: SCOPE.0, version: SCOPE.1 };
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("resource", &Resource { attributes: AttributePairs(&log.resource) })?;
        map.serialize_entry("scopeLogs", &[ScopeLogs { scope, log_records: [record] }])?;
        map.end()
    }
}

fn as_text<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

struct AttributePairs<'l>(&'l Attributes<'l>);

impl Serialize for AttributePairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct AttributePair<'l> {
            key: &'l str,
            value: AnyValue<'l>,
        }
        serializer
            .collect_seq(self.0.iter().map(|(key, value)| AttributePair { key, value: AnyValue::of(value) }))
    }
}

/// An `AnyValue`: one member, named by its type.
enum AnyValue<'l> {
    Text(&'l str),
    Int(i64),
    List(&'l [std::borrow::Cow<'l, str>]),
}

impl<'l> AnyValue<'l> {
    fn of(value: &'l AttributeValue<'l>) -> Self {
        match value {
            AttributeValue::Text(text) => Self::Text(text),
            AttributeValue::Int(number) => Self::Int(*number),
            AttributeValue::List(texts) => Self::List(texts),
        }
    }
}

impl Serialize for AnyValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Values<'l> {
            values: Vec<AnyValue<'l>>,
        }
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Text(text) => map.serialize_entry("stringValue", text)?,
            Self::Int(number) => map.serialize_entry("intValue", &number.to_string())?,
            Self::List(texts) => {
                let values = texts.iter().map(|text| AnyValue::Text(text)).collect();
                map.serialize_entry("arrayValue", &Values { values })?;
            }
        }
        map.end()
    }
}
