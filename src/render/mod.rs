//! A record becomes the text that goes out, one file or folder per format.
//!
//! The same record always renders to the same bytes: no random id, no map without an order, and no clock but
//! [`Record::now`], which some receivers' times depend on.
//! A new format is a file with its [`Layout`], and a line in [`layout`].

mod cloudevents;
mod common;
mod ecs;
pub mod enriched;
mod fit;
mod form;
pub mod json;
pub mod limits;
mod native;
mod otlp;
mod presets;
mod raw;
mod template;
mod times;

use std::borrow::Cow;

use crate::config::{ConfigError, Format, PresetSettings, RenderSettings};
use crate::correlate::Impact;
use crate::record::content::Content;
use crate::time::Stamp;

pub use form::{Answers, Form};
use limits::Limit;

/// What a format makes its text of.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r, 'a> {
    /// As [`write_id`](crate::record::identity::write_id) makes it.
    pub id: &'r str,
    pub content: Content<'r, 'a>,
    /// Occurrences since the last delivery; all of them for a new event.
    pub new_occurrences: u32,
    /// What the event touches.
    pub impact: &'r Impact<'r>,
    /// The body as it came: a whole MessagePack value, nearly always a map.
    pub body: &'a [u8],
    /// When the host took it in: the record's own timestamp, for what has no time.
    pub taken: Option<Stamp>,
    /// The time at which it is rendered, for receivers that take no other times than those around it.
    pub now: Stamp,
}

impl<'r, 'a> Record<'r, 'a> {
    /// A record as it comes for the first time, at its own time.
    #[must_use]
    pub fn new(id: &'r str, content: Content<'r, 'a>, impact: &'r Impact<'r>, body: &'a [u8]) -> Self {
        let now = content.time().unwrap_or(Stamp::EPOCH);
        Self { id, content, new_occurrences: 1, impact, body, taken: None, now }
    }

    /// When it happened last, or else when the host took it in.
    #[must_use]
    pub fn time(&self) -> Option<Stamp> {
        self.content.time().or(self.taken.filter(|time| time.is_set()))
    }

    /// The same, or else the time at which it is rendered: for receivers that take nothing without a time.
    #[must_use]
    pub fn time_or_now(&self) -> Stamp {
        self.time().unwrap_or(self.now)
    }

    /// When it happened first, or else, where it has no time at all, when the host took it in.
    #[must_use]
    pub fn first_time(&self) -> Option<Stamp> {
        self.content.first_time().or_else(|| self.time().filter(|_| self.content.time().is_none()))
    }
}

/// What a format changed of a record, so that its receiver takes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Adjusted {
    /// The receiver gets another time than the true one, which stands in a field.
    pub time: bool,
    /// Something of it was cut, or left out.
    pub cut: bool,
    /// It says that it happened more often than can be, and the count is bounded.
    pub count: bool,
}

/// A format, with what it has to know.
trait Layout: Send + Sync {
    fn form(&self) -> Form {
        Form::LINES
    }

    /// Of a request's body. Lines are named as the NDJSON specification has it.
    fn content_type(&self) -> Cow<'_, str> {
        if self.form() == Form::LINES { "application/x-ndjson" } else { "application/json" }.into()
    }

    /// What a 2xx of its gateways means.
    fn answers(&self) -> Answers {
        Answers::Status
    }

    /// Appends the record without what stands between records. An error, for a person, leaves what was appended.
    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, String>;
}

fn layout(settings: &RenderSettings, body_key: Option<&str>) -> Result<Box<dyn Layout>, Vec<ConfigError>> {
    let RenderSettings { format, cluster_name, audit_bodies, template, presets } = settings;
    let cluster = cluster_name.clone();
    let native = native::Layout { cluster: cluster_name.clone(), audit_bodies: *audit_bodies };
    Ok(match format {
        Format::Native => Box::new(native),
        Format::CloudEvents => Box::new(cloudevents::Layout::new(native, Form::ALONE)),
        Format::CloudEventsBatch => Box::new(cloudevents::Layout::new(native, Form::ARRAY)),
        Format::Raw => Box::new(raw::Layout),
        Format::Template => Box::new(template::Layout::open(template.as_ref(), native)?),
        Format::SplunkHec => Box::new(presets::splunk_hec::Layout::new(native, presets)),
        Format::Datadog => Box::new(presets::datadog::Layout { cluster }),
        Format::Loki => Box::new(presets::loki::Layout { native }),
        Format::Alertmanager => Box::new(presets::alertmanager::Layout::new(native, presets)),
        Format::PagerDuty => Box::new(presets::pagerduty::Layout::new(native, body_key)),
        Format::Falco => Box::new(presets::falco::Layout { cluster }),
        Format::KubernetesEventExporter => Box::new(presets::kubernetes_event_exporter::Layout { cluster }),
        Format::K8stream => Box::new(presets::k8stream::Layout),
        Format::Eventrouter => Box::new(presets::eventrouter::Layout),
        Format::Otlp => Box::new(otlp::Layout { cluster, encoding: otlp::Encoding::Protobuf }),
        Format::OtlpJson => Box::new(otlp::Layout { cluster, encoding: otlp::Encoding::Json }),
        Format::Ecs => Box::new(ecs::Layout { cluster, index: None }),
        Format::Elasticsearch => {
            Box::new(ecs::Layout { cluster, index: Some(presets.elasticsearch_index.clone()) })
        }
    })
}

/// The format that the settings ask for.
pub struct Renderer {
    layout: Box<dyn Layout>,
    /// What a record may have at most.
    most: Option<Limit>,
    request: Option<Limit>,
}

impl Renderer {
    /// `body_key` is the secret that `format pagerduty` puts into each record; without one zeros stand there, which
    /// is right for a look at the format.
    ///
    /// # Errors
    /// What is wrong with what the format is made of.
    pub fn open(settings: &RenderSettings, body_key: Option<&str>) -> Result<Self, Vec<ConfigError>> {
        let (most, request) = (limits::record(settings.format), limits::request(settings.format));
        Ok(Self { layout: layout(settings, body_key)?, most, request })
    }

    /// A format that is made of nothing else, as it is when nothing else is set.
    ///
    /// # Errors
    /// When it is made of something else.
    pub fn new(format: Format, cluster_name: &str) -> Result<Self, Vec<ConfigError>> {
        let (cluster_name, presets) = (cluster_name.to_owned(), PresetSettings::default());
        let settings = RenderSettings { format, cluster_name, audit_bodies: false, template: None, presets };
        Self::open(&settings, None)
    }

    #[must_use]
    pub fn form(&self) -> Form {
        self.layout.form()
    }

    #[must_use]
    pub fn content_type(&self) -> Cow<'_, str> {
        self.layout.content_type()
    }

    #[must_use]
    pub fn answers(&self) -> Answers {
        self.layout.answers()
    }

    /// What a request may hold, before compression; `None` where its receivers document no limit.
    #[must_use]
    pub fn request_limit(&self) -> Option<Limit> {
        self.request
    }

    /// Appends the record, without what stands between records.
    ///
    /// # Errors
    /// Why the format or its receiver cannot hold it, for a person; nothing was appended then.
    pub fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, String> {
        let before = out.len();
        let rendered = self.layout.render(record, out);
        let rendered = match self.most {
            Some(limit) => rendered.and_then(|adjusted| {
                let bytes = out.len() - before;
                let is_over = bytes + self.layout.form().around_bytes(1) > limit.usize();
                if is_over { Err(limit.exceeded(bytes)) } else { Ok(adjusted) }
            }),
            None => rendered,
        };
        let count = record.content.implausible_count().is_some();
        rendered.map(|adjusted| Adjusted { count, ..adjusted }).inspect_err(|_| out.truncate(before))
    }
}

/// A record as it came, for the dead letters: like `format raw`, whatever the format is.
#[must_use]
pub fn original(id: &str, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() * 2);
    raw::write(id, body, None, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::Correlation;

    struct OfBytes(usize);

    impl Layout for OfBytes {
        fn form(&self) -> Form {
            Form::STREAMS
        }

        fn render(&self, _: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, String> {
            out.resize(out.len() + self.0, b'x');
            Ok(Adjusted::default())
        }
    }

    #[test]
    fn a_record_over_its_receivers_limit_is_not_rendered_and_says_why() {
        let around = Form::STREAMS.around_bytes(1);
        let impact = Impact::without(Correlation::Off);
        let record = Record::new("1", Content::Other, &impact, b"\x80");
        for (bytes, has_room) in [(1_000 - around, true), (1_001 - around, false)] {
            let most = Some(Limit { most: 1_000, ..limits::loki::PUSH });
            let renderer = Renderer { layout: Box::new(OfBytes(bytes)), most, request: most };
            let mut out = b"before".to_vec();
            let rendered = renderer.render(&record, &mut out);
            assert_eq!((rendered.is_ok(), out.len() > 6), (has_room, has_room));
            if let Err(why) = rendered {
                assert!(why.contains(&format!("{bytes} bytes")) && why.contains("1000"), "{why}");
            }
        }
    }

    #[test]
    fn every_limit_of_a_request_is_one_of_a_record() {
        for (_, format) in Format::WORDS {
            let (record, request) = (limits::record(*format), limits::request(*format));
            assert!(request.is_none_or(|request| record.is_some_and(|record| record.most <= request.most)));
        }
        assert_eq!(limits::record(Format::Native), None);
        assert_eq!(limits::record(Format::CloudEvents), None, "what must be forwarded is no limit");
        assert_eq!(limits::record(Format::PagerDuty), Some(limits::pagerduty::EVENT));
    }
}
