//! For whom a request is: what has to be the same for it to be sent again as it was.
//!
//! A saved request goes out under the credentials of today. So it says for which endpoint, format, headers and
//! credentials it was made, and is of no use for others. The secrets themselves are left out: they are exchanged
//! while a request waits, and the path of their file stays.

use crate::config::{Credentials, Settings};
use crate::ledger::Key;

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
        // A header may name the tenant.
        for (name, value) in &settings.headers {
            binding.add(name.as_str().as_bytes());
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
