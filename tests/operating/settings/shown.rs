//! Does the first line of the log show every setting as it takes effect, and never a secret?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::path::Path;

use super::cases;
use cases::cases;
use event_gateway::config::keys::{FILTER_KEYS, KEYS, Key, Shows};
use event_gateway::config::{self, Source, shown};
use proptest::prelude::*;
use proptest::sample::select;

const SECRET: &str = "S3CR3T";
/// What the log passes on of a line.
const MOST_BYTES: usize = 3_000;

type Properties = BTreeMap<String, String>;

fn with_source<R>(properties: &Properties, look: impl FnOnce(&Source<'_>) -> R) -> R {
    look(&Source {
        property: &|key| {
            properties.get(key).filter(|text| !text.is_empty()).map(|text| text.clone().into_bytes())
        },
        readable: &|_: &Path| Ok(()),
        contents: &|_| Ok("{}".to_owned()),
        writable: &|_: &Path| Ok(()),
        environment: &|_| None,
    })
}

/// The output's settings and the line that shows them.
fn output(properties: &Properties) -> (String, String) {
    with_source(properties, |source| {
        let settings = config::read(source).unwrap_or_else(|errors| panic!("{properties:?}: {errors:?}"));
        (format!("{settings:?}"), shown::output_line(source, &settings))
    })
}

fn filter(properties: &Properties) -> (String, String) {
    with_source(properties, |source| {
        let settings =
            config::read_filter(source).unwrap_or_else(|errors| panic!("{properties:?}: {errors:?}"));
        (format!("{settings:?}"), shown::filter_line(source, &settings))
    })
}

/// The pairs of a line, behind its head.
fn pairs(line: &str) -> Properties {
    let mut rest = line.split_once(": ").expect("a head").1;
    let mut pairs = Properties::new();
    while let Some((name, after)) = rest.split_once('=') {
        let quoted = after.strip_prefix('"').map(|inside| {
            let mut escaped = false;
            let end = inside.find(|c| match (c, std::mem::take(&mut escaped)) {
                ('"', false) => true,
                (c, was) => {
                    escaped = c == '\\' && !was;
                    false
                }
            });
            &after[..end.expect("an end") + 2]
        });
        let written = quoted.unwrap_or_else(|| after.split(", ").next().unwrap());
        let text = match quoted {
            Some(quoted) => unescaped(&quoted[1..quoted.len() - 1]),
            None => written.to_owned(),
        };
        assert_eq!(pairs.insert(name.to_owned(), text), None, "{name} stands twice in {line}");
        rest = after[written.len()..].strip_prefix(", ").unwrap_or_default();
    }
    pairs
}

/// What a string's debug form was made of; controls are never shown.
fn unescaped(quoted: &str) -> String {
    let mut text = String::new();
    let mut rest = quoted.chars();
    while let Some(c) = rest.next() {
        let escaped = (c == '\\').then(|| rest.next().expect("what is escaped"));
        text.push(match escaped {
            Some('u') => {
                let digits: String = rest.by_ref().skip(1).take_while(|c| *c != '}').collect();
                char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap()
            }
            Some(plain @ ('"' | '\\')) => plain,
            Some(other) => panic!("\\{other} in {quoted}"),
            None => c,
        });
    }
    text
}

/// A value that the reader takes, secrets in all places where there may be one.
fn good(key: &Key) -> BoxedStrategy<String> {
    let list = || "[a-zA-Zü*?.-]{1,9}( ?, ?[a-zA-Z*-]{1,9}){0,3}";
    match (key.shows, key.name) {
        (Shows::Url, "kube_url") => "https?://[a-z]{1,9}(:6443)?(/[a-z=,]{0,9})?/?".boxed(),
        (Shows::Url, _) => "https?://[a-z]{1,9}(:80)?/[a-z=,]{0,9}(\\?(t=)?S3CR3T)?".boxed(),
        (Shows::Path, name) => {
            let name = name.to_owned();
            "(/|\\./|S3CR3T/)[a-z =,\"\\\\]{0,9}".prop_map(move |path| format!("{path}{name}")).boxed()
        }
        (Shows::HeaderNames, _) => {
            "X-[A-Z]{1,5}: ?(([a-z=][a-z =\"]{0,4})?S3CR3T|\"[a-z =,:]{0,5}S3CR3T(, X-[a-z]: S3CR3T|\\\\\\\")?\")(, ?x-[a-z]{2}:S3CR3T:x)?"
                .boxed()
        }
        (Shows::Nothing, _) => "[a-z ]{0,3}S3CR3T[ -9;-~ü]{0,5}".boxed(),
        (Shows::All, name) => match name {
            "format" => select(&["native", "CloudEvents", "cloudevents_batch", "raw"][..])
                .prop_map(str::to_owned)
                .boxed(),
            "batch_as" => {
                select(&["ndjson", "json_array", "One_Per_Request"][..]).prop_map(str::to_owned).boxed()
            }
            "omit_null" => select(&["on", "off"][..]).prop_map(str::to_owned).boxed(),
            "content_type" => "application/[a-z]{1,9}(; ?charset=utf-8)?".boxed(),
            "compress" => select(&["gzip", "none"][..]).prop_map(str::to_owned).boxed(),
            "guarantee" => select(&["no_event_loss", "No_Duplicates"][..]).prop_map(str::to_owned).boxed(),
            "updates" => select(&["every", "first", "Doubling"][..]).prop_map(str::to_owned).boxed(),
            "correlate" => select(&["auto", "on", "off"][..]).prop_map(str::to_owned).boxed(),
            "dedup" => Just("on".to_owned()).boxed(), // the other does not go with state_file
            "audit_bodies" | "keep_managed_fields" | "insecure_skip_verify" | "kube_insecure_skip_verify" => {
                select(&["on", "Off", "yes", "FALSE"][..]).prop_map(str::to_owned).boxed()
            }
            "batch_events" | "ledger_max_entries" | "max_services" => "[1-9][0-9]{0,2}".boxed(),
            "batch_bytes" | "max_message_bytes" | "file_max_bytes" | "dead_letter_max_bytes" => {
                "[1-9](\\.5)? ?(k|MB)".boxed()
            }
            "elasticsearch_index" | "splunk_index" | "splunk_source" | "splunk_sourcetype" => {
                "[ -9;-~ü]{1,12}".boxed()
            }
            "alertmanager_expires_after"
            | "file_max_age"
            | "timeout"
            | "ledger_ttl"
            | "tombstone_ttl"
            | "topology_wait"
            | "reconcile_after" => "[1-9] ?(s|m)".boxed(),
            "correlate_wait" => "[1-9] ?(s|ms)".boxed(),
            "reconcile" => select(&["off", "Off"][..]).prop_map(str::to_owned).boxed(),
            "cluster_name" => "[ -9;-~ü\u{202e}]{1,12}".boxed(),
            "other" => select(&["pass", "Drop"][..]).prop_map(str::to_owned).boxed(),
            "kinds" => select(&["kubernetes.event", "gatekeeper.violation , kubernetes.audit"][..])
                .prop_map(str::to_owned)
                .boxed(),
            "redact" | "redact_hash" => {
                select(&["audit.user.extra", "record.*.a, message"][..]).prop_map(str::to_owned).boxed()
            }
            "namespaces"
            | "exclude_namespaces"
            | "verbs"
            | "levels"
            | "users"
            | "exclude_users"
            | "resources"
            | "enforcement_actions"
            | "types"
            | "reasons"
            | "exclude_reasons"
            | "labels"
            | "annotations" => list().boxed(),
            _ => panic!("a new key, {name}: what does the reader take, and may all of it be shown?"),
        },
    }
}

/// Some of the keys; those that must come together do.
fn random(keys: &'static [Key]) -> impl Strategy<Value = Properties> {
    let one = |key: &'static Key| (Just(key.name.to_owned()), proptest::option::of(good(key)));
    keys.iter()
        .map(one)
        .collect::<Vec<_>>()
        .prop_map(|all| {
            let mut all: Properties =
                all.into_iter().filter_map(|(name, text)| Some((name, text?))).collect();
            for (one, other) in
                [("basic_user", "basic_password_file"), ("client_cert_file", "client_key_file")]
            {
                if !(all.contains_key(one) && all.contains_key(other)) {
                    all.remove(one);
                    all.remove(other);
                }
            }
            if all.contains_key("basic_user") {
                all.remove("bearer_token_file");
            }
            // No other credentials go with it, and it goes with few formats.
            if all.contains_key("api_key_file") {
                if all.get("format").is_some_and(|format| format == "raw") {
                    all.insert("format".to_owned(), "splunk_hec".to_owned());
                    for other in ["basic_user", "basic_password_file", "bearer_token_file"] {
                        all.remove(other);
                    }
                } else {
                    all.remove("api_key_file");
                }
            }
            all.retain(|_, text| !text.trim().is_empty());
            // They go with a format that they are for.
            all.remove("content_type");
            if all.remove("template_file").is_some_and(|file| file.starts_with('/')) {
                all.insert("format".to_owned(), "template".to_owned());
                all.remove("api_key_file");
                all.insert("template_file".to_owned(), "/a, file".to_owned());
                all.insert("content_type".to_owned(), "application/x; charset=utf-8".to_owned());
            } else {
                all.remove("batch_as");
                all.remove("omit_null");
            }
            // The pod's own token is for its own API server.
            if all.get("kube_url").is_some_and(|url| url.starts_with("https")) {
                all.entry("kube_token_file".to_owned()).or_insert_with(|| "/a, token".to_owned());
            }
            // What is sent has to be written down first, and what is in doubt has to be put somewhere.
            if !(all.contains_key("state_file") && all.contains_key("dead_letter_file")) {
                all.remove("guarantee");
            }
            all
        })
        .prop_filter("a user of blanks only is none", |all| {
            all.contains_key("basic_user") == all.contains_key("basic_password_file")
        })
}

/// Whether the line shows all that `read` took, and nothing secret.
fn check(
    properties: &Properties,
    keys: &[Key],
    read: fn(&Properties) -> (String, String),
) -> Result<(), TestCaseError> {
    let (settings, line) = read(properties);
    prop_assert!(!line.contains(SECRET), "{}", line);
    prop_assert!(line.len() < MOST_BYTES);
    let mut shown = pairs(&line);
    for key in keys {
        let wanted = properties.contains_key(key.name) || key.default.is_some();
        prop_assert_eq!(
            shown.contains_key(key.name),
            // Requests are posted in these tests, and no files written.
            wanted && key.name != "endpoint" && !key.name.starts_with("file_"),
            "{}: {}",
            key.name,
            line
        );
        // What is hidden cannot be read again.
        let written = properties.get(key.name).filter(|text| text.contains(SECRET) || key.name == "endpoint");
        if let Some(written) = written {
            shown.insert(key.name.to_owned(), written.clone());
        }
    }
    prop_assert!(shown.keys().all(|name| keys.iter().any(|key| key.name == name)), "{}", line);
    prop_assert_eq!(read(&shown).0, settings, "{}", line);
    Ok(())
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn the_outputs_line_tells_all_and_no_secret(mut properties in random(KEYS), endpoint in good(&KEYS[0])) {
        properties.insert("endpoint".to_owned(), endpoint);
        check(&properties, KEYS, output)?;
    }

    #[test]
    fn the_filters_line_tells_all_and_no_secret(properties in random(FILTER_KEYS)) {
        check(&properties, FILTER_KEYS, filter)?;
    }

    #[test]
    fn a_long_value_is_cut_and_none_is_left_out(
        long in proptest::collection::vec((0..KEYS.len(), "[a-zü\u{ad}\"]{300,3000}"), 1..20),
        path in "[a-zü]{0,4000}",
    ) {
        let mut properties = Properties::new();
        for (key, text) in long {
            // These name what there is.
            let is_free = !["content_type", "kinds", "redact_hash", "alertmanager_expires_after"].contains(&KEYS[key].name);
            if matches!(KEYS[key].shows, Shows::All) && KEYS[key].default.is_none() && is_free {
                properties.insert(KEYS[key].name.to_owned(), text);
            }
        }
        properties.insert("endpoint".to_owned(), format!("http://h/{}", path.replace('ü', "u")));
        properties.insert("state_file".to_owned(), format!("/{path}"));
        let line = output(&properties).1;
        prop_assert!(line.len() < MOST_BYTES, "{} bytes", line.len());
        let shown = pairs(&line);
        for name in properties.keys().filter(|name| *name != "endpoint") {
            prop_assert!(shown.contains_key(name), "{}: {}", name, line);
        }
    }
}

#[test]
fn the_lines_are_as_people_read_them() {
    let properties = |pairs: &[(&str, &str)]| -> Properties {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    };
    let line = output(&properties(&[
        ("endpoint", "https://gw.example/events?key=S3CR3T"),
        ("headers", "X-Key: \"S3CR3T, X-Not: S3CR3T\", X-Team: a"),
        ("bearer_token_file", "S3CR3T"),
        ("state_file", "/var/lib/ledger"),
        ("namespaces", "shop, kube-*"),
        ("kube_url", "https://api:6443/"),
        ("kube_token_file", "/run/token"),
    ]))
    .1;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        line,
        format!(
            "delivers to https://gw.example/events, Services from https://api:6443/, version {version}: \
             format=native, batch_as=ndjson, omit_null=off, compress=gzip, batch_events=500, batch_bytes=1M, timeout=10s, \
             headers=\"X-Key: …, X-Team: …\", bearer_token_file=\"the file it names\", insecure_skip_verify=off, \
             state_file=/var/lib/ledger, ledger_ttl=3h, ledger_max_entries=1000000, updates=every, guarantee=no_event_loss, \
             dead_letter_max_bytes=64M, other=pass, namespaces=\"shop, kube-*\", audit_bodies=off, max_message_bytes=16K, correlate=auto, kube_url=https://api:6443/, kube_token_file=/run/token, \
             kube_insecure_skip_verify=off, tombstone_ttl=1h, topology_wait=30s, correlate_wait=2s, max_services=20, labels=*, reconcile=off, reconcile_after=10s"
        )
    );
    assert_eq!(
        filter(&Properties::new()).1,
        format!(
            "processes events, no Services because correlate is off, version {version}: dedup=on, ledger_ttl=3h, \
             ledger_max_entries=1000000, keep_managed_fields=off, correlate=auto, kube_insecure_skip_verify=off, \
             tombstone_ttl=1h, topology_wait=5s, max_services=20, labels=*"
        )
    );
}

#[test]
fn what_a_key_shows_follows_from_its_name() {
    for key in KEYS.iter().chain(FILTER_KEYS) {
        let wanted = match key.name {
            "headers" => Shows::HeaderNames,
            "basic_user" => Shows::Nothing,
            "endpoint" => Shows::Url,
            name if name.ends_with("_url") => Shows::Url,
            name if name.ends_with("_file") => Shows::Path,
            _ => Shows::All,
        };
        assert_eq!(key.shows, wanted, "{}", key.name);
        // A secret itself is no setting: it belongs into a file.
        assert!(
            !["token", "password", "secret", "key"].iter().any(|word| key.name.ends_with(word)),
            "{}",
            key.name
        );
    }
}
