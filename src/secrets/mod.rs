//! Hides secrets in log lines, dead letters and reports, also if a remote endpoint sends them back to us.
//!
//! A misconfigured gateway may echo requests ("no route for /in?key=…", "bad token …"), an API server may do so in a
//! Status, and errors of libraries quote their input. So every text from outside passes here before it is cut, logged or
//! stored, and each secret in it is replaced by `[hidden]`:
//!
//! 1. the secret itself, and any 12 bytes in a row of it (three quarters of a short one), because texts are cut;
//! 2. the secret percent-encoded in whole or in part, or escaped as in JSON, C and HTML, up to four times (`stream`);
//! 3. the same at any position within base64 of either alphabet, hexadecimal digits, and bytes listed as numbers, up to
//!    two levels deep (`encoded`).
//!
//! `plain` makes one line of a text from outside; `keys` recognises a key in a path and a header that holds one.

mod encoded;
mod grams;
pub mod keys;
pub mod plain;
mod stream;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grams::Grams;
use stream::Stream;

/// Shorter secrets are not hidden, because that would only garble the text.
const SHORTEST_SECRET_BYTES: usize = 4;
/// How many previous secrets stay hidden: a renewed token stays valid for a while, and its echo may come late.
const FORMER: usize = 8;
/// How many levels of escapes, and of encodings, are decoded.
const ESCAPED: usize = 4;
const ENCODED: usize = 2;
/// In our own lines shorter n-grams are likely our own words.
const OWN_LINES: usize = 6;

const HIDDEN: &str = "[hidden]";

/// Secrets from settings, files and the environment. Its `Debug` does not show them.
#[derive(Default)]
pub struct Secrets {
    state: Mutex<State>,
    /// Secrets shared with other instances, hidden as well.
    shared: Option<Arc<Secrets>>,
}

#[derive(Default)]
struct State {
    lasting: Vec<String>,
    /// Secrets that may be replaced, by their purpose, the current one last. They are limited per purpose, so that a
    /// token that is renewed every hour does not displace a key that is renewed every year.
    rotated: BTreeMap<&'static str, VecDeque<String>>,
    sets: Arc<Sets>,
}

#[derive(Default)]
struct Sets {
    /// For texts and their unescaped forms.
    plain: Grams,
    /// For decoded bytes. Accidental matches are rare there, so shorter n-grams are used, and 12 digits of a cut encoding
    /// are still found.
    encoded: Grams,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// Hides its own secrets and those of `shared`.
    #[must_use]
    pub fn beside(shared: &Arc<Self>) -> Self {
        Self { state: Mutex::default(), shared: Some(Arc::clone(shared)) }
    }

    /// Hides this secret from now on.
    pub fn add(&self, secret: &str) {
        let mut state = self.lock();
        if secret.len() >= SHORTEST_SECRET_BYTES && !state.lasting.iter().any(|known| known == secret) {
            state.lasting.push(secret.to_owned());
            state.renew();
        }
    }

    /// Sets the current secret for a purpose; the previous ones stay hidden.
    pub fn add_rotated(&self, of: &'static str, secret: &str) {
        if secret.len() < SHORTEST_SECRET_BYTES {
            return;
        }
        let mut state = self.lock();
        let rotated = state.rotated.entry(of).or_default();
        if rotated.back().is_some_and(|present| present == secret) {
            return;
        }
        // A previous secret may be used again.
        rotated.retain(|known| known != secret);
        if rotated.len() > FORMER {
            rotated.pop_front();
        }
        rotated.push_back(secret.to_owned());
        state.renew();
    }

    /// The values of a query, `a=value&b=value`.
    pub fn add_query(&self, query: &str) {
        for pair in query.split('&') {
            self.add(pair.split_once('=').map_or(pair, |(_, value)| value));
        }
    }

    /// A text from outside with its secrets hidden.
    #[must_use]
    pub fn hide_in(&self, text: String) -> String {
        self.hide(text, 0)
    }

    /// A line of our own, which may contain text from outside, with its secrets hidden, except for very short ones.
    #[must_use]
    pub fn hide_in_line(&self, text: String) -> String {
        self.hide(text, OWN_LINES)
    }

    fn hide(&self, text: String, least: usize) -> String {
        let mut all = Vec::new();
        self.collect(&mut all);
        if all.is_empty() {
            return text;
        }
        let mut hidden = vec![false; text.len()];
        let mut level = Some(Stream::of(&text));
        for _ in 0..=ESCAPED {
            let Some(stream) = level else { break };
            all.iter().for_each(|sets| sets.plain.mark(&stream, least, &mut hidden));
            mark_encoded(&all, &stream, ENCODED, &mut hidden);
            level = stream.unescaped();
        }
        without(text, &hidden)
    }

    fn collect(&self, all: &mut Vec<Arc<Sets>>) {
        let sets = Arc::clone(&self.lock().sets);
        if !sets.plain.is_empty() {
            all.push(sets);
        }
        if let Some(shared) = &self.shared {
            shared.collect(all);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn renew(&mut self) {
        let mut sets = Sets::default();
        for secret in self.lasting.iter().chain(self.rotated.values().flatten()) {
            // The secret itself may contain escapes and be quoted unescaped.
            let mut level = Some(Stream::of(secret));
            for _ in 0..=ESCAPED {
                let Some(stream) = level.filter(|stream| stream.bytes.len() >= SHORTEST_SECRET_BYTES) else {
                    break;
                };
                let length = Grams::length_for(stream.bytes.len());
                sets.plain.add(&stream.bytes, length);
                sets.encoded.add(&stream.bytes, (2 * length / 3).max(grams::SHORTEST));
                level = stream.unescaped();
            }
        }
        self.sets = Arc::new(sets);
    }
}

fn mark_encoded(all: &[Arc<Sets>], stream: &Stream, depth: usize, hidden: &mut [bool]) {
    for read in encoded::readings(stream) {
        let unescaped = read.unescaped();
        for read in std::iter::once(&read).chain(&unescaped) {
            all.iter().for_each(|sets| sets.encoded.mark(read, 0, hidden));
            if depth > 1 {
                mark_encoded(all, read, depth - 1, hidden);
            }
        }
    }
}

/// The text with `[hidden]` in place of each marked range.
fn without(text: String, hidden: &[bool]) -> String {
    if !hidden.contains(&true) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    let mut was_hidden = false;
    for (at, c) in text.char_indices() {
        // A marked range may begin within a character.
        let is_hidden = hidden[at..at + c.len_utf8()].contains(&true);
        match (was_hidden, is_hidden) {
            (false, true) => shown.push_str(HIDDEN),
            (_, false) => shown.push(c),
            (true, true) => {}
        }
        was_hidden = is_hidden;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_small_words_are_not() {
        let shared = Arc::new(Secrets::default());
        shared.add_rotated("a", "sesame");
        let secrets = Secrets::beside(&shared);
        secrets.add_query("key=sesame-open&env=dev&bare-secret&empty=");
        let shown = secrets.hide_in("dev: no sesame-open, no sesame and no bare-secret here".to_owned());
        assert_eq!(shown, "dev: no [hidden], no [hidden] and no [hidden] here");
    }

    #[test]
    fn the_last_previous_secrets_stay_hidden() {
        let secrets = Secrets::default();
        let token = |number: usize| format!("{number:02}-token-of-the-day");
        secrets.add_rotated("key", "key-of-the-year");
        (0..20).for_each(|number| secrets.add_rotated("token", &token(number)));
        for number in 11..20 {
            assert_eq!(secrets.hide_in(token(number)), HIDDEN);
        }
        assert_eq!(secrets.hide_in("key-of-the-year".to_owned()), HIDDEN, "it was not replaced");
    }

    /// As if an old file is restored and then replaced again.
    #[test]
    fn a_previous_secret_that_is_set_again_is_the_current_one() {
        let secrets = Secrets::default();
        let token = |number: usize| format!("{number:02}-token-of-the-day");
        for number in (0..8).chain([0]).chain(8..16) {
            secrets.add_rotated("token", &token(number));
        }
        assert_eq!(secrets.hide_in(token(0)), HIDDEN);
    }

    #[test]
    fn a_line_of_our_own_keeps_its_words() {
        let secrets = Secrets::default();
        secrets.add("shop");
        secrets.add("S3CR3T-of-length");
        assert_eq!(secrets.hide_in_line("shop: S3CR3T-of-length".to_owned()), "shop: [hidden]");
        assert_eq!(secrets.hide_in("shop: S3CR3T-of-length".to_owned()), "[hidden]: [hidden]");
    }
}
