//! `format pagerduty`: trigger events of PagerDuty's Events API v2, `POST https://events.pagerduty.com/v2/enqueue`
//! (EU: events.eu.pagerduty.com), one a request.
//!
//! A series is one incident: `dedup_key` is the event object's uid, the constraint and what violates it, or the
//! `auditID`. The first Service under impact is the `group`; all of them are in `custom_details`, which is the native
//! document. Nothing tells when a series is over, so nothing is resolved: PagerDuty's own auto-resolve is for that.
//! Whoever does not want a page for each `Normal` event sets `types Warning`.
//!
//! The routing key stands in the body of each event, read at the start: a new one needs a restart. 202 means that it
//! has the event. A 400 is final, and puts the event away, unless it is about the key ([`Answers::PagerDuty`]); 429
//! and 5xx come again. Nothing is compressed.

use serde::Serialize;

use super::super::common::Common;
use super::super::native::{self, Native, Time};
use super::super::{Answers, Form, Record, json};
use super::words;

/// "The maximum permitted length of this property is 1024 characters."
const MOST_SUMMARY: usize = 1_024;
/// "The maximum permitted length of this property is 255 characters."
const MOST_DEDUP_KEY: usize = 255;
/// What stands for the key where there is none.
const NO_KEY: &str = "00000000000000000000000000000000";

/// Deliberately without `Debug`.
pub(in super::super) struct Layout {
    native: native::Layout,
    routing_key: String,
}

impl Layout {
    pub(in super::super) fn new(native: native::Layout, routing_key: Option<&str>) -> Self {
        Self { native, routing_key: routing_key.unwrap_or(NO_KEY).to_owned() }
    }
}

impl super::super::Layout for Layout {
    fn form(&self) -> Form {
        Form::ALONE
    }

    fn answers(&self) -> Answers {
        Answers::PagerDuty
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<(), String> {
        let common = Common::of(record);
        let object = words::object(&common.object);
        let group = record.impact.services.first().map(words::service);
        let event = Event {
            routing_key: &self.routing_key,
            event_action: "trigger",
            dedup_key: words::series(record, MOST_DEDUP_KEY),
            client: "fluent-bit event_gateway",
            payload: Payload {
                summary: summary(record, &common, &object),
                source: self.source(&object),
                severity: common.severity.name(),
                timestamp: Time(common.time),
                component: common.component,
                group: group.unwrap_or_default(),
                class: words::rule(record, &common),
                custom_details: self.native.document(record),
            },
        };
        json::write(&event, out);
        Ok(())
    }
}

#[derive(Serialize)]
struct Event<'r> {
    routing_key: &'r str,
    event_action: &'static str,
    dedup_key: String,
    client: &'static str,
    payload: Payload<'r>,
}

#[derive(Serialize)]
struct Payload<'r> {
    summary: String,
    source: String,
    severity: &'static str,
    #[serde(skip_serializing_if = "is_unknown")]
    timestamp: Time,
    #[serde(skip_serializing_if = "str::is_empty")]
    component: &'r str,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    class: &'r str,
    custom_details: Native<'r>,
}

fn is_unknown(time: &Time) -> bool {
    time.0.is_none()
}

/// `Unhealthy Pod shop/cart-1: Readiness probe failed`.
fn summary(record: &Record<'_, '_>, common: &Common<'_>, object: &str) -> String {
    let (rule, message) = (words::rule(record, common), words::message(record, common));
    let space = if object.is_empty() { "" } else { " " };
    words::cut(&format!("{rule}{space}{object}: {message}"), MOST_SUMMARY).into_owned()
}

impl Layout {
    /// Where it is; never empty. `prod-eu: Pod shop/cart-1`.
    fn source(&self, object: &str) -> String {
        match (self.native.cluster.as_str(), object) {
            ("", "") => "kubernetes".to_owned(),
            ("", object) => object.to_owned(),
            (cluster, "") => cluster.to_owned(),
            (cluster, object) => format!("{cluster}: {object}"),
        }
    }
}
