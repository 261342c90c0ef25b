//! A format within the limits of its receiver.

use std::borrow::Cow;

use super::by_name;
use super::framing::Framing;
use super::interface::{Adjusted, Format, RenderError};
use super::limit::Limit;
use super::record::Record;
use crate::config::{ConfigError, FormatName, RenderSettings, ServiceSettings};

/// The format that the settings name.
pub struct Renderer {
    format: Box<dyn Format>,
    record_limit: Option<Limit>,
    request_limit: Option<Limit>,
}

impl Renderer {
    /// Opens the format. `body_key` is the secret that some services require in each record. Without it, zeros take its
    /// place, for example to show the format.
    ///
    /// # Errors
    /// All errors of the files that the format needs.
    pub fn open(settings: &RenderSettings, body_key: Option<&str>) -> Result<Self, Vec<ConfigError>> {
        by_name::open(settings, body_key).map(Self::of)
    }

    /// The format with default settings.
    ///
    /// # Errors
    /// If the format needs a file.
    pub fn new(format: FormatName, cluster_name: &str) -> Result<Self, Vec<ConfigError>> {
        let (cluster_name, services) = (cluster_name.to_owned(), ServiceSettings::default());
        let settings = RenderSettings { format, cluster_name, audit_bodies: false, template: None, services };
        Self::open(&settings, None)
    }

    fn of(format: Box<dyn Format>) -> Self {
        let limits = format.limits();
        Self { record_limit: Limit::of_record(limits), request_limit: Limit::of_request(limits), format }
    }

    /// The format itself, to classify responses.
    #[must_use]
    pub fn format(&self) -> &dyn Format {
        &*self.format
    }

    /// As [`Format::framing`].
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.format.framing()
    }

    /// As [`Format::content_type`].
    #[must_use]
    pub fn content_type(&self) -> Cow<'_, str> {
        self.format.content_type()
    }

    /// The limit of a request before compression; `None` if its receivers document none.
    #[must_use]
    pub fn request_limit(&self) -> Option<Limit> {
        self.request_limit
    }

    /// Appends the record, without the bytes between records.
    ///
    /// # Errors
    /// Why the format or its receiver cannot hold the record; nothing is appended then.
    pub fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        let before = out.len();
        let rendered = self.format.render(record, out);
        let rendered = match self.record_limit {
            Some(limit) => rendered.and_then(|adjusted| {
                let bytes = out.len() - before;
                let is_over = bytes + self.format.framing().around_bytes(1) > limit.usize();
                if is_over { Err(RenderError::TooLarge { bytes, limit }) } else { Ok(adjusted) }
            }),
            None => rendered,
        };
        let count = record.content.implausible_count().is_some();
        rendered.map(|adjusted| Adjusted { count, ..adjusted }).inspect_err(|_| out.truncate(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::{Correlation, Impact};
    use crate::format::{Over, Unit};
    use crate::record::content::Content;

    struct OfBytes(usize);

    impl Format for OfBytes {
        fn framing(&self) -> Framing {
            Framing::ARRAY
        }

        fn limits(&self) -> &'static [Limit] {
            &[Limit {
                of: Limit::REQUEST,
                most: 1_000,
                unit: Unit::Bytes,
                over: Over::NextRequest,
                source: "here",
            }]
        }

        fn render(&self, _: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
            out.resize(out.len() + self.0, b'x');
            Ok(Adjusted::default())
        }
    }

    #[test]
    fn a_record_over_its_receivers_limit_is_not_rendered_and_says_why() {
        let around = Framing::ARRAY.around_bytes(1);
        let impact = Impact::without(Correlation::Off);
        let record = Record::new("1", Content::Other, &impact, b"\x80");
        for (bytes, has_room) in [(1_000 - around, true), (1_001 - around, false)] {
            let renderer = Renderer::of(Box::new(OfBytes(bytes)));
            let mut out = b"before".to_vec();
            let rendered = renderer.render(&record, &mut out);
            assert_eq!((rendered.is_ok(), out.len() > 6), (has_room, has_room));
            if let Err(why) = rendered {
                let why = why.to_string();
                assert!(why.contains(&format!("{bytes} bytes")) && why.contains("1000"), "{why}");
            }
        }
    }

    #[test]
    fn a_limit_of_a_request_is_one_of_a_record() {
        for format in FormatName::WORDS.iter().map(|(_, format)| *format) {
            // The receiver of a template is not known.
            let Ok(Renderer { record_limit, request_limit, .. }) = Renderer::new(format, "") else {
                continue;
            };
            assert!(
                request_limit.is_none_or(|request| record_limit.is_some_and(|one| one.most <= request.most))
            );
        }
        let limit = |format| Renderer::new(format, "").ok().and_then(|renderer| renderer.record_limit);
        assert_eq!(limit(FormatName::Native), None);
        assert_eq!(limit(FormatName::CloudEvents), None, "what intermediaries must forward is no limit");
        assert_eq!(limit(FormatName::PagerDuty).map(|limit| limit.most), Some(512_000));
    }
}
