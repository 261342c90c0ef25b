//! Is a service named only in its own folder, and where all formats are listed?
//!
//! Whoever asks what a response of a service means finds the answer in one place, and a new service changes no other.

use crate::rooms::rooms;

/// The services, each with what its own files begin with.
const SERVICES: [(&str, &str); 12] = [
    ("alertmanager", "format/alertmanager"),
    ("datadog", "format/datadog"),
    ("elasticsearch", "format/elasticsearch/"),
    ("eventrouter", "format/stand_ins/"),
    ("falco", "format/falco"),
    ("graylog", "format/gelf"),
    ("k8stream", "format/stand_ins/"),
    ("kubernetes-event-exporter", "format/stand_ins/"),
    ("loki", "format/loki/"),
    ("otlp", "format/otlp/"),
    ("pagerduty", "format/pagerduty/"),
    ("splunk", "format/splunk_hec/"),
];

/// The lists of formats, and the settings of single services.
const LISTS: [&str; 5] =
    ["config/format.rs", "config/keys.rs", "config/services.rs", "format/by_name.rs", "format/mod.rs"];

/// Other files that name one, with the reason.
const OTHERS: [(&str, &str, &str); 4] = [
    ("record/json_in_text.rs", "eventrouter", "reads what that tool writes into its log"),
    ("record/wrapper.rs", "eventrouter", "unpacks the envelope of that tool's records"),
    ("record/wrapper.rs", "splunk", "unpacks the envelope of its collector's events"),
    ("format/json/indexed.rs", "elasticsearch", "names whose rules an index of fields has"),
];

/// The services that a file names and should not.
fn named<'s>(path: &str, text: &str) -> Vec<&'s str> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_ascii_lowercase();
    let is_allowed = |(service, own): &(&str, &str)| {
        path.starts_with(own)
            || LISTS.contains(&path)
            || OTHERS.iter().any(|(file, other, _)| (*file, *other) == (path, *service))
    };
    let named = SERVICES.iter().filter(|(service, _)| text.contains(service));
    named.filter(|service| !is_allowed(service)).map(|(service, _)| *service).collect()
}

#[test]
fn no_module_names_a_service_but_its_own() {
    let wrong: Vec<String> = rooms()
        .iter()
        .flat_map(|(path, text)| {
            named(path, text).into_iter().map(move |service| format!("{path}: {service}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (file, service, _) in OTHERS {
        let is_needed =
            rooms().iter().any(|(path, text)| path == file && text.to_ascii_lowercase().contains(service));
        assert!(is_needed, "{file} does not name {service}: take it off");
    }
}

#[test]
fn a_planted_name_is_found() {
    assert_eq!(named("gateway/batch.rs", "// As Splunk wants it."), ["splunk"]);
    assert_eq!(named("format/loki/mod.rs", "//! Unlike Datadog, Loki …"), ["datadog"]);
    assert_eq!(named("format/loki/mod.rs", "//! A push to Loki."), [""; 0]);
    assert_eq!(named("config/keys.rs", "key(\"splunk_index\")"), [""; 0]);
    assert_eq!(named("gateway/batch.rs", "fn f() {} #[cfg(test)] mod tests { \"loki\" }"), [""; 0]);
}
