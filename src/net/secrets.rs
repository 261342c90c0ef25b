//! What must not be seen in a log or a dead letter, even when the far end sends it back to us.
//!
//! A gateway under repair likes to echo requests ("no route for /in?key=…", "bad token …"), and its words
//! go into our log and the dead letter. So every text from it passes here first.

/// Shorter ones are no secrets worth the name; hiding them would only garble the text.
const SHORTEST_SECRET_BYTES: usize = 4;

/// Secrets from the settings. Deliberately without `Debug`.
#[derive(Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    pub fn add(&mut self, secret: &str) {
        self.0.push(secret.to_owned());
    }

    /// The values of a query, `a=value&b=value`.
    pub fn add_query(&mut self, query: &str) {
        for pair in query.split('&') {
            self.add(pair.split_once('=').map_or(pair, |(_, value)| value));
        }
    }

    /// The text without the secrets, and without those of the day in `more`.
    #[must_use]
    pub fn hide_in(&self, mut text: String, more: &[String]) -> String {
        let mut secrets: Vec<&String> = self.0.iter().chain(more).collect();
        // One may be a part of another: the longest first, so that no rest of it stays.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in secrets {
            if secret.len() >= SHORTEST_SECRET_BYTES && text.contains(secret.as_str()) {
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
    fn secrets_are_hidden_and_small_words_are_not() {
        let mut secrets = Secrets::default();
        secrets.add_query("key=sesame-open&env=dev&bare-secret&empty=");
        let more = ["sesame".to_owned()];
        let shown =
            secrets.hide_in("dev: no sesame-open, no sesame and no bare-secret here".to_owned(), &more);
        assert_eq!(shown, "dev: no [hidden], no [hidden] and no [hidden] here");
    }
}
