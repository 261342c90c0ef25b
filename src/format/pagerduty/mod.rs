//! `format pagerduty`: trigger events of PagerDuty's Events API v2, `POST https://events.pagerduty.com/v2/enqueue`
//! (EU: events.eu.pagerduty.com).
//!
//! A request holds one event. A series is one incident: `dedup_key` is the event object's uid, the constraint with the
//! violating object, or the `auditID`. The first Service under impact is the `group`; `custom_details` is the native
//! document with all of them. Records do not say when a series is over, so the plugin resolves nothing: PagerDuty's
//! auto-resolve does. `types Warning` prevents pages for `Normal` events. The body of each event holds the routing key,
//! which is read at the start: a new key needs a restart. Nothing is compressed.
//!
//! An event above 512 KB is cut: the largest members of the details first, a text at its end, other values as their JSON.
//!
//! A 202 means that PagerDuty took the event. After a 400 the event is dead-lettered, unless the 400 concerns the key
//! (`response`). After a 429 or a 5xx the event is resent.

mod limits;
mod response;

use std::borrow::Cow;

use serde::Serialize;

use crate::format::common::Common;
use crate::format::framing::Framing;
use crate::format::interface::{Adjusted, Format, RenderError};
use crate::format::limit::Limit;
use crate::format::native::{Native, NativeDocument, Time};
use crate::format::record::Record;
use crate::format::text::{self, Cutter};
use crate::format::{fit, json};
use crate::response::{Disposition, Response};

/// The API documents no limit for these fields; each is one line, as the summary is.
const ONE_LINE: Limit = limits::SUMMARY;
/// Takes the place of the key if there is none.
const NO_KEY: &str = "00000000000000000000000000000000";

/// It has no `Debug`, because it holds the key.
pub(in crate::format) struct PagerDuty {
    native: Native,
    routing_key: String,
}

impl PagerDuty {
    pub(in crate::format) fn new(native: Native, routing_key: Option<&str>) -> Self {
        Self { native, routing_key: routing_key.unwrap_or(NO_KEY).to_owned() }
    }
}

impl Format for PagerDuty {
    fn framing(&self) -> Framing {
        Framing::ALONE
    }

    fn limits(&self) -> &'static [Limit] {
        limits::ALL
    }

    fn classify(&self, response: &Response<'_>) -> Option<Disposition> {
        response::classify(response)
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        let (common, cutter, before) = (Common::of(record), Cutter::default(), out.len());
        let object = text::object(&common.object);
        let group = record.impact.services.first().map(text::service).unwrap_or_default();
        let event = Event {
            routing_key: &self.routing_key,
            event_action: "trigger",
            dedup_key: text::series(record, limits::DEDUP_KEY.usize()),
            client: "fluent-bit event_gateway",
            payload: Payload {
                summary: cutter.text(text::summary(record, &common, &object), &limits::SUMMARY),
                source: cutter.text(self.source(&object), &ONE_LINE),
                severity: common.severity.name(),
                timestamp: Time(common.time),
                component: cutter.text(common.component, &ONE_LINE),
                group: cutter.text(group, &ONE_LINE),
                class: cutter.text(text::rule(record, &common), &ONE_LINE),
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

impl PagerDuty {
    /// Cuts the details of the event that begins at `before`; they are its last member.
    fn shorten(&self, record: &Record<'_, '_>, before: usize, out: &mut Vec<u8>) -> Result<(), RenderError> {
        const END: &[u8] = b"}}";
        let whole = out.len() - before;
        let mut details = Vec::new();
        json::write(&self.native.document(record), &mut details);
        let around = whole.saturating_sub(details.len());
        let room = limits::EVENT.usize().saturating_sub(around);
        let fitted =
            fit::fit(&details, room).ok_or(RenderError::TooLarge { bytes: whole, limit: limits::EVENT })?;
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
    /// The last member, because it is cut.
    custom_details: NativeDocument<'r>,
}

fn is_unknown(time: &Time) -> bool {
    time.0.is_none()
}

impl PagerDuty {
    /// Cluster and object, `prod-eu: Pod shop/cart-1`; never blank.
    fn source(&self, object: &str) -> String {
        match (self.native.cluster.trim(), object) {
            ("", "") => "kubernetes".to_owned(),
            ("", object) => object.to_owned(),
            (cluster, "") => cluster.to_owned(),
            (cluster, object) => format!("{cluster}: {object}"),
        }
    }
}
