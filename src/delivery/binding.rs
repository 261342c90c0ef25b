//! For whom a request is: what has to be the same for it to be sent again as it was.
//!
//! A saved request goes out under the credentials of today. So it says for which endpoint, format, tenant and
//! credentials it was made, and is of no use for others. The secrets themselves are left out: they are exchanged
//! while a request waits, and the path of their file stays. So are headers but the one that names a tenant: people
//! put the pod's name or a version into them, which change with every restart.

use crate::config::{Credentials, Settings};
use crate::ledger::Key;

/// Of Loki, Mimir and others that hold several tenants at one URL; header names are in lower case here.
const TENANT: &str = "x-scope-orgid";

/// As bytes: each part behind its length, so that none runs into the next.
#[derive(Debug)]
pub struct Binding(Vec<u8>);

impl Binding {
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let mut binding = Self(Vec::new());
        binding.add(b"endpoint 1");
        // Scheme, host, port, path and query.
        binding.add(settings.endpoint.url.as_bytes());
        binding.add(format!("{:?}", settings.render.format).as_bytes());
        for (_, value) in settings.headers.iter().filter(|(name, _)| name.as_str() == TENANT) {
            binding.add(value.as_bytes());
        }
        binding.add(b"credentials");
        // None of them holds a secret, but names of files and of a user.
        let shown = match &settings.credentials {
            Credentials::None => String::new(),
            credentials => format!("{credentials:?}"),
        };
        binding.add(shown.as_bytes());
        binding.add(format!("{:?}", settings.tls.client).as_bytes());
        binding
    }

    fn add(&mut self, part: &[u8]) {
        self.0.extend_from_slice(&(part.len() as u64).to_le_bytes());
        self.0.extend_from_slice(part);
    }

    /// What a request carries of it. By the key, so that nobody guesses a header's value from it.
    #[must_use]
    pub fn target(&self, key: &Key) -> Option<[u8; 32]> {
        key.check(&[&self.0])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::{self, Source};

    fn target(settings: &[(&str, &str)]) -> [u8; 32] {
        let found = |key: &str| {
            settings.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_bytes().to_vec())
        };
        let source = Source {
            property: &found,
            readable: &|_| Ok(()),
            contents: &|_| Ok(String::new()),
            writable: &|_| Ok(()),
            environment: &|_| None,
        };
        let settings = config::read(&source).unwrap();
        Binding::of(&settings).target(&Key::from_bytes(&[7; 32]).unwrap()).unwrap()
    }

    #[test]
    fn each_of_its_parts_makes_another_target() {
        let endpoint = ("endpoint", "https://gateway.example/events");
        let client = |cert, key| [endpoint, ("client_cert_file", cert), ("client_key_file", key)];
        let user = |user, file| [endpoint, ("basic_user", user), ("basic_password_file", file)];
        let cases: [&[(&str, &str)]; 15] = [
            &[endpoint],
            &[("endpoint", "http://gateway.example/events")],
            &[("endpoint", "https://gateway.example:8443/events")],
            &[("endpoint", "https://gateway.example/other")],
            &[("endpoint", "https://gateway.example/events?tenant=a")],
            &[("endpoint", "https://other.example/events")],
            &[endpoint, ("format", "raw")],
            &[endpoint, ("headers", "X-Scope-OrgID: a")],
            &[endpoint, ("headers", "X-Scope-OrgID: b")],
            &[endpoint, ("bearer_token_file", "/a")],
            &[endpoint, ("bearer_token_file", "/b")],
            &user("a", "/a"),
            &user("b", "/a"),
            &client("/a", "/b"),
            &client("/b", "/a"),
        ];
        let targets: BTreeSet<_> = cases.iter().map(|settings| target(settings)).collect();
        assert_eq!(targets.len(), cases.len());
        // How it is packed, who sends it and how long he waits is no matter of whom it is for.
        let other = target(&[
            endpoint,
            ("compress", "none"),
            ("timeout", "1s"),
            ("headers", "X-Pod: a"),
            ("batch_events", "7"),
        ]);
        assert_eq!(other, target(&[endpoint]));
    }
}
