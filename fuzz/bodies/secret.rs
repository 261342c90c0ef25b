//! Any bytes as the choices of who plants a secret in a record: in no format and in no dead letter does it leave.

use bumpalo::Bump;
use event_gateway::config::FormatName;
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::format::{self, Renderer};
use event_gateway::record::classify::{BodyClass, Within, each, read_as};
use event_gateway::record::content::Content;
use event_gateway::record::identity::write_id;
use event_gateway::record::raw::Raw;
use event_gateway::record::redact::Redactor;
use event_gateway::record::text::Repair;
use memchr::memmem;

use super::planted::{CANARY, Choices, ENCODED};
use super::record::renderer;
use super::{Body, Seen, data};

/// Formats that a record is written in, besides what a dead letter shows; all of them when it is looked at closely.
const FORMATS_A_RECORD: usize = 3;

pub struct Secret {
    renderers: Vec<(FormatName, Renderer)>,
    redactor: Redactor,
    id: String,
    out: Vec<u8>,
    turn: usize,
    seen: Seen,
}

impl Body for Secret {
    const NAME: &'static str = "secret";
    const WORDS: &'static [&'static [u8]] =
        &[&[0], &[1, 2, 3], &[4, 4], &[255], &[7; 9], &[0, 8, 16, 24, 32, 40]];

    fn new() -> Self {
        Self {
            renderers: FormatName::WORDS.iter().map(|(_, format)| (*format, renderer(*format))).collect(),
            redactor: Redactor::new(16_000),
            id: String::new(),
            out: Vec::new(),
            turn: 0,
            seen: Seen::default(),
        }
    }

    fn seeds() -> Vec<Vec<u8>> {
        // Bytes without a pattern: each chooses something else.
        let seed = |number: u32| {
            let next = |state: &mut u32| {
                *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                Some((*state >> 24) as u8)
            };
            std::iter::repeat(()).scan(number, |state, ()| next(state)).take(240).collect()
        };
        (1..200).map(seed).collect()
    }

    fn check(&mut self, input: &[u8], closely: bool) {
        let mut choices = Choices::new(input);
        let record = choices.record();
        let is_planted = choices.planted;
        let body = data::packed(&record);
        let cut = body.len() - choices.below(256).min(body.len());
        self.cannot_be_read(&body[..cut]);
        let arena = Bump::new();
        let mut found = 0;
        each(&body, Within::Record, &arena, &mut |body, content| {
            found += 1;
            self.found(body, content, closely);
        });
        assert!(found > 0, "it leaves as something: {record}");
        self.seen.note(is_planted);
    }

    fn seen(&self) -> Seen {
        self.seen
    }
}

impl Secret {
    /// The beginning of a record shows a body in no dead letter.
    fn cannot_be_read(&self, bytes: &[u8]) {
        let Some(start) = memmem::find(bytes, b"questObject") else { return };
        let shows =
            [CANARY, ENCODED].iter().any(|canary| memmem::find(&bytes[start..], canary.as_bytes()).is_some());
        assert!(!shows || self.redactor.may_take_out_of(bytes), "{}", String::from_utf8_lossy(bytes));
    }

    fn found(&mut self, body: &[u8], content: &Content<'_, '_>, closely: bool) {
        let Some(redacted) = self.redactor.redact(content, body) else {
            return self.leaves(body, content, closely);
        };
        let repair = Repair::default();
        match &read_as(content.kind(), &redacted, &repair) {
            Some(BodyClass::Event(event)) => self.leaves(&redacted, &Content::Event(event), closely),
            Some(BodyClass::Audit(audit)) => self.leaves(&redacted, &Content::Audit(audit), closely),
            Some(BodyClass::Violation(violation)) => {
                self.leaves(&redacted, &Content::Violation(violation), closely)
            }
            _ => self.leaves(&redacted, &Content::Other, closely),
        }
    }

    fn leaves(&mut self, body: &[u8], content: &Content<'_, '_>, closely: bool) {
        write_id(content, body, &mut self.id);
        let letter = serde_json::to_vec(&Raw::new(body)).expect("JSON");
        assert_hidden("a dead letter", &letter);
        let impact = Impact::without(Correlation::Off);
        let record = format::Record::new(&self.id, *content, &impact, body);
        self.turn += 1;
        for offset in 0..if closely { self.renderers.len() } else { FORMATS_A_RECORD } {
            let (format, renderer) =
                &self.renderers[(self.turn * FORMATS_A_RECORD + offset) % self.renderers.len()];
            self.out.clear();
            if renderer.render(&record, &mut self.out).is_ok() {
                assert_hidden(&format!("{format:?}"), &self.out);
            }
        }
    }
}

fn assert_hidden(what: &str, out: &[u8]) {
    for canary in [CANARY, ENCODED] {
        assert!(
            memmem::find(out, canary.as_bytes()).is_none(),
            "{what} shows {canary}: {}",
            String::from_utf8_lossy(out)
        );
    }
}
