//! Templates tried on records, without a host.
#![allow(dead_code, reason = "each file here uses its own part")]

use bumpalo::Bump;
use event_gateway::config::{
    BatchAs, ConfigError, FormatName, RenderSettings, ServiceSettings, TemplateSettings,
};
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::format::{Record, Renderer};
use event_gateway::record::classify::{Within, each};
use event_gateway::record::identity::write_id;
use serde_json::Value;

use super::support::chunk;

/// A template's renderer, in a cluster called `prod-eu`.
pub fn open(template: &str, omit_null: bool) -> Result<Renderer, Vec<ConfigError>> {
    let settings = RenderSettings {
        format: FormatName::Template,
        cluster_name: "prod-eu".to_owned(),
        audit_bodies: false,
        template: Some(TemplateSettings {
            file: "file.json".to_owned(),
            text: template.to_owned(),
            content_type: "application/json".to_owned(),
            batch_as: BatchAs::Ndjson,
            omit_null,
        }),
        services: ServiceSettings::default(),
    };
    Renderer::open(&settings, None)
}

/// What the one error of a template is.
pub fn problem(template: &str) -> String {
    match open(template, false) {
        Ok(_) => panic!("taken: {template}"),
        Err(errors) => {
            assert!(errors.iter().all(|error| error.key == "template_file"), "{errors:?}");
            errors.iter().map(|error| error.problem.as_str()).collect::<Vec<_>>().join("\n")
        }
    }
}

/// What a record in MessagePack becomes, text by text.
pub fn render_packed(renderer: &Renderer, body: &[u8]) -> Vec<Result<Vec<u8>, String>> {
    render_with(renderer, body, &Impact::without(Correlation::Off))
}

pub fn render_with(renderer: &Renderer, body: &[u8], impact: &Impact<'_>) -> Vec<Result<Vec<u8>, String>> {
    let (mut all, mut id) = (Vec::new(), String::new());
    each(body, Within::Record, &Bump::new(), &mut |body, content| {
        write_id(content, body, &mut id);
        let record = Record::new(&id, *content, impact, body);
        let mut out = Vec::new();
        let rendered = renderer.render(&record, &mut out);
        all.push(rendered.map(|_| out).map_err(|error| error.to_string()));
    });
    all
}

/// The one text that a record becomes.
pub fn text(renderer: &Renderer, record: &Value) -> Result<String, String> {
    let mut body = Vec::new();
    chunk::write_value(&mut body, record);
    let mut all = render_packed(renderer, &body);
    assert_eq!(all.len(), 1);
    all.swap_remove(0).map(|text| String::from_utf8(text).expect("UTF-8"))
}

pub fn json(renderer: &Renderer, record: &Value) -> Value {
    let text = text(renderer, record).unwrap_or_else(|why| panic!("{why}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What an expression, in a leaf of its own, makes of a record.
pub fn value(expression: &str, record: &Value) -> Value {
    let template = serde_json::json!({ "v": expression }).to_string();
    let renderer = open(&template, false).unwrap_or_else(|errors| panic!("{expression}: {errors:?}"));
    json(&renderer, record)["v"].take()
}
