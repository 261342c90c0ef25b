//! `format pagerduty`: trigger events of PagerDuty's Events API v2, `POST https://events.pagerduty.com/v2/enqueue`
//! (EU: events.eu.pagerduty.com), one a request.
//!
//! A series is one incident: `dedup_key` is the event object's uid, the constraint and what violates it, or the
//! `auditID`. The first Service under impact is the `group`; all of them are in `custom_details`, which is the native
//! document. Nothing says when a series is over, so nothing is resolved: PagerDuty's own auto-resolve is for that.
//! Whoever does not want a page for each `Normal` event sets `types Warning`.
//!
//! An event larger than 512 KB is cut: of the details the largest members, texts at their end, others as their JSON.
//!
//! The routing key stands in the body of each event, read at the start: a new one needs a restart. 202 means that it
//! has the event. A 400 is final, and puts the event away, unless it is about the key ([`Answers::PagerDuty`]); 429
//! and 5xx come again. Nothing is compressed.

use std::borrow::Cow;

use serde::Serialize;

use super::super::common::Common;
use super::super::limits::{Limit, pagerduty as limits};
use super::super::native::{self, Native, Time};
use super::super::{Adjusted, Answers, Form, Record, fit, json};
use super::words::{self, Cutter};

/// The API names no limit of these fields; they are for one line each, as the summary is.
const ONE_LINE: Limit = limits::SUMMARY;
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

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, String> {
        let (common, cutter, before) = (Common::of(record), Cutter::default(), out.len());
        let object = words::object(&common.object);
        let group = record.impact.services.first().map(words::service).unwrap_or_default();
        let event = Event {
            routing_key: &self.routing_key,
            event_action: "trigger",
            dedup_key: words::series(record, limits::DEDUP_KEY.usize()),
            client: "fluent-bit event_gateway",
            payload: Payload {
                summary: cutter.text(summary(record, &common, &object), &limits::SUMMARY),
                source: cutter.text(self.source(&object), &ONE_LINE),
                severity: common.severity.name(),
                timestamp: Time(common.time),
                component: cutter.text(common.component, &ONE_LINE),
                group: cutter.text(group, &ONE_LINE),
                class: cutter.text(words::rule(record, &common), &ONE_LINE),
                custom_details: self.native.document(record),
            },
        };
        json::write(&event, out);
        if out.len() - before > limits::EVENT.usize() {
            self.shorten(record, before, out)?;
            cutter.leave_out();
        }
        Ok(Adjusted { time: false, cut: cutter.has_cut(), ..Adjusted::default() })
    }
}

impl Layout {
    /// Cuts the details of the event that begins at `before`; they are the last of it.
    fn shorten(&self, record: &Record<'_, '_>, before: usize, out: &mut Vec<u8>) -> Result<(), String> {
        const END: &[u8] = b"}}";
        let whole = out.len() - before;
        let mut details = Vec::new();
        json::write(&self.native.document(record), &mut details);
        let around = whole.saturating_sub(details.len());
        let room = limits::EVENT.usize().saturating_sub(around);
        let fitted = fit::fit(&details, room).ok_or_else(|| limits::EVENT.exceeded(whole))?;
        out.truncate(before + around.saturating_sub(END.len()));
        out.extend_from_slice(&fitted);
        out.extend_from_slice(END);
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
    summary: Cow<'r, str>,
    source: Cow<'r, str>,
    severity: &'static str,
    #[serde(skip_serializing_if = "is_unknown")]
    timestamp: Time,
    #[serde(skip_serializing_if = "str::is_empty")]
    component: Cow<'r, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    group: Cow<'r, str>,
    class: Cow<'r, str>,
    /// The last of the event, where it is cut.
    custom_details: Native<'r>,
}

fn is_unknown(time: &Time) -> bool {
    time.0.is_none()
}

/// `Unhealthy Pod shop/cart-1: Readiness probe failed`.
fn summary(record: &Record<'_, '_>, common: &Common<'_>, object: &str) -> String {
    let (rule, message) = (words::rule(record, common), words::message(record, common));
    let space = if object.is_empty() { "" } else { " " };
    format!("{rule}{space}{object}: {message}")
}

impl Layout {
    /// Where it is; never blank. `prod-eu: Pod shop/cart-1`.
    fn source(&self, object: &str) -> String {
        match (self.native.cluster.trim(), object) {
            ("", "") => "kubernetes".to_owned(),
            ("", object) => object.to_owned(),
            (cluster, "") => cluster.to_owned(),
            (cluster, object) => format!("{cluster}: {object}"),
        }
    }
}
