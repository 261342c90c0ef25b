//! Is a secret hidden in whatever form a remote endpoint or a library sends it back?
#![allow(clippy::unwrap_used, reason = "a test may fail, and reads the clock")]

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use event_gateway::config::FormatName;
use event_gateway::response::Disposition;
use event_gateway::secrets::Secrets;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{posting, support};
use posting::open;
use support::certificates::Certificates;
use support::gateway::{Answer, TestGateway};

/// With the signs that each encoding has to escape.
const TOKEN: &str = "ey/J0.aG+x9==&<k>\"Q'7\\z_wZ-~%41!";

/// One sign as a sender may write it.
fn written(sign: char, way: u8) -> String {
    let code = u32::from(sign);
    match way {
        0 => format!("%{code:02x}"),
        1 => format!("%{code:02X}"),
        2 => format!("\\u{code:04x}"),
        3 => format!("\\u{code:04X}"),
        4 => format!("\\x{code:02x}"),
        5 => format!("&#{code};"),
        6 => format!("&#x{code:X};"),
        7 if sign.is_ascii_punctuation() => format!("\\{sign}"),
        8 => match sign {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\'' => "&apos;".to_owned(),
            '/' => "&sol;".to_owned(),
            _ => sign.to_string(),
        },
        _ => sign.to_string(),
    }
}

fn escaped(text: &str, way: u8) -> String {
    text.chars().map(|sign| written(sign, way)).collect()
}

fn encoded(text: &str, way: usize) -> String {
    match way {
        0 => STANDARD.encode(text),
        1 => URL_SAFE.encode(text),
        2 => STANDARD_NO_PAD.encode(text),
        3 => URL_SAFE_NO_PAD.encode(text),
        4 => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        5 => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
        _ => text.to_owned(),
    }
}

/// Every stretch of a secret that must not be seen, as a reader of the line would decode it.
fn shows(text: &str, secret: &str) -> bool {
    let stretches: Vec<&str> = (0..=secret.len() - 12).map(|at| &secret[at..at + 12]).collect();
    stretches.iter().any(|stretch| text.contains(stretch))
}

fn any_secret() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._~/=-]{12,80}"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each sign in another way, the whole then encoded, escaped once more, and with anything around it.
    #[test]
    fn a_secret_is_hidden_in_any_mixture_of_forms(
        secret in any_secret(),
        ways in vec(0_u8..20, 80),
        before in "[ -~é]{0,7}",
        behind in "[ -~é]{0,7}",
        encoding in select((0..12_usize).collect::<Vec<_>>()),
        again in 0_u8..20,
    ) {
        // It takes the escape of the first sign apart: then that sign alone may show.
        prop_assume!(!before.ends_with('\\'));
        let secrets = Secrets::default();
        secrets.add(&secret);
        let mixed: String = secret.chars().zip(ways).map(|(sign, way)| written(sign, way)).collect();
        let echo = escaped(&encoded(&format!("{before}{mixed}{behind}"), encoding), again);
        let text = format!("no route for {echo}: 404");
        let shown = secrets.hide_in(text.clone());
        prop_assert!(shown.contains("[hidden]"), "{text}");
        prop_assert!(shown.starts_with("no route for ") && shown.ends_with(": 404"), "{shown}");
        // Nothing is left of it: at most a few digits of what stood around it.
        let rest = shown.replace("no route for ", "").replace("[hidden]", "").replace(": 404", "");
        let around = escaped(&encoded(&before, encoding), again).len() + escaped(&encoded(&behind, encoding), again).len();
        prop_assert!(rest.len() <= around + 24, "{rest} of {text}");
    }

    /// What a bound leaves of its beginning or of its end, plain or encoded.
    #[test]
    fn a_secret_that_is_cut_anywhere_is_hidden(secret in any_secret(), from in 0_usize..80, length in 12_usize..80, encoding in 4_usize..8) {
        let secrets = Secrets::default();
        secrets.add(&secret);
        let from = from.min(secret.len() - 12);
        let piece = &secret[from..(from + length).min(secret.len())];
        let shown = secrets.hide_in(format!("bad token {piece}"));
        prop_assert_eq!(shown, "bad token [hidden]");
        let digits = encoded(&secret, encoding);
        let shown = secrets.hide_in(format!("bad token {}", &digits[..digits.len().min(24)]));
        prop_assert_eq!(shown, "bad token [hidden]");
        let digits = STANDARD.encode(&secret);
        let shown = secrets.hide_in(format!("bad token {}", &digits[..digits.len().min(14)]));
        prop_assert_eq!(shown, "bad token [hidden]");
    }

    #[test]
    fn texts_without_a_secret_stay_as_they_are(secret in "[a-z]{4,40}", text in "[A-Z0-9 %&;\\\\/=]{0,200}") {
        let secrets = Secrets::default();
        secrets.add(&secret);
        prop_assert_eq!(secrets.hide_in(text.clone()), text);
    }
}

#[test]
fn an_answer_shows_no_secret_in_any_form_and_is_cut_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, TOKEN.replace(['"', '\\'], "")).unwrap();
    let token = fs::read_to_string(&path).unwrap();
    let gateway = TestGateway::start();
    let url = format!("{}/in/0123456789abcdef0123456789abcdef", gateway.url());
    let headers = ("headers", "X-Api-Key: S3CR3T-header-value");
    let mut client = open(&url, &[headers, ("bearer_token_file", path.to_str().unwrap())]);
    let secrets = [&*token, "0123456789abcdef0123456789abcdef", "S3CR3T-header-value"];
    for status in [302, 400, 401, 404, 422, 503] {
        for way in 0..9 {
            for encoding in [0, 1, 4, 9] {
                // So that each bound (200 of a line, 500 of a dead letter) cuts one somewhere.
                for filler in [0, 150, 170, 190, 470, 490] {
                    let echo = secrets.map(|secret| escaped(&encoded(secret, encoding), way)).join(" ");
                    let echo = format!("{}{echo} {echo}", ".".repeat(filler));
                    gateway.respond_with(move |_| {
                        let location = format!("/x?{}", echo.replace(|c: char| !c.is_ascii_graphic(), ""));
                        Answer::status(status)
                            .header("Location", &location)
                            .header("Retry-After", "1")
                            .body(&*echo)
                    });
                    let disposition = client.post();
                    let text = match &disposition {
                        Disposition::Retry { why, .. } | Disposition::Refused { why, .. } => why,
                        Disposition::Rejected { answer, .. } => answer,
                        other => panic!("{other:?}"),
                    };
                    for secret in secrets {
                        assert!(!shows(text, secret), "{text}");
                        let digits = escaped(&encoded(secret, encoding), way);
                        assert!(!shows(text, &digits[..digits.len().min(24)]), "{text}");
                    }
                }
            }
        }
    }
    // The former token, too: an answer may come late.
    fs::write(&path, "another-token-of-today").unwrap();
    gateway.respond_with(move |_| Answer::status(422).body(format!("{token} another-token-of-today")));
    let Disposition::Rejected { answer, .. } = client.post() else { panic!("no rejection") };
    assert_eq!(answer, "[hidden] [hidden]");
}

/// A password may have any letters.
#[test]
fn an_answer_shows_no_secret_with_letters_beyond_ascii() {
    const SECRET: &str = "pässwörd-öf-the-gätewäy";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, SECRET).unwrap();
    let header = format!("X-Api-Key: {SECRET}");
    let file = path.to_str().unwrap();
    let ways: [&[(&str, &str)]; 2] =
        [&[("headers", &header)], &[("basic_user", "me"), ("basic_password_file", file)]];
    for properties in ways {
        let gateway = TestGateway::start();
        let mut client = open(&gateway.url(), properties);
        for (way, encoding) in [(9, 9), (0, 0), (9, 0), (2, 9), (9, 4)] {
            let echo = escaped(&encoded(SECRET, encoding), way);
            gateway.respond_with(move |_| Answer::status(422).body(&*echo));
            let disposition = client.post();
            let Disposition::Rejected { answer, .. } = disposition else {
                panic!("{disposition:?} {properties:?}")
            };
            // But for padding.
            assert_eq!(answer.trim_end_matches("%3d").trim_end_matches('='), "[hidden]", "{properties:?}");
        }
    }
}

/// Services that say of each record why they reject it.
#[test]
fn the_words_about_each_record_show_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, "S3CR3T-of-the-gateway-0123456789").unwrap();
    let gateway = TestGateway::start();
    let properties = [("format", "elasticsearch"), ("bearer_token_file", path.to_str().unwrap())];
    let mut client = open(&gateway.url(), &properties);
    for filler in 440..500 {
        let reason = format!("{}S3CR3T-of-the-gateway-0123456789", ".".repeat(filler));
        let item = serde_json::json!({"create": {"status": 400, "error": {"type": "x", "reason": reason}}});
        let body = serde_json::json!({"errors": true, "items": [item]}).to_string();
        gateway.respond_with(move |_| Answer::status(200).body(&*body));
        let disposition = format!("{:?}", client.post_to(FormatName::Elasticsearch, b"{}\n"));
        assert!(disposition.contains("Partial") && !disposition.contains("S3CR"), "{disposition}");
    }
}

/// A library that quotes what it read, and a line that is ours.
#[test]
fn a_private_key_shows_in_no_line() {
    let certificates = Certificates::new();
    let [chain, key, authority] =
        ["client.pem", "client-key.pem", "ca.pem"].map(|name| certificates.file(name));
    let file = |path: &std::path::PathBuf| path.to_str().unwrap().to_owned();
    let (chain, key, authority) = (file(&chain), file(&key), file(&authority));
    let properties = [("client_cert_file", &*chain), ("client_key_file", &key), ("ca_file", &authority)];
    let open = open("https://127.0.0.1:1/", &properties);
    let pem = fs::read_to_string(&key).unwrap();
    let lines: Vec<&str> = pem.lines().filter(|line| !line.contains("-----")).collect();
    for line in &lines {
        open.log.warn("k", format!("damaged PEM at {line}"));
        let shown = format!("{:?}", open.log());
        assert!(!shown.contains(&line[..line.len().min(16)]), "{shown}");
    }
}

/// A token is renewed every hour, and a client's key once a year.
#[test]
fn a_secret_stays_hidden_however_often_a_token_is_renewed() {
    let certificates = Certificates::new();
    let [chain, key, token] = ["client.pem", "client-key.pem", "token"].map(|name| certificates.file(name));
    let file = |path: &std::path::PathBuf| path.to_str().unwrap().to_owned();
    let renew = |number: u32| fs::write(&token, format!("{number:03}-token-of-this-hour")).unwrap();
    renew(0);
    let (chain, key, token) = (file(&chain), file(&key), file(&token));
    let properties = [
        ("client_cert_file", &*chain),
        ("client_key_file", &key),
        ("insecure_skip_verify", "on"),
        ("bearer_token_file", &token),
        ("timeout", "100ms"),
    ];
    let mut open = open("https://127.0.0.1:1/", &properties);
    for number in 1..20 {
        renew(number);
        open.post();
    }
    let pem = fs::read_to_string(&key).unwrap();
    let line = pem.lines().nth(1).unwrap();
    open.log.warn("k", format!("damaged PEM at {line}"));
    let shown = format!("{:?}", open.log());
    assert!(shown.contains("damaged PEM at [hidden]"), "{shown}");
}

/// Programs print the bytes that they got in many ways.
#[test]
fn bytes_that_are_printed_as_numbers_show_no_secret() {
    let secrets = Secrets::default();
    secrets.add(TOKEN);
    let each =
        |write: fn(u8) -> String, between: &str| TOKEN.bytes().map(write).collect::<Vec<_>>().join(between);
    for text in [
        format!("bad token [{}]", each(|byte| byte.to_string(), " ")),
        format!("bad token {:?}", TOKEN.as_bytes()),
        format!("bad token {}", each(|byte| format!("{byte:02x}"), ":")),
        format!("bad token {}", each(|byte| format!("0x{byte:02x}"), ", ")),
        format!("bad token {}", escaped(&format!("[{}]", each(|byte| byte.to_string(), ", ")), 0)),
        format!("bad token {}", STANDARD.encode(format!("[{}]", each(|byte| byte.to_string(), ", ")))),
    ] {
        let shown = secrets.hide_in(text.clone());
        assert!(shown.contains("[hidden]") && shown.len() < 40, "{shown}: {text}");
    }
    let harmless = "at 2026-11-20 23:28:49 4 of 100, 200, 300 took 1 2 3 4 5 6 7 8 9 ms".to_owned();
    assert_eq!(secrets.hide_in(harmless.clone()), harmless);
}

/// An answer is read up to 16 KiB, and whoever waits for it waits for this, too.
#[test]
fn looking_for_a_secret_takes_no_longer_than_a_request() {
    let secrets = Secrets::default();
    (0..9).for_each(|number| secrets.add(&format!("{number}{}", TOKEN.repeat(30))));
    for piece in ["A", "41", "41 ", "65,", "%25", "\\u0025", "&amp;", "JTI1", "4A544931", "a b"] {
        let text = piece.repeat(16 << 10);
        let began = event_gateway::clock::monotonic();
        let shown = secrets.hide_in(text[..16 << 10].to_owned());
        let took = event_gateway::clock::monotonic().saturating_duration_since(began);
        assert!(took < std::time::Duration::from_secs(2), "{piece}: {took:?}");
        assert_eq!(shown.len(), 16 << 10);
    }
}

#[test]
fn it_is_said_once_at_the_start_when_the_network_can_read_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, TOKEN.replace(['"', '\\'], "")).unwrap();
    let bearer = ("bearer_token_file", path.to_str().unwrap());
    let said = |url: &str, properties: &[(&str, &str)]| {
        open(url, properties).log().into_iter().map(|(_, text)| text).collect::<Vec<_>>()
    };
    let plain = said("http://gw.example/", &[bearer]);
    assert!(matches!(&plain[..], [line] if line.contains("plain http")), "{plain:?}");
    let unverified = said("https://gw.example/", &[bearer, ("insecure_skip_verify", "on")]);
    assert!(
        matches!(&unverified[..], [line] if line.contains("insecure_skip_verify is on")),
        "{unverified:?}"
    );
    assert_eq!(said("http://127.0.0.1:1/", &[bearer]), [""; 0]);
}
