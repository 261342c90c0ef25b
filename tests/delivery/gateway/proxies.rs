//! Does a proxy that sends its password back bring it into a line?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::support;
use support::events;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};

const PASSWORD: &str = "S3CR3T/of the proxy+0123456789";
const ENCODED: &str = "S3CR3T%2Fof%20the%20proxy%2B0123456789";

/// As a proxy under repair may answer.
fn answers() -> Vec<Answer> {
    let basic = STANDARD.encode(format!("me:{PASSWORD}"));
    vec![
        Answer::status(407)
            .header("Proxy-Authenticate", PASSWORD)
            .body(format!("{PASSWORD} {ENCODED} {basic}")),
        Answer::status(200).body(format!("no tunnel for {ENCODED}")),
        Answer::status(302).header("Location", &format!("http://127.0.0.1:1/?{ENCODED}")).body(basic),
        Answer::raw(format!("HTTP/1.1 502 {PASSWORD}\r\nContent-Length: 0\r\n\r\n")),
        Answer::raw(format!("{PASSWORD}\r\n\r\n")),
    ]
}

#[test]
fn no_line_shows_the_password_of_a_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "sesame-of-the-cluster").unwrap();
    for (user, url) in
        [(format!("me:{ENCODED}"), "http://gw.example/"), (ENCODED.to_owned(), "https://gw.example/")]
    {
        for answer in answers() {
            let proxy = TestGateway::start();
            let said = format!("{answer:?}");
            proxy.set_default(answer);
            let address = format!("http://{user}@127.0.0.1:{}", proxy.port());
            let mut host = MiniHost::start_with(Build::V5_1_1, |command| {
                command.env("ALL_PROXY", &address);
            });
            host.set("a", "endpoint", url).set("a", "insecure_skip_verify", "on");
            host.set("a", "topology_wait", "0s")
                .set("a", "correlate_wait", "0s")
                .set("a", "correlate", "on")
                .set("a", "kube_url", "https://api.example");
            host.set("a", "kube_token_file", token.to_str().unwrap()).set(
                "a",
                "kube_insecure_skip_verify",
                "on",
            );
            assert_eq!(host.init("a"), 1);
            assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry, "{said}");
            host.exit("a");
            let lines = host.logs();
            assert!(proxy.request_count() > 0 && lines.len() > 1, "{lines:?}");
            let shown = format!("{lines:?} {:?}", host.stderr());
            assert!(
                !shown.contains("S3CR3T") && !shown.contains(&STANDARD.encode("me:S3CR3T")[..12]),
                "{shown}"
            );
            host.quit();
        }
    }
}
