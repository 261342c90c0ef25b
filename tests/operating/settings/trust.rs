//! To whom do tokens go, and what is said at the start of what others could read or forge?

use std::path::Path;

use event_gateway::config::{self, ConfigError, FilterSettings, Settings, Source, Weaknesses};

/// Reads as in a pod whose files are all there.
fn in_a_pod<R>(properties: &[(&str, &str)], read: impl FnOnce(&Source<'_>) -> R) -> R {
    read(&Source {
        property: &|key| {
            properties.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_bytes().to_vec())
        },
        readable: &|_: &Path| Ok(()),
        contents: &|_| Ok("{}".to_owned()),
        writable: &|_| Ok(()),
        environment: &|name| match name {
            "KUBERNETES_SERVICE_HOST" => Some("10.96.0.1".to_owned()),
            "KUBERNETES_SERVICE_PORT" => Some("6443".to_owned()),
            _ => None,
        },
    })
}

fn output(properties: &[(&str, &str)]) -> Result<Settings, Vec<ConfigError>> {
    let with_endpoint = [&[("endpoint", "http://127.0.0.1/")], properties].concat();
    // The first one counts here.
    let last: Vec<_> = with_endpoint.into_iter().rev().collect();
    in_a_pod(&last, config::read)
}

fn filter(properties: &[(&str, &str)]) -> Result<FilterSettings, Vec<ConfigError>> {
    in_a_pod(properties, config::read_filter)
}

const POD_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// What goes to this API server: a token's file, none, or nothing at all as one has to be named.
fn token_for(properties: &[(&str, &str)]) -> Result<Option<String>, String> {
    let text =
        |errors: Vec<ConfigError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let of_output = output(properties).map(|settings| settings.correlation).map_err(text);
    let of_filter = filter(properties).map(|settings| settings.correlation).map_err(text);
    assert_eq!(
        of_output,
        of_filter.clone().map(|settings| config::CorrelationSettings {
            wait: of_output.as_ref().map_or(settings.wait, |of| of.wait),
            ..settings
        })
    );
    let token_file = of_output?.topology.expect("correlated in a pod").token_file;
    Ok(token_file.map(|path| path.display().to_string()))
}

#[test]
fn the_pods_own_token_is_for_its_own_api_server() {
    for own in [
        "https://kubernetes.default.svc",
        "https://kubernetes.default.svc/",
        "https://KUBERNETES.default.svc:443",
        "https://kubernetes.default.svc.cluster.local.",
        "https://kubernetes.default:6443",
        "https://10.96.0.1",
        "https://10.96.0.1:6443",
    ] {
        assert_eq!(token_for(&[("kube_url", own)]), Ok(Some(POD_TOKEN.to_owned())), "{own}");
    }
    assert_eq!(token_for(&[]), Ok(Some(POD_TOKEN.to_owned())));
    for foreign in [
        "https://api.example",
        "https://127.0.0.1:6443",
        "https://localhost:6443",
        "https://10.96.0.2",
        "https://10.96.0.1:8443",
        "https://kubernetes.default.svc:8443",
        "https://kubernetes.default.svc.example.com",
        "https://kubernetes",
        "https://kubernetes.default.svc@example.com",
        "https://[::1]",
    ] {
        for more in [&[][..], &[("kube_insecure_skip_verify", "on")], &[("kube_ca_file", "/mine.crt")]] {
            let properties = [&[("kube_url", foreign)], more].concat();
            let error = token_for(&properties).expect_err(foreign);
            let key = if foreign.contains('@') {
                "kube_url: contains a user"
            } else {
                "kube_token_file: is not set"
            };
            assert!(error.starts_with(key), "{foreign}: {error}");
            if !foreign.contains('@') {
                let properties = [&properties[..], &[("kube_token_file", "/mine")]].concat();
                assert_eq!(token_for(&properties), Ok(Some("/mine".to_owned())), "{foreign}");
            }
        }
    }
    // Without TLS none goes out that was not named; kubectl proxy wants none.
    for plain in [
        "http://127.0.0.1:8001",
        "http://localhost:8001",
        "http://kubernetes.default.svc",
        "http://proxy.example",
    ] {
        assert_eq!(token_for(&[("kube_url", plain)]), Ok(None), "{plain}");
    }
    // Nobody is asked where nothing is correlated.
    let off = [("kube_url", "https://api.example"), ("correlate", "off")];
    assert!(output(&off).is_ok() && filter(&off).is_ok());
}

fn said(endpoint: &str, properties: &[(&str, &str)]) -> Weaknesses {
    let properties = [&[("endpoint", endpoint)], properties].concat();
    output(&properties).expect("good settings").weaknesses()
}

#[test]
fn a_secret_in_the_clear_is_said_with_its_keys_and_never_shown() {
    let bearer = ("bearer_token_file", "/token");
    let basic = [("basic_user", "me"), ("basic_password_file", "/password")];
    let header = ("headers", "X-Team: a, X-Api-Key: S3CR3T");
    let splunk = [("format", "splunk_hec"), ("api_key_file", "/key")];
    let far = "http://gw.example:8080/events";
    for (endpoint, properties, keys) in [
        (far, &[bearer][..], "bearer_token_file"),
        (far, &basic, "basic_password_file"),
        (far, &splunk, "api_key_file"),
        (far, &[header], "headers"),
        (far, &[header, bearer], "bearer_token_file and headers"),
        ("http://gw.example/in?key=S3CR3T", &[], "endpoint"),
        ("http://gw.example/in/S3CR3T0123456789abcdef", &[], "endpoint"),
        ("HTTP://10.0.0.7/", &[bearer], "bearer_token_file"),
        ("http://[fd00::7]/", &[bearer], "bearer_token_file"),
        ("http://localhost.example/", &[bearer], "bearer_token_file"),
    ] {
        let text =
            said(endpoint, properties).in_the_clear.unwrap_or_else(|| panic!("{endpoint} {properties:?}"));
        assert!(text.contains(&format!("the secret of {keys};")) && !text.contains("S3CR3T"), "{text}");
    }
    for (endpoint, properties) in [
        (far, &[][..]),
        (far, &[("headers", "X-Team: a")]),
        ("http://gw.example/in?index=events", &[]),
        ("http://127.0.0.1:8080/in?key=S3CR3T", &[bearer]),
        ("http://[::1]/", &[bearer]),
        ("http://localhost/", &[bearer, header]),
        ("https://gw.example/in?key=S3CR3T", &[bearer, header]),
        ("http+unix:///run/gw.sock:/in?key=S3CR3T", &[bearer, header]),
        ("unix:///run/gw.sock", &[]),
        ("file:///var/spool/0123456789abcdef0123456789abcdef", &[]),
    ] {
        assert_eq!(said(endpoint, properties), Weaknesses::default(), "{endpoint} {properties:?}");
    }
}

#[test]
fn a_verification_that_is_off_is_said_where_there_is_one() {
    let off = ("insecure_skip_verify", "on");
    let text = said("https://gw.example/in/S3CR3T0123456789abcdef", &[off]).unverified.expect("a text");
    assert!(text.contains("insecure_skip_verify") && text.contains("https://gw.example/in/…"), "{text}");
    assert_eq!(said("http://gw.example/", &[off]), Weaknesses::default());
    assert!(said("https://127.0.0.1/", &[off]).unverified.is_some(), "another process may pose as it");
}

#[test]
fn a_verification_of_the_api_server_that_is_off_is_said() {
    let said = |properties: &[(&str, &str)]| {
        output(properties).expect("good settings").correlation.topology.expect("on").weaknesses()
    };
    let token = ("kube_token_file", "/mine");
    let plain = said(&[("kube_url", "http://api.example:8080"), token]);
    assert!(
        plain.in_the_clear.is_some_and(|text| text.contains("kube_token_file")) && plain.unverified.is_none()
    );
    for harmless in [
        &[("kube_url", "http://api.example:8080")][..],
        &[("kube_url", "http://127.0.0.1:8001"), token],
        &[("kube_url", "https://api.example"), token],
        &[],
    ] {
        assert_eq!(said(harmless), Weaknesses::default(), "{harmless:?}");
    }
    let off = said(&[("kube_insecure_skip_verify", "on")]);
    assert!(
        off.unverified
            .is_some_and(|text| text.contains("kube_insecure_skip_verify") && text.contains("kube_ca_file"))
    );
}
