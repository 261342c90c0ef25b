//! Does the scheme of `endpoint` choose the transport, and is everything that does not fit it an error that says what
//! would?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;
use std::time::Duration;

use super::reading;
use event_gateway::config::shown::output_line;
use event_gateway::config::{Compress, FileSettings, PathError, Scheme, Settings, Source};
use reading::*;

fn scheme(endpoint: &str) -> Result<Scheme, String> {
    settings(endpoint, &[]).map(|settings| settings.scheme)
}

fn settings(endpoint: &str, more: &[(&str, &str)]) -> Result<Settings, String> {
    let mut all: Vec<(&str, &[u8])> = vec![("endpoint", endpoint.as_bytes())];
    all.extend(more.iter().map(|(key, value)| (*key, value.as_bytes())));
    read(&all).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

#[test]
fn the_scheme_chooses_the_transport() {
    for url in ["http://h/x", "https://h", "HTTP://h"] {
        assert_eq!(scheme(url), Ok(Scheme::Http), "{url}");
    }
    for url in ["unix:///run/gateway.sock", "Unix:///run/gateway.sock"] {
        assert_eq!(scheme(url), Ok(Scheme::Unix { socket: "/run/gateway.sock".into() }), "{url}");
    }
    for (url, socket, request) in [
        ("http+unix:///run/g.sock:/events", "/run/g.sock", "http://localhost/events"),
        ("http+unix:///run/g.sock:/", "/run/g.sock", "http://localhost/"),
        ("HTTP+UNIX:///a:b/c d.sock:/e:/f?key=1", "/a:b/c d.sock", "http://localhost/e:/f?key=1"),
    ] {
        let wanted = Scheme::HttpOverUnix { socket: socket.into(), url: request.to_owned() };
        assert_eq!(scheme(url), Ok(wanted), "{url}");
    }
    let files = |folder: &str, max_bytes, seconds| {
        let max_age = Duration::from_secs(seconds);
        Ok(Scheme::File(FileSettings { folder: folder.into(), max_bytes, max_age }))
    };
    assert_eq!(scheme("file:///var/spool/events"), files("/var/spool/events", 64_000_000, 300));
    assert_eq!(scheme("file:///100%20/"), files("/100%20/", 64_000_000, 300), "taken as it is written");
    let small = settings("file:///x", &[("file_max_bytes", "2K"), ("file_max_age", "1h")]);
    assert_eq!(small.map(|settings| settings.scheme), files("/x", 2_000, 3_600));
}

#[test]
fn a_bad_url_says_what_is_expected() {
    let long = format!("unix:///{}", "x".repeat(107));
    for (url, says) in [
        ("unix://", "has no path; expected unix:///"),
        ("unix://run/x.sock", "relative path, or a host; expected unix:///"),
        ("unix:///run/", "names a folder; expected unix:///"),
        ("unix:///run/x.sock?key=S3CR3T", "has a query or a fragment"),
        ("unix:///run/x.sock#S3CR3T", "has a query or a fragment"),
        ("unix://me:S3CR3T@host/x", "relative path, or a host"),
        ("unix:///x//me:S3CR3T@host/x", "contains a user or password"),
        (&*long, "more than 107 bytes"),
        (
            "http+unix:///run/x.sock",
            "has no path for the requests; expected http+unix:///run/gateway.sock:/events",
        ),
        ("http+unix:///run/x.sock:events", "has no path for the requests"),
        ("http+unix://run/x.sock:/events", "relative path, or a host"),
        ("http+unix://:/events", "has no path; expected http+unix:///"),
        ("http+unix:///run/x.sock:/a b", "has an invalid path for the requests"),
        ("http+unix:///run/x.sock:/a//me:S3CR3T@host", "contains a user or password"),
        ("file://", "has no path; expected file:///"),
        ("file://spool", "relative path, or a host; expected file:///"),
        ("file://localhost/spool", "relative path, or a host; expected file:///"),
        ("file:/spool", "http+unix://, unix:// or file:// with a path"),
        ("tcp://host:1", "http+unix://, unix:// or file:// with a path"),
    ] {
        let reported = scheme(url).expect_err(url);
        assert!(reported.starts_with("endpoint: ") && reported.contains(says), "{url}: {reported}");
        assert!(!reported.contains("S3CR3T"), "{reported}");
    }
}

/// A secret that nobody sends is worse than none, as its owner counts on it.
#[test]
fn what_only_requests_carry_is_an_error_without_them() {
    let file = env!("CARGO_MANIFEST_DIR").to_owned() + "/Cargo.toml";
    let of_requests: [&[(&str, &str)]; 6] = [
        &[("headers", "X-Key: S3CR3T")],
        &[("bearer_token_file", &file)],
        &[("basic_user", "me"), ("basic_password_file", &file)],
        &[("ca_file", &file)],
        &[("client_cert_file", &file), ("client_key_file", &file)],
        &[("insecure_skip_verify", "on")],
    ];
    for endpoint in ["unix:///run/x.sock", "file:///spool"] {
        for properties in of_requests {
            let reported = settings(endpoint, properties).unwrap_err();
            for (key, _) in properties {
                let line = format!("{key}: is set, but endpoint {endpoint} does not use it");
                assert!(reported.contains(&line), "{reported}");
            }
            assert!(!reported.contains("S3CR3T"), "{reported}");
        }
        assert!(settings(endpoint, &[("insecure_skip_verify", "off")]).is_ok(), "the default");
    }
    for properties in of_requests {
        assert!(settings("http+unix:///run/x.sock:/", properties).is_ok(), "{properties:?}");
    }
}

#[test]
fn an_error_in_the_size_or_age_of_files_is_reported_whatever_the_endpoint() {
    for endpoint in ["http://h", "file:///spool"] {
        let reported = settings(endpoint, &[("file_max_bytes", "1"), ("file_max_age", "never")]).unwrap_err();
        assert!(reported.contains("file_max_bytes: ") && reported.contains("file_max_age: "), "{reported}");
    }
}

#[test]
fn what_is_shown_is_what_takes_effect() {
    let line = |endpoint: &str| {
        let property = |key: &str| (key == "endpoint").then(|| endpoint.as_bytes().to_vec());
        let source = Source {
            property: &property,
            readable: &|_: &Path| Ok(()),
            writable: &|_| Ok(()),
            contents: &|_| Err(PathError::Io(std::io::ErrorKind::NotFound.into())),
            environment: &|_| None,
        };
        output_line(&source, &settings(endpoint, &[]).unwrap())
    };
    let stream = line("unix:///run/x.sock");
    assert!(
        stream.starts_with("delivers to unix:///run/x.sock,") && stream.contains("timeout=10s"),
        "{stream}"
    );
    for key in [" compress=", " insecure_skip_verify=", " file_max_bytes="] {
        assert!(!stream.contains(key), "{stream}");
    }
    let files = line("file:///spool");
    assert!(files.contains("compress=gzip") && files.contains("file_max_age=5m"), "{files}");
    assert!(!files.contains("timeout="), "{files}");
    let over = line("http+unix:///run/x.sock:/in?key=S3CR3T");
    assert!(
        over.starts_with("delivers to http+unix:///run/x.sock:/in,") && !over.contains("S3CR3T"),
        "{over}"
    );
    assert!(over.contains(" insecure_skip_verify=off") && !over.contains("file_max"), "{over}");
    assert_eq!(settings("unix:///x", &[]).unwrap().compress, Compress::None, "a stream is made of lines");
}
