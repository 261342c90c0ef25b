//! What of a template's settings reaches the gateway: content type and body, form by form?

use serde_json::{Value, json};

use super::reading::{keys_of, read_with};
use super::support;
use event_gateway::config::{BatchAs, FormatName};
use support::gateway::TestGateway;
use support::host::{Build, Code};

const TEMPLATE: &str = "{\"id\": \"{{ id }}\", \"nothing\": \"{{ record.nothing }}\"}";

fn file(folder: &tempfile::TempDir) -> String {
    let file = folder.path().join("template.json");
    std::fs::write(&file, TEMPLATE).expect("a file");
    file.to_str().expect("UTF-8").to_owned()
}

#[test]
fn each_form_has_its_bodies_and_its_content_type() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = file(&folder);
    let [a, b] = ["a.1", "b.1"].map(|id| format!("{{\"id\":\"{id}\",\"nothing\":null}}"));
    let without = |text: &str| text.replace(",\"nothing\":null", "");
    for (settings, content_type, bodies) in [
        (&[][..], "application/x-ndjson", vec![format!("{a}\n{b}\n")]),
        (&[("batch_as", "json_array")], "application/json", vec![format!("[{a},{b}]")]),
        (&[("batch_as", "one_per_request")], "application/json", vec![a.clone(), b.clone()]),
        (
            &[("content_type", "application/vnd.own+json; charset=utf-8"), ("omit_null", "on")],
            "application/vnd.own+json; charset=utf-8",
            vec![format!("{}\n{}\n", without(&a), without(&b))],
        ),
    ] {
        let gateway = TestGateway::start();
        let mut all = vec![("format", "template"), ("template_file", &*file), ("compress", "none")];
        all.extend(settings);
        let mut host = support::started(Build::V5_1_1, &gateway, &all);
        assert_eq!(host.deliver("a", "t", &support::events(["a", "b"])), Code::Ok);
        let requests = gateway.requests();
        let found: Vec<_> = requests.iter().map(|request| String::from_utf8_lossy(&request.body)).collect();
        assert_eq!(found, bodies, "{settings:?}");
        for request in &requests {
            let header = request.headers.iter().find(|(name, _)| name == "content-type");
            assert_eq!(header.map(|(_, value)| value.as_str()), Some(content_type), "{settings:?}");
        }
        host.quit();
    }
}

#[test]
fn what_does_not_go_together_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = file(&folder);
    let errors = |settings: &[(&str, &str)]| match read_with(settings) {
        Ok(_) => Vec::new(),
        Err(errors) => keys_of(&errors).into_iter().map(str::to_owned).collect(),
    };
    let template = [("format", "template"), ("template_file", &*file)];
    let with = |key: &'static str, value: &'static str| errors(&[template[0], template[1], (key, value)]);
    assert_eq!(errors(&template), [""; 0]);
    assert_eq!(errors(&template[..1]), ["template_file"]);
    assert_eq!(errors(&template[1..]), ["template_file"]);
    assert_eq!(errors(&[("content_type", "application/json")]), ["content_type"]);
    assert_eq!(errors(&[("batch_as", "json_array"), ("omit_null", "on")]), ["batch_as", "omit_null"]);
    assert_eq!(errors(&[("format", "nonsense"), template[1]]), ["format"]);
    assert_eq!(with("batch_as", "lines"), ["batch_as"]);
    assert_eq!(with("omit_null", "perhaps"), ["omit_null"]);
    for wrong in ["json", "application/", "/json", "a b/c", "application/json\u{e9}/x"] {
        assert_eq!(with("content_type", wrong), ["content_type"], "{wrong}");
    }
    assert_eq!(errors(&[template[0], template[1], ("state_file", &file)]), ["state_file"]);
    let read = read_with(&template).unwrap_or_else(|errors| panic!("{errors:?}")).render;
    let settings = read.template.expect("a template");
    assert_eq!(
        (read.format, settings.batch_as, settings.omit_null),
        (FormatName::Template, BatchAs::Ndjson, false)
    );
    assert_eq!((&*settings.text, &*settings.file), (TEMPLATE, &*file));
    let parsed: Value = serde_json::from_str(&settings.text).expect("JSON");
    assert_eq!(parsed["id"], json!("{{ id }}"));
}
