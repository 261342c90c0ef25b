//! The table of keys: the one place that names them. The border makes the host's `config_map` of it, the
//! documentation test holds the README and the sample configurations against it, and the log's first line
//! shows them.

use super::format::FormatName;

/// One property of the output or of the filter.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub name: &'static str,
    /// `None`: unset by default.
    pub default: Option<&'static str>,
    /// One sentence for `fluent-bit -o event_gateway -h` and the documentation.
    pub help: &'static str,
    pub shows: Shows,
}

/// What of a value may stand in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    All,
    /// A URL: all but its query, which may hold a secret.
    Url,
    /// The path, unless it may be a secret that was pasted where a file's name belongs.
    Path,
    /// HTTP headers: their names, as values are secrets more often than not.
    HeaderNames,
    /// That it is set: some take a key of theirs as the user of basic authentication.
    Nothing,
}

const fn key(name: &'static str, default: Option<&'static str>, help: &'static str) -> Key {
    Key { name, default, help, shows: Shows::All }
}

const fn url(name: &'static str, help: &'static str) -> Key {
    Key { name, default: None, help, shows: Shows::Url }
}

const fn file(name: &'static str, help: &'static str) -> Key {
    Key { name, default: None, help, shows: Shows::Path }
}

const fn secret(name: &'static str, help: &'static str) -> Key {
    Key { name, default: None, help, shows: Shows::Nothing }
}

const fn headers(name: &'static str, help: &'static str) -> Key {
    Key { name, default: None, help, shows: Shows::HeaderNames }
}

/// Every key of the output, in the order in which documentation and errors list them. No name here may be one that
/// the host keeps for itself (`host`, `port`, `tls.*`, `net.*`, `oauth2*`, `workers`, `alias`, …).
pub const KEYS: &[Key] = &[
    url("endpoint", "URL that batches go to: http://, https://, http+unix://, unix:// or file://; required"),
    key("format", Some("native"), FormatName::HELP),
    key(
        "elasticsearch_index",
        None,
        "index or data stream of format elasticsearch; logs-kubernetes.events-default when unset",
    ),
    file(
        "template_file",
        "JSON document with expressions, which format template renders; read once, at the start",
    ),
    key("content_type", None, "Content-Type of what format template renders; by default as batch_as has it"),
    key("batch_as", Some("ndjson"), "of format template: ndjson, json_array or one_per_request"),
    key("omit_null", Some("off"), "on: format template leaves out members that a record has no value for"),
    key("cluster_name", None, "name of the cluster, carried by every record"),
    key("compress", Some("gzip"), "gzip or none; none with formats whose services unpack nothing"),
    key("batch_events", Some("500"), "most records in one request"),
    key(
        "batch_bytes",
        Some("1M"),
        "most bytes in one request, before compression; no more than the receivers of the format take",
    ),
    key("timeout", Some("10s"), "one request, connecting included"),
    key("file_max_bytes", Some("64M"), "with file://, size at which a file is complete"),
    key("file_max_age", Some("5m"), "with file://, age at which a file is complete"),
    headers("headers", "added to every request: Name: value, Name: \"value, with commas\""),
    file("bearer_token_file", "file with a bearer token; read again when it changes and on 401"),
    secret("basic_user", "user of HTTP basic authentication"),
    file("basic_password_file", "file with the password of basic_user; read again as the token is"),
    file("api_key_file", "file with the API key of the format's service; read again as the token is"),
    key("splunk_index", None, "index that splunk_hec names; the token's own when unset"),
    key("splunk_source", None, "source that splunk_hec names; kubernetes when unset"),
    key("splunk_sourcetype", None, "sourcetype that splunk_hec names; kube:events when unset"),
    key(
        "alertmanager_expires_after",
        None,
        "how long after its last occurrence an alert of alertmanager ends",
    ),
    file("ca_file", "PEM file of the authorities to trust instead of the system's"),
    file("client_cert_file", "PEM file of the client's certificate chain"),
    file("client_key_file", "PEM file of the client's private key"),
    key("insecure_skip_verify", Some("off"), "on: do not verify the gateway's certificate"),
    file("state_file", "file of the ledger, so that it survives restarts"),
    key("ledger_ttl", Some("3h"), "how long a delivered version is remembered"),
    key("ledger_max_entries", Some("1000000"), "most delivered versions remembered; the oldest leave first"),
    key("updates", Some("every"), "which updates of a known event are delivered: every, first or doubling"),
    key(
        "guarantee",
        Some("no_event_loss"),
        "no_event_loss or no_duplicates: which of the two a fault may cost",
    ),
    file("dead_letter_file", "NDJSON file of what the gateway will never take"),
    key("dead_letter_max_bytes", Some("64M"), "size at which the dead letter file takes no more"),
    key("kinds", None, "take only these kinds: kubernetes.event, kubernetes.audit, gatekeeper.violation"),
    key(
        "other",
        Some("pass"),
        "records of no known kind: pass, drop (but what holds an auditID is passed) or dead_letter",
    ),
    key("namespaces", None, "take only these namespaces (comma list, * wildcards)"),
    key("exclude_namespaces", None, "leave these namespaces out (comma list, * wildcards)"),
    key("types", None, "take only these event types, such as Warning (comma list, * wildcards)"),
    key("reasons", None, "take only these reasons (comma list, * wildcards)"),
    key("exclude_reasons", None, "leave these reasons out (comma list, * wildcards)"),
    key("verbs", None, "of audit records, take only these verbs, such as delete (comma list, * wildcards)"),
    key("levels", None, "of audit records, take only these levels (comma list, * wildcards)"),
    key("users", None, "of audit records, take only these users (comma list, * wildcards)"),
    key("exclude_users", None, "of audit records, leave these users out (comma list, * wildcards)"),
    key(
        "resources",
        None,
        "of audit records, take only these resources, such as pods, pods/exec (comma list, * wildcards)",
    ),
    key(
        "enforcement_actions",
        None,
        "of violations, take only these actions, such as deny (comma list, * wildcards)",
    ),
    key("audit_bodies", Some("off"), "on: native audit records carry the bodies of request and response"),
    key(
        "redact",
        None,
        "fields left out, as format native names them, such as audit.user.extra (comma list, * wildcards)",
    ),
    key("redact_hash", None, "fields replaced by a hash, such as audit.user.name (comma list, * wildcards)"),
    key("max_message_bytes", Some("16K"), "a longer message is cut, with a mark"),
    key("correlate", Some("auto"), "auto, on or off: find the Services that an event touches"),
    url("kube_url", "http:// or https:// URL of the API server instead of the pod's own"),
    file("kube_ca_file", "PEM file of the API server's authorities instead of the pod's own"),
    file("kube_token_file", "file with a token for the API server instead of the pod's own"),
    key("kube_insecure_skip_verify", Some("off"), "on: do not verify the API server's certificate"),
    key("tombstone_ttl", Some("1h"), "how long a deleted object is remembered"),
    key("topology_wait", Some("30s"), "how long the first events wait for the first look at the cluster"),
    key(
        "correlate_wait",
        Some("2s"),
        "how long an event waits for an object that the topology does not know yet; 0: it does not",
    ),
    key("max_services", Some("20"), "most Services named in one record"),
    key("labels", Some("*"), "labels to include (comma list, * wildcards)"),
    key("annotations", None, "annotations to include (comma list, * wildcards)"),
];

/// Every key of the filter, in the same way. Its host gets no `config_map` of them: the entries have another
/// size from 5.0.3 on, and a native filter's array is read before anyone could say which it is.
pub const FILTER_KEYS: &[Key] = &[
    key("dedup", Some("on"), "off: let repetitions through, as where event_gateway follows"),
    file("state_file", "file of what was seen, so that it survives restarts"),
    key("ledger_ttl", Some("3h"), "how long a seen version is remembered"),
    key("ledger_max_entries", Some("1000000"), "most seen versions remembered; the oldest leave first"),
    key("keep_managed_fields", Some("off"), "on: leave metadata.managedFields in the records"),
    key("correlate", Some("auto"), "auto, on or off: add which Services an event touches"),
    url("kube_url", "http:// or https:// URL of the API server instead of the pod's own"),
    file("kube_ca_file", "PEM file of the API server's authorities instead of the pod's own"),
    file("kube_token_file", "file with a token for the API server instead of the pod's own"),
    key("kube_insecure_skip_verify", Some("off"), "on: do not verify the API server's certificate"),
    key("tombstone_ttl", Some("1h"), "how long a deleted object is remembered"),
    key("topology_wait", Some("5s"), "how long the start waits for the first look at the cluster"),
    key("max_services", Some("20"), "most Services named in one record"),
    key("labels", Some("*"), "labels to include (comma list, * wildcards)"),
    key("annotations", None, "annotations to include (comma list, * wildcards)"),
];
