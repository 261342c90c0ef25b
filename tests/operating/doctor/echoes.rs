//! Does an API server, or a proxy before it, that sends the token back bring it into what the doctor says?

use std::fs;

use super::examine::examine;
use super::options::Options;
use super::source::follow;
use super::support::gateway::{Answer, TestGateway};

const TOKEN: &str = "S3CR3T-of-the-doctor-0123456789";

/// What an API server may answer.
fn answers() -> Vec<Answer> {
    let list = |version: &str| {
        Answer::ok().body(format!("{{\"metadata\":{{\"resourceVersion\":\"{version}\"}},\"items\":[]}}"))
    };
    vec![
        Answer::status(401).body(TOKEN),
        Answer::status(500).body(TOKEN).header("WWW-Authenticate", TOKEN),
        Answer::status(302).header("Location", &format!("http://127.0.0.1:1/?{TOKEN}")),
        Answer::ok().body(TOKEN),
        Answer::ok().body(format!("{{\"metadata\": {TOKEN}")),
        Answer::ok().body(format!("{{\"{TOKEN}\": 1, \"{TOKEN}\": 1e999}}")),
        list(&format!("{TOKEN}\\u001b[2J")),
        list(&format!("1&token={TOKEN}")),
        Answer::raw(format!("HTTP/1.1 500 {TOKEN}\r\nContent-Length: 0\r\n\r\n")),
        Answer::raw(format!("{TOKEN}\r\n\r\n")),
        Answer::raw(format!("HTTP/1.1 200 OK\r\nContent-Length: {TOKEN}\r\n\r\n")),
        Answer::raw(format!("HTTP/1.1 200 OK\r\n{TOKEN}\r\n\r\n")),
    ]
}

#[test]
fn no_finding_shows_the_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    fs::write(&path, TOKEN).expect("a file");
    for answer in answers() {
        let server = TestGateway::start();
        let said = format!("{answer:?}");
        server.set_default(answer);
        let url = server.url().replace("/events", "");
        let words = ["--kube-url", &url, "--token-file", path.to_str().expect("UTF-8"), "--seconds", "1"];
        let options = Options::read(words.into_iter().map(str::to_owned), false).expect("good words");
        let found = follow(&options.access.expect("an access"), Vec::new);
        assert!(!found.text.contains("S3CR3T"), "{found:?}: {said}");
        let sent = server.requests();
        assert!(
            sent.iter().any(|request| request.header("authorization").is_some_and(|it| it.contains(TOKEN)))
        );
    }
}

/// It ends on a terminal.
#[test]
fn a_page_moves_no_cursor() {
    let host = TestGateway::start();
    let name = "a\u{1b}[2J\u{9b}1A\u{202e}b\u{200b}";
    let page = format!(
        "# TYPE event_gateway_records_total counter\nevent_gateway_records_total{{name=\"{name}\"}} 1\n\
         fluentbit_input_records_total{{name=\"{name}\"}} 1\n"
    );
    host.set_default(Answer::ok().body(page));
    let url = host.url().replace("/events", "");
    let options = Options::read([url, "--no-source".to_owned()], false).expect("good words");
    let (text, _) = examine(&options);
    let is_unseen = event_gateway::secrets::plain::is_unseen;
    assert!(!text.contains(|c: char| is_unseen(c) && c != '\n'), "{text:?}");
}
