//! Does an API server, or what stands before it, that sends the token back bring it into a line?

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::support::gateway::{Answer, TestGateway};
use super::*;

const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.c2VzYW1l.S3CR3T/of-the+day_0123456789";
const FORMER: &str = "the-former-token-S3CR3T-9876543210";

const HASTY: Timing =
    Timing { stale: Duration::from_millis(50), quiet: Duration::from_millis(100), ..TIMING };

/// The token as servers write it, one after the other.
fn echoes(token: &str) -> Vec<String> {
    let each = |write: fn(u8) -> String| token.bytes().map(write).collect::<String>();
    vec![
        format!("token {token} is not known"),
        format!("token={}", each(|byte| format!("%{byte:02X}"))),
        format!("token={}", each(|byte| format!("\\u{byte:04x}"))),
        format!("Basic {}", STANDARD.encode(format!("x:{token}"))),
        // So that a cut before the hiding, by the reader or by the line, would leave eight letters or so.
        format!("{}{token}", ".".repeat(158)),
        format!("{}{token}", ".".repeat(172)),
        format!("{}{token}", "é".repeat(90)),
        format!("\u{202e}{token}\u{2028}\u{1b}[31m"),
    ]
}

/// An API server that lists nothing, and answers each watch with this line.
fn cluster_that_gets(
    line: impl Fn() -> String + Send + Sync + 'static,
) -> (Cluster, tempfile::TempDir, TestGateway) {
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    fs::write(&token_file, FORMER).unwrap();
    let server = TestGateway::start();
    let url = server.url();
    server.respond_with(move |request| {
        if request.path.contains("watch=1") {
            return Answer::ok().body(format!("{}\n", line()));
        }
        Answer::ok()
            .body(json!({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": []}).to_string())
    });
    let url = url.trim_end_matches("/events").to_owned();
    let settings = TopologySettings {
        url: Endpoint { shown: url.clone(), url, https: false },
        tls: Tls::default(),
        token_file: Some(token_file.clone()),
        tombstone_ttl: Duration::from_secs(60),
        annotations: Patterns::default(),
        snapshot_file: None,
    };
    let cluster = start_with(&settings, &HASTY);
    fs::write(&token_file, TOKEN).unwrap();
    (cluster, folder, server)
}

#[test]
fn no_line_shows_the_token_or_the_former_one() {
    let errors = [TOKEN, FORMER].into_iter().flat_map(echoes).flat_map(|echo| {
        let status = |reason: &str, message: &str| {
            json!({"type": "ERROR", "object": {"kind": "Status", "code": 500, "reason": reason, "message": message}})
        };
        // In the message, in the reason, and in what a library quotes of what it cannot read.
        [status("InternalError", &echo).to_string(), status(&echo, "").to_string(), json!(echo).to_string()]
    });
    for error in errors {
        let line = error.clone();
        let (cluster, _folder, server) = cluster_that_gets(move || line.clone());
        // Until both tokens went out.
        wait("the new token", || {
            server
                .requests()
                .iter()
                .any(|request| request.header("authorization").is_some_and(|it| it.contains(TOKEN)))
        });
        let mut said = Vec::new();
        wait("a warning", || {
            said.extend(warnings(&cluster));
            said.iter().any(|line| line.contains("have not been followed"))
        });
        for line in said {
            for token in [TOKEN, FORMER] {
                let digits = STANDARD.encode(format!("x:{token}"));
                let forms = echoes(token);
                for whole in [
                    token,
                    &digits,
                    forms[1].trim_start_matches("token="),
                    forms[2].trim_start_matches("token="),
                ] {
                    for at in (0..whole.len() - 12).step_by(4) {
                        assert!(!line.contains(&whole[at..at + 12]), "{line}\n{error}");
                    }
                }
                for at in 0..token.len() - 8 {
                    assert!(!line.contains(&token[at..at + 8]), "{line}\n{error}");
                }
            }
            assert!(!line.contains(['\u{202e}', '\u{2028}', '\u{1b}']), "{line:?}");
            assert!(line.len() < 1_000, "{line}");
        }
    }
}
