//! Recognises keys: parts of a URL's path that look like keys, and names of headers that hold credentials.

/// Shorter parts are words, versions and numbers.
const LEAST_KEY: usize = 16;
/// A shorter part without a digit may be an ordinary long word.
const LEAST_LETTERS: usize = 24;

/// The parts of a URL's path that may be keys, as in the URLs of web hooks.
pub fn keys_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| is_key(part))
}

/// The path with `…` in place of each part that may be a key.
#[must_use]
pub fn shown(path: &str) -> String {
    path.split('/').map(|part| if is_key(part) { "…" } else { part }).collect::<Vec<_>>().join("/")
}

/// Whether a part of a path looks like a key: a UUID, or a long run of letters and digits.
fn is_key(part: &str) -> bool {
    // A UUID, perhaps with a few more characters.
    let hex = part.chars().filter(char::is_ascii_hexdigit).count();
    if part.len() >= 32
        && hex >= 30
        && part.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, '-' | '_' | '.'))
    {
        return true;
    }
    part.split(|c: char| !c.is_alphanumeric()).any(|word| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let letters = word.chars().count() - digits;
        letters + digits >= LEAST_KEY && digits >= 2 && letters > 0
            || letters + digits >= LEAST_KEY && letters == 0
            || letters >= LEAST_LETTERS
    })
}

/// Whether a header of this name probably holds a credential.
#[must_use]
pub fn is_credential(header: &str) -> bool {
    const WORDS: [&str; 9] =
        ["auth", "cookie", "credential", "key", "passw", "secret", "session", "signature", "token"];
    let header = header.to_ascii_lowercase();
    WORDS.iter().any(|word| header.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_path_is_not_shown() {
        for (path, expected) in [
            ("/", "/"),
            ("/events", "/events"),
            ("/api/v1/namespaces/event-gateway/services/gateway:8080/proxy/in", ""),
            ("/services/collector/event", ""),
            ("/api/default/kubernetes-events-production-2026/_json", ""),
            ("/v1/input/0123456789abcdef0123456789abcdef", "/v1/input/…"),
            ("/services/T00000000/B00000000/aB3dEfGhIjKlMnOpQrStUvW9", "/services/T00000000/B00000000/…"),
            ("/in/0c7f2a4e-9d1b-4f6a-8e3c-5b2d7a9f1c04/x", "/in/…/x"),
            ("/in/sk_live_4eC39HqLyjWDarjtT1zdp7dc", "/in/…"),
            ("/in/AbCdEfGhIjKlMnOpQrStUvWxYz", "/in/…"),
            ("/in/1234567890123456", "/in/…"),
        ] {
            assert_eq!(shown(path), if expected.is_empty() { path } else { expected });
        }
    }

    #[test]
    fn headers_with_credentials_are_recognised_by_name() {
        for name in ["Authorization", "X-Api-Key", "X-Auth-Token", "Cookie", "DD-API-KEY", "X-Amz-Signature"]
        {
            assert!(is_credential(name), "{name}");
        }
        for name in ["X-Team", "Accept", "X-Scope-OrgID"] {
            assert!(!is_credential(name), "{name}");
        }
    }
}
