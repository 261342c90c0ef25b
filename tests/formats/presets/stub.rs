//! Stubs of the services, built from their specifications: few of them can be started here (tests/real/receivers.rs,
//! tests/real/alertmanager.rs). A stub takes what its service takes, at its path, under its key, in its form, by its
//! schema and within its limits, and answers in its words.

use event_gateway::clock;
use serde_json::{Value, json};

use super::refusals::refusal;
use super::schemas::Schemas;
use super::support::gateway::{Answer, Request, TestGateway};

/// What a record says that the service will not take.
pub const POISON: &str = "poison";
/// The key of every service that wants one.
pub const KEY: &str = "0123456789abcdef0123456789abcdef";

/// One service.
#[derive(Clone, Copy)]
pub struct Service {
    pub name: &'static str,
    path: &'static str,
    content_type: &'static str,
    /// Whether bodies are gzip when nobody says.
    is_gzip: bool,
    is_alone: bool,
    /// The header that the key stands in, and what stands before the key.
    key: Option<(&'static str, &'static str)>,
    /// Status and body.
    taken: (u16, &'static str),
    busy: (u16, &'static str),
    rejected: (u16, &'static str),
    unknown: (u16, &'static str),
}

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";

const PLAIN: Service = Service {
    name: "",
    path: "/",
    content_type: JSON,
    is_gzip: false,
    is_alone: true,
    key: None,
    taken: (200, ""),
    busy: (503, ""),
    rejected: (400, ""),
    unknown: (401, ""),
};

pub const SERVICES: [Service; 10] = [
    Service {
        name: "splunk_hec",
        path: "/services/collector/event",
        is_gzip: true,
        is_alone: false,
        key: Some(("authorization", "Splunk ")),
        taken: (200, r#"{"text":"Success","code":0}"#),
        busy: (503, r#"{"text":"Server is busy","code":9}"#),
        rejected: (400, r#"{"text":"Invalid data format","code":6,"invalid-event-number":0}"#),
        unknown: (403, r#"{"text":"Invalid token","code":4}"#),
        ..PLAIN
    },
    Service {
        name: "datadog",
        path: "/api/v1/events",
        key: Some(("dd-api-key", "")),
        taken: (202, r#"{"status":"ok"}"#),
        busy: (429, r#"{"errors":["Too many requests"]}"#),
        rejected: (400, r#"{"errors":["Invalid payload"]}"#),
        unknown: (403, r#"{"errors":["Forbidden"]}"#),
        ..PLAIN
    },
    Service {
        name: "loki",
        path: "/loki/api/v1/push",
        is_gzip: true,
        is_alone: false,
        taken: (204, ""),
        busy: (429, "ingestion rate limit exceeded"),
        rejected: (400, "entry for stream has timestamp too old"),
        ..PLAIN
    },
    Service {
        name: "alertmanager",
        path: "/api/v2/alerts",
        is_alone: false,
        busy: (500, r#""mesh: closed""#),
        rejected: (400, r#""invalid label set""#),
        ..PLAIN
    },
    Service {
        name: "pagerduty",
        path: "/v2/enqueue",
        taken: (202, r#"{"status":"success","message":"Event processed","dedup_key":"x"}"#),
        busy: (429, r#"{"status":"throttle exceeded"}"#),
        rejected: (400, r#"{"status":"invalid event","errors":["'payload.summary' is missing or blank"]}"#),
        unknown: (400, r#"{"status":"invalid event","errors":["Invalid routing key"]}"#),
        ..PLAIN
    },
    Service { name: "falco", ..PLAIN },
    // Graylog looks at nothing but the size before it responds.
    Service { name: "gelf", path: "/gelf", taken: (202, ""), rejected: (413, ""), ..PLAIN },
    Service { name: "kubernetes_event_exporter", path: "/hook", ..PLAIN },
    Service {
        name: "k8stream",
        path: "/k8stream",
        content_type: LINES,
        is_gzip: true,
        is_alone: false,
        ..PLAIN
    },
    Service { name: "eventrouter", path: "/events", content_type: LINES, is_alone: false, ..PLAIN },
];

impl Service {
    pub fn named(name: &str) -> Self {
        SERVICES.into_iter().find(|service| service.name == name).expect("a service")
    }

    /// Whether it asks for a key, wherever it stands.
    pub fn is_keyed(&self) -> bool {
        self.key.is_some() || self.name == "pagerduty"
    }

    pub fn url(&self, gateway: &TestGateway) -> String {
        format!("http://127.0.0.1:{}{}", gateway.port(), self.path)
    }

    /// The status of a request with [`POISON`] in it.
    pub fn rejects_with(&self) -> u16 {
        self.rejected.0
    }

    pub fn busy(&self) -> Answer {
        answer(self.busy)
    }

    /// The records of a request, if its body has the service's form.
    pub fn records(&self, request: &Request) -> Result<Vec<Value>, String> {
        let text = str::from_utf8(&request.body).map_err(|error| error.to_string())?;
        let parsed = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
        let records = match self.name {
            "loki" => match parsed(text)? {
                Value::Object(push) if push.len() == 1 => {
                    push["streams"].as_array().cloned().unwrap_or_default()
                }
                _ => return Err("no push".into()),
            },
            "alertmanager" => match parsed(text)? {
                Value::Array(alerts) => alerts,
                _ => return Err("no array".into()),
            },
            _ if self.is_alone => vec![parsed(text)?],
            _ => text.lines().map(parsed).collect::<Result<_, _>>()?,
        };
        if records.is_empty() { Err("nothing in it".into()) } else { Ok(records) }
    }

    /// Answers as the service does to whoever has this key.
    pub fn serve(self, gateway: &TestGateway, key: &'static str) {
        let schemas = Schemas::load();
        gateway.respond_with(move |request| self.answer(request, key, &schemas));
    }

    fn answer(&self, request: &Request, key: &str, schemas: &Schemas) -> Answer {
        if (&*request.method, &*request.path) != ("POST", self.path) {
            return Answer::status(404);
        }
        let encoding = request.header("content-encoding");
        if request.header("content-type") != Some(self.content_type)
            || encoding != self.is_gzip.then_some("gzip")
        {
            return Answer::status(415);
        }
        if let Some((header, before)) = self.key
            && request.header(header) != Some(&format!("{before}{key}"))
        {
            return answer(self.unknown);
        }
        let records = match self.records(request) {
            Ok(records) => records,
            Err(why) => return Answer::status(418).body(why),
        };
        if self.name == "pagerduty" && records[0]["routing_key"] != json!(key) {
            return answer(self.unknown);
        }
        for record in &records {
            if let Some(fault) = schemas.fault(self.name, record) {
                return Answer::status(418).body(fault);
            }
        }
        let now = i64::try_from(clock::unix_seconds(clock::wall())).expect("a time");
        if let Some(why) = records.iter().find_map(|record| refusal(self.name, record, now)) {
            return Answer::status(400).body(why);
        }
        let is_bad = records.iter().any(|record| record.to_string().contains(POISON));
        answer(if is_bad { self.rejected } else { self.taken })
    }
}

pub fn answer((status, body): (u16, &str)) -> Answer {
    Answer::status(status).body(body)
}
