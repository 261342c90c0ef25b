//! What must not be seen in a log or a dead letter, even when the gateway sends it back to us.
//!
//! A gateway under repair likes to echo requests ("no route for /in?key=…", "bad token …"), and its words
//! go into our log and the dead letter. So every text from it passes here first.

/// Shorter ones are words like `prod` in a harmless header; hiding them would only garble the text.
const SHORTEST_SECRET_BYTES: usize = 6;

/// Values to hide. Deliberately without `Debug`.
#[derive(Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    pub(super) fn add(&mut self, secret: &str) {
        if secret.len() >= SHORTEST_SECRET_BYTES && !self.0.iter().any(|known| known == secret) {
            self.0.push(secret.to_owned());
            // A secret may hold another: the longest first, so that no rest of it stays.
            self.0.sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }

    /// The values of a query, `a=value&b=value`.
    pub(super) fn add_query(&mut self, query: &str) {
        for pair in query.split('&') {
            self.add(pair.split_once('=').map_or(pair, |(_, value)| value));
        }
    }

    pub(super) fn hide_in(&self, mut text: String) -> String {
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), "[hidden]");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_words_are_not() {
        let mut secrets = Secrets::default();
        secrets.add_query("key=sesame-open&env=prod&bare-secret");
        secrets.add("sesame");
        let shown = secrets.hide_in("prod: no sesame-open, no sesame and no bare-secret here".to_owned());
        assert_eq!(shown, "prod: no [hidden], no [hidden] and no [hidden] here");
    }
}
