//! What must not be seen in a log line, a dead letter or a report, even when a remote endpoint sends it back to us.
//!
//! A gateway under repair likes to echo requests ("no route for /in?key=…", "bad token …"), so does an API server in a
//! Status, and errors of libraries quote what they stumbled over. So every text from outside passes here before it is cut,
//! logged or kept, and what is found is replaced by `[hidden]`:
//!
//! 1. the secret as it is, and any stretch of 12 bytes of it (three quarters of a short one), as a bound leaves it;
//! 2. url-encoded in whole or in part, escaped as in JSON, C and HTML, up to four times over (`stream`);
//! 3. the same within base64 of either alphabet, hexadecimal digits and lists of bytes as numbers, wherever in them, twice
//!    over (`encoded`).
//!
//! `plain` makes one line of a text from outside; `keys` knows a path or a header that holds a key.

mod encoded;
mod grams;
pub mod keys;
pub mod plain;
mod stream;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grams::Grams;
use stream::Stream;

/// Shorter ones are no secrets worth the name; hiding them would only garble the text.
const SHORTEST_SECRET_BYTES: usize = 4;
/// Secrets that one secret replaced: a token that was renewed is good for some time after, and its echo may come late.
const FORMER: usize = 8;
/// So often a text is read for escapes, and so often for encodings within encodings.
const ESCAPED: usize = 4;
const ENCODED: usize = 2;
/// In our own lines shorter stretches are our own words.
const OWN_LINES: usize = 6;

const HIDDEN: &str = "[hidden]";

/// Secrets from settings, files and the environment. Deliberately without `Debug` of what they are.
#[derive(Default)]
pub struct Secrets {
    state: Mutex<State>,
    /// Those that are shared with others, and hidden as well.
    shared: Option<Arc<Secrets>>,
}

#[derive(Default)]
struct State {
    lasting: Vec<String>,
    /// By what they are for, the present one last: a token that is renewed every hour must not make anybody forget a key
    /// that is renewed every year.
    rotated: BTreeMap<&'static str, VecDeque<String>>,
    sets: Arc<Sets>,
}

#[derive(Default)]
struct Sets {
    /// For texts as they are and their escapes.
    plain: Grams,
    /// For what was encoded: bits that agree by accident are rare there, so that shorter stretches count, and what is
    /// left of 12 digits is found.
    encoded: Grams,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// Its own, and those of another.
    #[must_use]
    pub fn beside(shared: &Arc<Self>) -> Self {
        Self { state: Mutex::default(), shared: Some(Arc::clone(shared)) }
    }

    pub fn add(&self, secret: &str) {
        let mut state = self.lock();
        if secret.len() >= SHORTEST_SECRET_BYTES && !state.lasting.iter().any(|known| known == secret) {
            state.lasting.push(secret.to_owned());
            state.renew();
        }
    }

    /// The present one of those that are exchanged now and then, and are for the same; the former ones stay hidden.
    pub fn add_rotated(&self, of: &'static str, secret: &str) {
        if secret.len() < SHORTEST_SECRET_BYTES {
            return;
        }
        let mut state = self.lock();
        let rotated = state.rotated.entry(of).or_default();
        if rotated.back().is_some_and(|present| present == secret) {
            return;
        }
        // A former one may come back.
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

    /// A text from outside without the secrets.
    #[must_use]
    pub fn hide_in(&self, text: String) -> String {
        self.hide(text, 0)
    }

    /// A line of our own, in which something from outside may stand: without the secrets that are no words.
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
            // One may be written with escapes itself, and be quoted without them.
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

/// The text with `[hidden]` in place of each stretch that is.
fn without(text: String, hidden: &[bool]) -> String {
    if !hidden.contains(&true) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    let mut was_hidden = false;
    for (at, c) in text.char_indices() {
        // A stretch may begin within a character.
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
    fn the_last_former_ones_stay_hidden() {
        let secrets = Secrets::default();
        let token = |number: usize| format!("{number:02}-token-of-the-day");
        secrets.add_rotated("key", "key-of-the-year");
        (0..20).for_each(|number| secrets.add_rotated("token", &token(number)));
        for number in 11..20 {
            assert_eq!(secrets.hide_in(token(number)), HIDDEN);
        }
        assert_eq!(secrets.hide_in("key-of-the-year".to_owned()), HIDDEN, "it was not replaced");
    }

    /// As when a file is put back, and then others come.
    #[test]
    fn one_that_comes_back_is_the_present_one() {
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
