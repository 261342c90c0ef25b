//! Any bytes as the body of a record: the event in it, what names it, and what every format makes of it.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use event_gateway::config::FormatName;
use event_gateway::correlate::{About, Correlation, Correlator, Impact};
use event_gateway::format::enriched::{self, Edits};
use event_gateway::format::{Record, Renderer, original};
use event_gateway::pattern::Patterns;
use event_gateway::record::chunk::Records;
use event_gateway::record::content::Content;
use event_gateway::record::cursor::Cursor;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::identity::{Version, record_id, versioned, write_id};
use event_gateway::record::shape::{Shape, shape_of};
use event_gateway::record::text::Repair;
use event_gateway::time::Stamp;
use event_gateway::topology::index::Index;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::parse::Parser;
use event_gateway::topology::writer::IndexWriter;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Body, Seen, data, distinct, strict};

const FORMATS: [FormatName; 4] =
    [FormatName::Native, FormatName::Raw, FormatName::CloudEvents, FormatName::CloudEventsBatch];

pub struct Event {
    renderers: [Renderer; 4],
    repair: Repair,
    id: String,
    out: Vec<u8>,
    record: Vec<u8>,
    turn: usize,
    seen: Seen,
}

/// What must stand once in a document that may hold anything else; serde refuses a second.
#[derive(Deserialize)]
struct Named<'w> {
    #[serde(borrow)]
    id: Cow<'w, str>,
}

/// `format raw` with what was added to it.
#[derive(Deserialize)]
#[allow(unused, reason = "it is there for serde")]
struct Enriched<'w> {
    #[serde(borrow)]
    id: Cow<'w, str>,
    impact: IgnoredAny,
}

#[derive(Deserialize)]
struct Wrapped<'w> {
    #[serde(borrow)]
    id: Cow<'w, str>,
    #[serde(borrow)]
    data: Named<'w>,
}

impl Body for Event {
    const NAME: &'static str = "event";

    const WORDS: &'static [&'static [u8]] = &[
        b"\xa8metadata",
        b"\xaeinvolvedObject",
        b"\xa9regarding",
        b"\xa6reason",
        b"\xa7message",
        b"\xa4note",
        b"\xa5count",
        b"\xafdeprecatedCount",
        b"\xa6series",
        b"\xb0lastObservedTime",
        b"\xa9eventTime",
        b"\xadlastTimestamp",
        b"\xafresourceVersion",
        b"\xadmanagedFields",
        b"\xa3uid",
        b"\xa2id",
        b"\xc4\x02id",
        b"\xa6impact",
        b"\xa9namespace",
        b"\xa4kind\xa7Service",
        b"\xb40000-01-01T00:00:00Z",
        b"\xb49999-12-31T23:59:59Z",
        b"\xb42016-12-31T23:59:60Z",
        b"\xbe9999-12-31T23:59:59.999999999Z",
        b"\xd9\x199999-12-31T23:59:59-00:01",
        b"\xb418446744073709551616",
        b"\xb30009223372036854775",
        &[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0],
        &[0xd2, 0x80, 0, 0, 0],
        &[0xce, 0x80, 0, 0, 0],
        &[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
        &[0xdf, 0, 0, 0, 1],
        &[0xdd, 0xff, 0xff, 0xff, 0xff],
        &[0xc7, 0x02, 0x01],
        &[0xd8, 0x05],
        &[0xc0],
        &[0xc1],
        b"\xa4\xff\xfe\xc0\x80",
        b"\xa6\x1b[31m\x07",
        b"\xa3\xe2\x80\xa8",
        b"\xa4\xef\xbf\xbe\x00",
        b"\x82\xa1\x1b\x01\xa6\\u001b\x02",
        b"\x82\x01\x01\xa11\x02",
        &[0x91; 62],
        &[0x81; 66],
    ];

    fn new() -> Self {
        // Made here, where nobody counts what it takes.
        let _ = cluster();
        Self {
            renderers: FORMATS.map(|format| Renderer::new(format, "a \"cluster\"").expect("a format")),
            repair: Repair::default(),
            id: String::new(),
            out: Vec::new(),
            record: Vec::new(),
            turn: 0,
            seen: Seen::default(),
        }
    }

    fn seeds() -> Vec<Vec<u8>> {
        let events = data::events();
        let twice = events.iter().step_by(11).map(data::packed_twice);
        events.iter().map(data::packed).chain(twice).collect()
    }

    fn check(&mut self, body: &[u8], closely: bool) {
        let repair = std::mem::take(&mut self.repair);
        let read = KubeEvent::read(body, &repair);
        let shape = shape_of(body);
        // What is no map is other, and nobody looks into it.
        assert!(shape == Ok(Shape::Other) || shape.is_ok() == read.is_ok(), "{shape:?}, {read:?}");
        assert!(!matches!(shape, Ok(Shape::Event)) || matches!(read, Ok(Some(_))), "{shape:?}, {read:?}");
        let event = read.ok().flatten();
        // As the chunk's reader measures it: one container is around it.
        let whole = Cursor::new(body).value_inside(1).ok();
        self.seen.note(event.is_some() && whole.is_some());
        if let (Some(event), Some(body)) = (&event, whole) {
            if closely {
                self.in_a_record(body, event);
            }
            self.found(body, event, closely);
        }
        self.repair = repair;
    }

    fn seen(&self) -> Seen {
        self.seen
    }
}

impl Event {
    /// An event, and the body it was read from: whole, and not too deep.
    pub fn found(&mut self, body: &[u8], event: &KubeEvent<'_>, closely: bool) {
        let content = Content::Event(event);
        write_id(&content, body, &mut self.id);
        let (uid, version) = (&*event.metadata.uid, &*event.metadata.resource_version);
        assert!(self.id.starts_with(uid) && self.id.len() > uid.len(), "{}", self.id);
        let known = versioned(&content, body).expect("an event");
        assert!(!known.version.is_newer_than(known.version));
        if !uid.is_empty() && !version.is_empty() {
            assert!(self.id.ends_with(version) && known.version == Version::parse(version));
        }
        self.turn += 1;
        let about = About::from(event);
        if closely {
            assert_eq!(self.id, record_id(event, body));
            distinct::check(body, &content);
            times(event);
            let (index, correlator) = cluster();
            let impact = correlator.correlate(index, &about);
            assert!(
                impact.services.len() <= correlator.max_services
                    && impact.services.len() <= impact.services_total
            );
            (0..FORMATS.len()).for_each(|format| self.rendered(format, body, event, &impact, true));
            self.kept_for_the_dead_letters(body);
            self.rewritten(body, event, &impact);
        } else {
            let impact = Impact::without(Correlation::Off);
            self.rendered(self.turn % FORMATS.len(), body, event, &impact, false);
        }
    }

    fn rendered(
        &mut self,
        format: usize,
        body: &[u8],
        event: &KubeEvent<'_>,
        impact: &Impact<'_>,
        closely: bool,
    ) {
        self.out.clear();
        let record = Record::new(&self.id, Content::Event(event), impact, body);
        self.renderers[format].render(&record, &mut self.out).expect("these formats hold everything");
        // A byte is six at the most, "\u0000", and stands in an id, a subject and a field; what is known of
        // the cluster comes on top.
        assert!(self.out.len() < 24 * body.len() + 20_000, "{} bytes of {}", self.out.len(), body.len());
        if !closely {
            return;
        }
        assert!(self.out.iter().all(|byte| *byte >= b' '), "a line of NDJSON is one line");
        let text = str::from_utf8(&self.out).expect("UTF-8");
        assert_eq!(strict::repeated_key(text), None, "{:?}: {text}", FORMATS[format]);
        match FORMATS[format] {
            FormatName::Native => assert_eq!(parsed::<Named<'_>>(text).id, self.id),
            FormatName::Raw => assert_eq!(parsed::<Enriched<'_>>(text).id, self.id),
            // Held against their own definitions elsewhere.
            FormatName::Otlp | FormatName::OtlpJson | FormatName::Ecs | FormatName::Elasticsearch => {}
            FormatName::CloudEvents | FormatName::CloudEventsBatch => {
                let Wrapped { id, data } = parsed(text);
                assert_eq!(data.id, self.id);
                // The attribute can hold fewer characters than the id itself, but none are left out.
                assert_eq!(id.chars().count(), data.id.chars().count());
            }
            other => unreachable!("{other:?} is none of these"),
        }
    }

    fn kept_for_the_dead_letters(&self, body: &[u8]) {
        let kept = original(&self.id, body);
        let kept = str::from_utf8(&kept).expect("UTF-8");
        assert_eq!(parsed::<Named<'_>>(kept).id, self.id);
        assert_eq!(strict::repeated_key(kept), None, "{kept}");
    }

    /// The filter's way: what comes out is one record with the same event.
    fn rewritten(&mut self, body: &[u8], event: &KubeEvent<'_>, impact: &Impact<'_>) {
        if has_head(body) {
            return;
        }
        self.frame(body);
        let record = std::mem::take(&mut self.record);
        let envelope = Records::new(&record).next().expect("a record").expect("a whole one");
        self.out.clear();
        let edits = Edits { impact: Some(impact), keep_managed_fields: false };
        assert_eq!(enriched::write(&envelope, &edits, &mut self.out), Ok(true));
        let again: Vec<_> = Records::new(&self.out).map(Result::unwrap).collect();
        assert_eq!(again.len(), 1, "one record became {again:?}");
        let repair = Repair::default();
        assert_eq!(KubeEvent::read(again[0].body, &repair), Ok(Some(event.clone())));
        self.record = record;
    }

    /// The chunk's reader finds the same event in a record of this body, and nothing else.
    fn in_a_record(&mut self, body: &[u8], event: &KubeEvent<'_>) {
        if has_head(body) {
            return;
        }
        self.frame(body);
        let repair = Repair::default();
        let mut records = Records::new(&self.record);
        let (envelope, read) = records
            .next_with(|body| KubeEvent::read_at(body, &repair))
            .expect("a record")
            .expect("a whole one");
        assert_eq!(envelope.body, body);
        // Missing: it holds so many containers that its depth was measured instead.
        assert!(read.is_none_or(|read| read.as_ref() == Some(event)));
        assert!(records.next().is_none());
    }

    fn frame(&mut self, body: &[u8]) {
        self.record.clear();
        self.record.extend_from_slice(data::HEADS[0]);
        self.record.extend_from_slice(body);
    }
}

fn parsed<'t, T: Deserialize<'t>>(text: &'t str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Whether another record may begin inside: no text can hold that, but other bytes can.
fn has_head(body: &[u8]) -> bool {
    body.windows(2).any(|bytes| bytes == [0xd7, 0])
}

fn times(event: &KubeEvent<'_>) {
    for stamp in [event.time(), event.first_time()].into_iter().flatten() {
        let again = stamp.text();
        let same = Stamp::parse(again.as_str()).expect("a time");
        assert_eq!(same.text().as_str(), again.as_str());
        assert_eq!(same.unix_seconds(), stamp.unix_seconds(), "{stamp} became {}", again.as_str());
        assert!(again.as_str().ends_with('Z') && again.as_str().len() <= 30);
        assert!(stamp.wall().is_none() || stamp.unix_seconds() >= 0);
    }
}

/// The recorded cluster after 45 s, and what is said of it.
pub fn cluster() -> &'static (Index, Correlator) {
    static CLUSTER: OnceLock<(Index, Correlator)> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let mut lines = data::recording();
        lines.retain(|line| line["ms"].as_u64() < Some(45_000) && line["type"] != "DELETED");
        let mut writer = IndexWriter::new(3_600);
        for kind in ObjectKind::ALL {
            let mut parser = Parser::new(kind, Patterns::parse("*"));
            let of_kind = lines.iter().filter(|line| line["resource"] == kind.resource());
            let objects = of_kind.map(|line| line["object"].to_string());
            let objects: Vec<_> =
                objects.filter_map(|json| parser.object(json.as_bytes()).ok()).map(Arc::new).collect();
            writer.replace(kind, objects);
        }
        let index = writer.snapshot();
        assert!(index.is_ready() && index.len() > 50);
        let all = || Patterns::parse("*");
        (index, Correlator { max_services: 3, labels: all(), annotations: all() })
    })
}
