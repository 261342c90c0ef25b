//! Do the settings become what a user wrote, or every error at once, and never a secret in a log?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;
use std::time::Duration;

use super::reading;
use event_gateway::config::keys::KEYS;
use event_gateway::config::{self, Compress, Credentials, FormatName, PathError, Tls, Updates, units};
use event_gateway::pattern::Patterns;
use reading::*;

#[test]
fn the_defaults_are_those_of_the_table() {
    let settings = read_with(&[]).unwrap();
    assert_eq!(settings.endpoint.url, "https://gateway.example/events");
    assert!(settings.endpoint.https);
    assert_eq!(settings.render.format, FormatName::Native);
    assert_eq!(settings.render.cluster_name, "");
    assert_eq!(settings.compress, Compress::Gzip);
    assert_eq!((settings.batch_events, settings.batch_bytes), (500, 1_000_000));
    assert_eq!(settings.timeout, Duration::from_secs(10));
    assert!(settings.headers.is_empty());
    assert_eq!(settings.credentials, Credentials::None);
    assert_eq!(settings.tls, Tls { ca_file: None, client: None, insecure_skip_verify: false });
    assert_eq!(settings.ledger.state_file, None);
    assert_eq!(settings.ledger.ttl, Duration::from_secs(3 * 3_600));
    assert_eq!(settings.ledger.max_entries, 1_000_000);
    assert_eq!(settings.updates, Updates::Every);
    assert_eq!(settings.dead_letters.file, None);
    assert_eq!(settings.dead_letters.max_bytes, 64_000_000);
    assert_eq!(settings.correlation.topology, None);
    assert_eq!((settings.correlation.wait.as_secs(), settings.correlation.max_services), (30, 20));
    assert_eq!(settings.correlation.labels, Patterns::parse("*"));
    let none = Patterns::default();
    let selection = &settings.selection;
    for list in [
        &selection.namespaces,
        &selection.exclude_namespaces,
        &selection.types,
        &selection.reasons,
        &selection.exclude_reasons,
    ] {
        assert_eq!(list, &none);
    }
    // A default written out is the same as none.
    let defaults = KEYS.iter().filter_map(|key| Some((key.name, key.default?))).collect::<Vec<_>>();
    assert_eq!(format!("{:?}", read_with(&defaults).unwrap()), format!("{settings:?}"));
}

#[test]
fn every_error_is_reported_at_once_by_key_and_in_order() {
    let bad = [
        ("reasons", "\u{7}"),
        ("updates", "sometimes"),
        ("dead_letter_max_bytes", "64 parsecs"),
        ("ledger_ttl", "0s"),
        ("ledger_max_entries", "-1"),
        ("insecure_skip_verify", "perhaps"),
        ("client_key_file", "/no/such/key"),
        ("client_cert_file", "/no/such/certificate"),
        ("ca_file", "/"),
        ("basic_password_file", "/no/such/password"),
        ("bearer_token_file", "/no/such/token"),
        ("headers", "no colon"),
        ("timeout", "1ms"),
        ("batch_bytes", "1"),
        ("batch_events", "0"),
        ("compress", "zip"),
        ("cluster_name", "two\nlines"),
        ("format", "xml"),
    ];
    let mut all: Vec<(&str, &[u8])> = bad.iter().map(|(key, value)| (*key, value.as_bytes())).collect();
    all.push(("endpoint", b"gopher://example"));
    let errors = read(&all).unwrap_err();
    let place = |key: &&str| KEYS.iter().position(|known| known.name == *key);
    let mut expected: Vec<_> = all.iter().map(|(key, _)| *key).collect();
    expected.sort_by_key(place);
    assert_eq!(keys_of(&errors), expected);
    for error in &errors {
        assert!(!error.problem.is_empty() && !error.expected.is_empty());
        let shown = error.to_string();
        assert!(shown.starts_with(error.key) && shown.contains("; expected "), "{shown}");
        assert!(!shown.contains(|c: char| c.is_control()), "{shown:?}");
    }
    let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
    for sentence in [
        "format: \"xml\" is not one of the choices; expected native, cloudevents, cloudevents_batch, raw, template",
        "cluster_name: contains a control character; expected one line of text",
        "batch_events: \"0\" is out of range; expected a whole number from 1 to 10000",
        "timeout: \"1ms\" is out of range; expected a time from 100ms to 3600s, such as 500ms, 10s, 5m or 3h",
    ] {
        assert!(texts.iter().any(|text| text.starts_with(sentence)), "{sentence}\n{texts:#?}");
    }
    assert_eq!(keys_of(&read(&[]).unwrap_err()), ["endpoint"]);
}

#[test]
fn settings_that_belong_together_come_together() {
    let file = env!("CARGO_MANIFEST_DIR").to_owned() + "/Cargo.toml";
    type Properties<'a> = &'a [(&'a str, &'a str)];
    let once = ("guarantee", "no_duplicates");
    let cases: [(Properties<'_>, &[&str]); 11] = [
        (&[("basic_user", "me")], &["basic_password_file"]),
        (&[("basic_password_file", &file)], &["basic_user"]),
        (&[("basic_user", "a:b"), ("basic_password_file", &file)], &["basic_user"]),
        (&[("basic_user", "me"), ("bearer_token_file", &file)], &["bearer_token_file"]),
        (&[("client_cert_file", &file)], &["client_key_file"]),
        (&[("client_key_file", &file)], &["client_cert_file"]),
        (&[("basic_user", "me"), ("client_key_file", &file)], &["basic_password_file", "client_cert_file"]),
        (&[("basic_user", "me"), ("basic_password_file", &file), ("ca_file", &file)], &[]),
        // Without the one a crash would forget what was sent, without the other what is in doubt would be lost.
        (&[once], &["state_file", "dead_letter_file"]),
        (&[once, ("state_file", "/s")], &["dead_letter_file"]),
        (&[once, ("state_file", "/s"), ("dead_letter_file", "/d")], &[]),
    ];
    for (properties, wrong) in cases {
        let errors = read_with(properties).err().unwrap_or_default();
        assert_eq!(keys_of(&errors), wrong, "{properties:?}: {errors:?}");
    }
}

/// Two keys, of one output or of two: the one would write into the other's file, or take it for damaged and move it
/// away.
#[test]
fn no_file_has_the_name_of_one_that_lies_beside_a_state_file() {
    for end in [".in-flight", ".topology", ".topology.new", ".unfinished"] {
        let path = format!("/s/ledger{end}");
        for key in ["state_file", "dead_letter_file"] {
            let errors = read_with(&[(key, &path)]).unwrap_err();
            assert_eq!(keys_of(&errors), [key], "{path}");
            assert!(errors[0].problem.contains(&format!("ends in {end},")), "{errors:?}");
        }
        let errors = read_filter(&[("state_file", path.as_bytes())]).unwrap_err();
        assert_eq!(keys_of(&errors), ["state_file"], "{path}");
        assert!(read_with(&[("state_file", &format!("{path}2"))]).is_ok());
    }
}

#[test]
fn one_file_is_one_file_however_it_is_written() {
    for other in ["/s/ledger", "/s//ledger", "/s/./ledger", "/s/ledger/"] {
        let errors = read_with(&[("state_file", "/s/ledger"), ("dead_letter_file", other)]).unwrap_err();
        assert_eq!(keys_of(&errors), ["state_file"], "{other}");
        let file = env!("CARGO_MANIFEST_DIR");
        let (token, state) = (format!("{file}/Cargo.toml"), format!("{file}//Cargo.toml"));
        let both = [("state_file", state.as_bytes()), ("kube_token_file", token.as_bytes())];
        assert_eq!(keys_of(&read_filter(&both).unwrap_err()), ["state_file"]);
    }
}

#[test]
fn in_a_pod_its_own_api_server_is_used_unless_set_otherwise() {
    const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
    let read_in = |pod: bool, files: bool, properties: &[(&str, &str)]| {
        let property = |key: &str| match key {
            "endpoint" => Some(b"http://h".to_vec()),
            _ => properties.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_bytes().to_vec()),
        };
        let readable = |path: &Path| {
            let there = files && path.starts_with(FOLDER) || path.ends_with("mine");
            there.then_some(()).ok_or_else(|| PathError::Io(std::io::Error::other("not there")))
        };
        let environment =
            |name: &str| (pod && name == "KUBERNETES_SERVICE_HOST").then(|| "10.0.0.1".to_owned());
        config::read(&config::Source {
            property: &property,
            readable: &readable,
            contents: &|_| Ok("{}".to_owned()),
            writable: &|_| Ok(()),
            environment: &environment,
        })
    };
    let topology = |pod, files, properties: &[(&str, &str)]| {
        read_in(pod, files, properties).unwrap().correlation.topology
    };
    assert_eq!(topology(false, true, &[]), None);
    assert_eq!(topology(true, true, &[("correlate", "off")]), None);
    assert!(topology(false, false, &[("correlate", "on")]).is_some());

    let own = topology(true, true, &[]).unwrap();
    assert_eq!((&*own.url.url, own.url.https), ("https://kubernetes.default.svc", true));
    assert_eq!(own.tls.ca_file, Some(format!("{FOLDER}/ca.crt").into()));
    assert_eq!(own.token_file, Some(format!("{FOLDER}/token").into()));
    assert!(!own.tls.insecure_skip_verify && own.annotations.is_empty() && own.snapshot_file.is_none());
    assert_eq!(own.tombstone_ttl, Duration::from_secs(3_600));
    let bare = topology(true, false, &[]).unwrap();
    assert_eq!((bare.tls.ca_file, bare.token_file), (None, None));

    // kubectl proxy: nothing of the pod's is sent in the clear.
    let proxy = topology(false, true, &[("kube_url", "http://127.0.0.1:8001/")]).unwrap();
    assert_eq!((&*proxy.url.url, proxy.url.https), ("http://127.0.0.1:8001", false));
    assert_eq!((proxy.tls.ca_file, proxy.token_file), (None, None));
    let own = [("kube_token_file", "/mine"), ("kube_ca_file", "/mine"), ("annotations", "team, owner-*")];
    let own = topology(true, true, &own).unwrap();
    assert_eq!((own.tls.ca_file, own.token_file), (Some("/mine".into()), Some("/mine".into())));
    assert!(own.annotations.matches("owner-x"));

    let wrong = [
        ("correlate", "perhaps"),
        ("kube_url", "https://me:secret@host"),
        ("kube_ca_file", "/not there"),
        ("kube_token_file", "/not there"),
        ("kube_insecure_skip_verify", "perhaps"),
        ("tombstone_ttl", "0s"),
        ("topology_wait", "2h"),
        ("correlate_wait", "2m"),
        ("max_services", "1001"),
        ("labels", ","),
        ("annotations", ", ,"),
        ("reconcile", "perhaps"),
        ("reconcile_after", "0s"),
    ];
    // Also where nothing is correlated: an error is an error.
    let errors = read_in(false, true, &wrong).unwrap_err();
    assert_eq!(keys_of(&errors), wrong.map(|(key, _)| key));
    assert!(!format!("{errors:?}").contains("secret"));
    for url in ["ftp://host", "https://", "https://host/?a=b", "https://host/#x", "host:6443"] {
        assert_eq!(keys_of(&read_in(true, true, &[("kube_url", url)]).unwrap_err()), ["kube_url"], "{url}");
    }
}

#[test]
fn sizes_and_times_take_units() {
    for (text, bytes) in [
        ("1000", Some(1_000)),
        ("1K", Some(1_000)),
        ("1kb", Some(1_000)),
        ("1 KB", Some(1_000)),
        ("1.5M", Some(1_500_000)),
        ("2G", Some(2_000_000_000)),
        ("999", None),
        ("3G", None),
        ("1T", None),
        ("1KiB", None),
        ("-1K", None),
        ("K", None),
        ("", None),
        ("1e4", None),
    ] {
        assert_eq!(units::size(text, 1_000, 2_000_000_000).ok(), bytes, "{text}");
    }
    let (least, most) = (Duration::from_millis(100), Duration::from_secs(86_400));
    for (text, millis) in [
        ("100ms", Some(100)),
        ("0.1", Some(100)),
        ("10", Some(10_000)),
        ("10s", Some(10_000)),
        ("1.5m", Some(90_000)),
        ("3h", Some(10_800_000)),
        ("1D", Some(86_400_000)),
        ("99ms", None),
        ("2d", None),
        ("1w", None),
        ("10 minutes", None),
        ("-1s", None),
        ("s", None),
    ] {
        assert_eq!(units::time(text, least, most).ok(), millis.map(Duration::from_millis), "{text}");
    }
    for (text, on) in [("on", Some(true)), ("Yes", Some(true)), ("FALSE", Some(false)), ("1", None)] {
        assert_eq!(units::switch(text).ok(), on, "{text}");
    }
    let settings =
        read_with(&[("batch_bytes", "512K"), ("timeout", "500ms"), ("ledger_ttl", "1.5h")]).unwrap();
    assert_eq!(settings.batch_bytes, 512_000);
    assert_eq!((settings.timeout.as_millis(), settings.ledger.ttl.as_secs()), (500, 5_400));
}
