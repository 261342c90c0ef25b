//! For whom a request was made, and what may be in it: all that must be unchanged for it to be resent.
//!
//! A saved request is resent under the credentials of today. So it says for which endpoint, format, tenant and credentials
//! it was made, and is not sent to others. The secrets themselves are left out: they may be exchanged while a request
//! waits, and the path of their file stays. Headers are left out too, except those that name a tenant: people put the
//! pod's name or a version into them, which change with every restart.
//!
//! A request holds what was allowed to leave when it was made. So it is not sent either if that was changed since:
//! `redact` may have been set because of what is in it.

use crate::config::{Credentials, Settings};
use crate::ledger::CheckKey;
use crate::secrets::keys;

/// Parts of the names of headers by which services distinguish tenants at one URL: `X-Scope-OrgID`, `AccountID` and
/// `ProjectID`, `organization` and `stream-name`, and others.
const TENANT: [&str; 8] =
    ["account", "dataset", "org-id", "organization", "orgid", "project", "stream", "tenant"];

/// The bytes of all parts, each behind its length, so that none runs into the next.
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
        for (name, value) in &settings.headers {
            // Header names are in lower case here.
            if TENANT.iter().any(|word| name.as_str().contains(word)) {
                binding.add(name.as_str().as_bytes());
                binding.add(value.as_bytes());
            } else if keys::is_credential(name.as_str()) {
                binding.add(name.as_str().as_bytes());
            }
        }
        binding.add(b"credentials");
        // They hold names of files and of a user, and no secret.
        let shown = match &settings.credentials {
            Credentials::None => String::new(),
            credentials => format!("{credentials:?}"),
        };
        binding.add(shown.as_bytes());
        binding.add(format!("{:?}", settings.tls.client).as_bytes());
        binding.add(b"content");
        let (redaction, shown) = (&settings.redaction, &settings.correlation);
        binding.add(format!("{:?} {:?}", redaction.remove, redaction.hash).as_bytes());
        binding.add(format!("{:?} {:?}", shown.labels, shown.annotations).as_bytes());
        binding.add(format!("{:?} {:?}", settings.render.audit_bodies, settings.selection).as_bytes());
        binding
    }

    fn add(&mut self, part: &[u8]) {
        self.0.extend_from_slice(&(part.len() as u64).to_le_bytes());
        self.0.extend_from_slice(part);
    }

    /// Its hash, which a request carries. It is made with the key, so that a header's value cannot be guessed from it.
    #[must_use]
    pub fn target(&self, key: &CheckKey) -> Option<[u8; 32]> {
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
            contents: &|_| Ok("{}".to_owned()),
            writable: &|_| Ok(()),
            environment: &|_| None,
        };
        let settings = config::read(&source).unwrap();
        Binding::of(&settings).target(&CheckKey::from_bytes(&[7; 32]).unwrap()).unwrap()
    }

    const URL: (&str, &str) = ("endpoint", "https://gateway.example/events");
    const BASIC: [(&str, &str); 3] = [URL, ("basic_user", "a"), ("basic_password_file", "/a")];
    const CLIENT: [(&str, &str); 3] = [URL, ("client_cert_file", "/a"), ("client_key_file", "/b")];
    const SPLUNK: [(&str, &str); 3] = [URL, ("format", "splunk_hec"), ("api_key_file", "/a")];
    const TEMPLATE: [(&str, &str); 3] = [URL, ("format", "template"), ("template_file", "/a")];
    const CAREFUL: [(&str, &str); 3] = [URL, ("state_file", "/s"), ("dead_letter_file", "/d")];

    /// Settings to begin with, the key of another, and values of it.
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a [&'a str]);

    /// Each value makes another target.
    const PARTS: &[Row<'_>] = &[
        (
            &[URL],
            "endpoint",
            &[
                "http://gateway.example/events",
                "https://gateway.example:8443/events",
                "https://gateway.example/other",
                "https://gateway.example/events?tenant=a",
                "https://other.example/events",
                "http+unix:///run/gateway.sock:/events",
            ],
        ),
        (
            &[URL],
            "format",
            &["raw", "cloudevents", "otlp", "otlp_json", "ecs", "elasticsearch", "loki", "falco"],
        ),
        (
            &[URL],
            "headers",
            &[
                "X-Scope-OrgID: a",
                "X-Scope-OrgID: b",
                "AccountID: a",
                "ProjectID: a",
                "X-Tenant: a",
                "stream-name: a",
                "Authorization: ApiKey a",
                "X-Api-Key: a",
            ],
        ),
        (&[URL], "bearer_token_file", &["/a", "/b"]),
        (&BASIC, "basic_user", &["b"]),
        (&BASIC, "basic_password_file", &["/b"]),
        (&SPLUNK, "api_key_file", &["/b"]),
        (&CLIENT, "client_cert_file", &["/c"]),
        (&CLIENT, "client_key_file", &["/c"]),
        // What may leave.
        (&[URL], "redact", &["message", "object.labels.owner", "object.annotations.note"]),
        (&[URL], "redact_hash", &["message"]),
        (&[URL], "audit_bodies", &["on"]),
        (&[URL], "labels", &["app"]),
        (&[URL], "annotations", &["note"]),
        (&[URL], "kinds", &["kubernetes.event"]),
        (&[URL], "namespaces", &["shop"]),
        (&[URL], "exclude_namespaces", &["shop"]),
        (&[URL], "types", &["Warning"]),
        (&[URL], "reasons", &["Failed"]),
        (&[URL], "exclude_reasons", &["Failed"]),
        (&[URL], "verbs", &["create"]),
        (&[URL], "levels", &["Metadata"]),
        (&[URL], "users", &["a"]),
        (&[URL], "exclude_users", &["a"]),
        (&[URL], "resources", &["pods"]),
        (&[URL], "enforcement_actions", &["deny"]),
    ];

    /// How a request is packed, sent and formatted does not change for whom it is.
    const OTHERS: &[Row<'_>] = &[
        (&[URL], "elasticsearch_index", &["a"]),
        (&TEMPLATE, "template_file", &["/b"]),
        (&TEMPLATE, "content_type", &["text/plain"]),
        (&TEMPLATE, "batch_as", &["json_array"]),
        (&TEMPLATE, "omit_null", &["on"]),
        (&[URL], "cluster_name", &["a"]),
        (&[URL], "compress", &["none"]),
        (&[URL], "batch_events", &["7"]),
        (&[URL], "batch_bytes", &["2000"]),
        (&[URL], "timeout", &["1s"]),
        (&[URL], "file_max_bytes", &["1M"]),
        (&[URL], "file_max_age", &["1s"]),
        (&[URL], "headers", &["X-Pod: a", "User-Agent: a"]),
        (&SPLUNK, "splunk_index", &["a"]),
        (&SPLUNK, "splunk_source", &["a"]),
        (&SPLUNK, "splunk_sourcetype", &["a"]),
        (&[URL], "alertmanager_expires_after", &["1h"]),
        (&[URL], "ca_file", &["/a"]),
        (&[URL], "insecure_skip_verify", &["on"]),
        (&[URL], "state_file", &["/a"]),
        (&[URL], "ledger_ttl", &["1h"]),
        (&[URL], "ledger_max_entries", &["7"]),
        (&[URL], "updates", &["first"]),
        (&CAREFUL, "guarantee", &["no_duplicates"]),
        (&[URL], "dead_letter_file", &["/a"]),
        (&[URL], "dead_letter_max_bytes", &["1M"]),
        (&[URL], "other", &["drop"]),
        (&[URL], "max_message_bytes", &["1K"]),
        (&[URL], "correlate", &["on", "off"]),
        (&[URL], "kube_url", &["http://127.0.0.1:1"]),
        (&[URL], "kube_ca_file", &["/a"]),
        (&[URL], "kube_token_file", &["/a"]),
        (&[URL], "kube_insecure_skip_verify", &["on"]),
        (&[URL], "tombstone_ttl", &["1m"]),
        (&[URL], "topology_wait", &["1s"]),
        (&[URL], "correlate_wait", &["1s"]),
        (&[URL], "max_services", &["7"]),
        (&[URL], "reconcile", &["off"]),
        (&[URL], "reconcile_after", &["1m"]),
    ];

    fn with(row: &Row<'_>, value: &str) -> [u8; 32] {
        let (base, key, _) = row;
        let others = base.iter().filter(|(name, _)| name != key);
        target(&others.copied().chain([(*key, value)]).collect::<Vec<_>>())
    }

    #[test]
    fn each_of_its_parts_makes_another_target_and_nothing_else_does() {
        for row in PARTS {
            let mut targets = BTreeSet::from([target(row.0)]);
            for value in row.2 {
                assert!(targets.insert(with(row, value)), "{} {value}", row.1);
            }
        }
        for row in OTHERS {
            for value in row.2 {
                assert_eq!(with(row, value), target(row.0), "{} {value}", row.1);
            }
        }
    }

    /// Who adds a setting decides to which list it belongs.
    #[test]
    fn each_setting_is_a_part_or_is_none() {
        let known: BTreeSet<_> = PARTS.iter().chain(OTHERS).map(|row| row.1).collect();
        let keys: BTreeSet<_> = config::keys::KEYS.iter().map(|key| key.name).collect();
        assert_eq!(known, keys);
    }
}
