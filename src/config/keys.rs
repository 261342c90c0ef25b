//! The table of keys: the only place that lists them. The host's `config_map` and the first line of the log are made
//! from it, and a test compares docs/settings.md, docs/filter.md and the sample configurations with it.

use super::format::FormatName;

/// One property of the output or of the filter.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As a configuration spells it, in lower case.
    pub name: &'static str,
    /// `None`: unset by default.
    pub default: Option<&'static str>,
    /// One sentence for `fluent-bit -o event_gateway -h`.
    pub help: &'static str,
    /// How much of the value the first line of the log shows.
    pub shows: Shows,
}

/// Which part of a value may appear in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// The whole value, because it is never a secret.
    All,
    /// A URL without its query, which may contain a secret.
    Url,
    /// The path, unless it may be a secret that was pasted by accident.
    Path,
    /// Only the names of HTTP headers, because their values are often secrets.
    HeaderNames,
    /// Only that it is set, because some services take a key as the user of basic authentication.
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

/// All keys of the output, in the order in which documentation and errors list them. None may be a name that the host
/// reserves (`host`, `port`, `tls.*`, `net.*`, `oauth2*`, `workers`, `alias`, …).
pub const KEYS: &[Key] = &[
    url(
        "endpoint",
        "URL that batches are sent to: http://, https://, http+unix://, unix:// or file://; required",
    ),
    key("format", Some("native"), FormatName::HELP),
    key(
        "elasticsearch_index",
        None,
        "index or data stream for format elasticsearch; logs-kubernetes.events-default if unset",
    ),
    file(
        "template_file",
        "JSON document with expressions, rendered by format template; read once, at the start",
    ),
    key(
        "content_type",
        None,
        "Content-Type of requests with format template; by default it follows batch_as",
    ),
    key(
        "batch_as",
        Some("ndjson"),
        "how format template combines records: ndjson, json_array or one_per_request",
    ),
    key("omit_null", Some("off"), "on: format template leaves out members without a value"),
    key("cluster_name", None, "name of the cluster, added to every record"),
    key("compress", Some("gzip"), "gzip or none; none with formats whose services cannot decompress"),
    key("batch_events", Some("500"), "maximum number of records in one request"),
    key(
        "batch_bytes",
        Some("1M"),
        "maximum size of one request before compression; at most what the format's receivers accept",
    ),
    key("timeout", Some("10s"), "time limit of one request, including connecting"),
    key("file_max_bytes", Some("64M"), "with file://: size at which a file is completed"),
    key("file_max_age", Some("5m"), "with file://: age at which a file is completed"),
    headers("headers", "headers added to every request: Name: value, Name: \"value, with commas\""),
    file("bearer_token_file", "file with a bearer token; read again when it changes and on 401"),
    secret("basic_user", "user for HTTP basic authentication"),
    file(
        "basic_password_file",
        "file with the password of basic_user; read again when it changes and on 401",
    ),
    file(
        "api_key_file",
        "file with the API key of the format's service; read again when it changes, unless the key is in the body",
    ),
    key("splunk_index", None, "index for splunk_hec; the token's default index if unset"),
    key("splunk_source", None, "source for splunk_hec; kubernetes if unset"),
    key("splunk_sourcetype", None, "sourcetype for splunk_hec; kube:events if unset"),
    key(
        "alertmanager_expires_after",
        None,
        "with format alertmanager: how long after its last occurrence an alert ends",
    ),
    file("ca_file", "PEM file with the authorities to trust instead of the system's"),
    file("client_cert_file", "PEM file with the client's certificate chain"),
    file("client_key_file", "PEM file with the client's private key"),
    key("insecure_skip_verify", Some("off"), "on: do not verify the gateway's certificate"),
    file("state_file", "file that keeps the ledger over restarts"),
    key("ledger_ttl", Some("3h"), "how long a delivered version is remembered"),
    key(
        "ledger_max_entries",
        Some("1000000"),
        "maximum number of remembered versions; the oldest are evicted first",
    ),
    key("updates", Some("every"), "which updates of a known event are delivered: every, first or doubling"),
    key(
        "guarantee",
        Some("no_event_loss"),
        "no_event_loss or no_duplicates: what the plugin guarantees if a request has no clear answer",
    ),
    file("dead_letter_file", "NDJSON file for records that the gateway will never accept"),
    key(
        "dead_letter_max_bytes",
        Some("64M"),
        "maximum size of the dead letter file; records wait while it is full",
    ),
    key("kinds", None, "take only these kinds: kubernetes.event, kubernetes.audit, gatekeeper.violation"),
    key(
        "other",
        Some("pass"),
        "records of unknown kind: pass, drop (records with an auditID still pass) or dead_letter",
    ),
    key("namespaces", None, "take only these namespaces (comma list, * wildcards)"),
    key("exclude_namespaces", None, "leave these namespaces out (comma list, * wildcards)"),
    key("types", None, "take only these event types, such as Warning (comma list, * wildcards)"),
    key("reasons", None, "take only these reasons (comma list, * wildcards)"),
    key("exclude_reasons", None, "leave these reasons out (comma list, * wildcards)"),
    key("verbs", None, "take only audit records with these verbs, such as delete (comma list, * wildcards)"),
    key("levels", None, "take only audit records with these levels (comma list, * wildcards)"),
    key("users", None, "take only audit records of these users (comma list, * wildcards)"),
    key("exclude_users", None, "leave out audit records of these users (comma list, * wildcards)"),
    key(
        "resources",
        None,
        "take only audit records about these resources, such as pods, pods/exec (comma list, * wildcards)",
    ),
    key(
        "enforcement_actions",
        None,
        "take only violations with these actions, such as deny (comma list, * wildcards)",
    ),
    key("audit_bodies", Some("off"), "on: native audit records contain the bodies of request and response"),
    key(
        "redact",
        None,
        "fields to leave out, by their names in format native, such as audit.user.extra (comma list, * wildcards)",
    ),
    key(
        "redact_hash",
        None,
        "fields to replace by a hash, by their names in format native, such as audit.user.name (comma list, * \
         wildcards)",
    ),
    key("max_message_bytes", Some("16K"), "maximum length of a message; a longer one is cut and marked"),
    key("correlate", Some("auto"), "auto, on or off: find the Services that an event affects"),
    url("kube_url", "http:// or https:// URL of the API server instead of the pod's own"),
    file("kube_ca_file", "PEM file with the API server's authorities instead of the pod's own"),
    file("kube_token_file", "file with a token for the API server instead of the pod's own"),
    key("kube_insecure_skip_verify", Some("off"), "on: do not verify the API server's certificate"),
    key("tombstone_ttl", Some("1h"), "how long a deleted object is remembered"),
    key("topology_wait", Some("30s"), "how long the first events wait until the cluster is listed"),
    key(
        "correlate_wait",
        Some("2s"),
        "how long an event waits for an object that the topology does not know yet; 0: it does not wait",
    ),
    key("max_services", Some("20"), "maximum number of Services in one record"),
    key("labels", Some("*"), "labels to include (comma list, * wildcards)"),
    key("annotations", None, "annotations to include (comma list, * wildcards)"),
    key(
        "reconcile",
        Some("off"),
        "report: watch which events the API server has, and say which of them do not come through this output",
    ),
    key("reconcile_after", Some("10s"), "how long an event may take before reconcile reports it"),
];

/// All keys of the filter. The host gets no `config_map` of them: entries have a different size from 5.0.3 on, and the
/// host reads a native filter's array before the plugin can tell the host's version.
pub const FILTER_KEYS: &[Key] = &[
    key("dedup", Some("on"), "off: let repeated events pass, for example if event_gateway follows"),
    file("state_file", "file that keeps the seen versions over restarts"),
    key("ledger_ttl", Some("3h"), "how long a seen version is remembered"),
    key(
        "ledger_max_entries",
        Some("1000000"),
        "maximum number of remembered versions; the oldest are evicted first",
    ),
    key("keep_managed_fields", Some("off"), "on: leave metadata.managedFields in the records"),
    key("correlate", Some("auto"), "auto, on or off: add the Services that an event affects"),
    url("kube_url", "http:// or https:// URL of the API server instead of the pod's own"),
    file("kube_ca_file", "PEM file with the API server's authorities instead of the pod's own"),
    file("kube_token_file", "file with a token for the API server instead of the pod's own"),
    key("kube_insecure_skip_verify", Some("off"), "on: do not verify the API server's certificate"),
    key("tombstone_ttl", Some("1h"), "how long a deleted object is remembered"),
    key("topology_wait", Some("5s"), "how long the start waits until the cluster is listed"),
    key("max_services", Some("20"), "maximum number of Services in one record"),
    key("labels", Some("*"), "labels to include (comma list, * wildcards)"),
    key("annotations", None, "annotations to include (comma list, * wildcards)"),
];
