//! A document: the fields of all kinds by their names in ECS, and the members for the fields of one kind.

use std::borrow::Cow;

use serde::Serialize;

use super::{audit, event, people};
use crate::correlate::{Correlation, Impact};
use crate::format::common::Common;
use crate::format::native::{self, Time};
use crate::format::record::Record;
use crate::kind::Kind;
use crate::record::content::Content;
use crate::record::raw::Raw;

const ECS_VERSION: &str = "8.17.0";

#[derive(Serialize)]
pub(super) struct Document<'r> {
    #[serde(rename = "@timestamp")]
    timestamp: Time,
    ecs: Ecs,
    message: Cow<'r, str>,
    event: Event<'r>,
    log: Log,
    orchestrator: Orchestrator<'r>,
    kubernetes: Kubernetes<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<people::User<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<people::Source<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<people::Client>,
    #[serde(skip_serializing_if = "Option::is_none")]
    related: Option<people::Related<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<Original<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<audit::Http>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<Rule<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gatekeeper: Option<Gatekeeper<'r>>,
    /// A record of unknown kind, as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Raw<'r>>,
}

#[derive(Serialize)]
struct Ecs {
    version: &'static str,
}

#[derive(Serialize)]
struct Event<'r> {
    /// `event`; other values mean an alert or a metric.
    kind: &'static str,
    module: &'static str,
    dataset: &'static str,
    id: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    action: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    outcome: &'static str,
    /// When it happened first.
    #[serde(skip_serializing_if = "Time::is_unknown")]
    start: Time,
}

#[derive(Serialize)]
struct Log {
    level: &'static str,
}

#[derive(Serialize)]
struct Orchestrator<'r> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'r str,
    #[serde(skip_serializing_if = "Cluster::is_unknown")]
    cluster: Cluster<'r>,
    resource: Resource<'r>,
}

#[derive(Serialize)]
struct Cluster<'r> {
    name: &'r str,
}

impl Cluster<'_> {
    fn is_unknown(&self) -> bool {
        self.name.is_empty()
    }
}

#[derive(Serialize)]
struct Resource<'r> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    r#type: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'r str,
}

#[derive(Serialize)]
struct Kubernetes<'r> {
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<Named<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<event::KubernetesEvent<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<audit::KubernetesAudit<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impact: Option<&'r Impact<'r>>,
}

#[derive(Serialize)]
struct Named<'r> {
    name: &'r str,
}

#[derive(Serialize)]
struct Original<'r> {
    original: &'r str,
}

#[derive(Serialize)]
struct Rule<'r> {
    name: &'r str,
    category: &'r str,
}

#[derive(Serialize)]
struct Gatekeeper<'r> {
    violation: native::ViolationFields<'r>,
}

fn named(name: &str) -> Option<Named<'_>> {
    (!name.is_empty()).then_some(Named { name })
}

pub(super) fn of<'r>(record: &Record<'r, 'r>, cluster: &'r str) -> Document<'r> {
    let common = Common::of(record);
    let node = common.node(record.impact);
    let Common { first_time, severity, reason, message, action, object, .. } = common;
    let (module, dataset) = match record.content.kind() {
        Kind::Event => ("kubernetes", "kubernetes.event"),
        Kind::Audit => ("kubernetes", "kubernetes.audit_logs"),
        Kind::Violation => ("gatekeeper", "gatekeeper.violation"),
        Kind::Other => ("fluentbit", "fluentbit.record"),
    };
    let impact = record.impact;
    let mut document = Document {
        // A data stream rejects a document without a timestamp.
        timestamp: Time(Some(record.time_or_now())),
        ecs: Ecs { version: ECS_VERSION },
        message,
        event: Event {
            kind: "event",
            module,
            dataset,
            id: record.id,
            action,
            reason,
            outcome: "",
            start: Time(first_time),
        },
        log: Log { level: severity.name() },
        orchestrator: Orchestrator {
            r#type: "kubernetes",
            namespace: object.namespace,
            cluster: Cluster { name: cluster },
            resource: Resource {
                name: object.name,
                r#type: if object.kind.is_empty() { object.resource } else { object.kind },
                id: object.uid,
            },
        },
        kubernetes: Kubernetes {
            namespace: object.namespace,
            node: named(node),
            event: None,
            audit: None,
            impact: (impact.correlation != Correlation::Off).then_some(impact),
        },
        user: None,
        source: None,
        client: None,
        related: None,
        user_agent: None,
        http: None,
        rule: None,
        gatekeeper: None,
        record: None,
    };
    match record.content {
        Content::Event(said) => document.kubernetes.event = Some(event::of(said, record.body)),
        Content::Audit(said) => {
            document.kubernetes.audit =
                Some(audit::KubernetesAudit { all: Raw::new(record.body), code: said.response.code });
            document.event.outcome = audit::outcome(said);
            document.user = people::user(&said.user.name, &said.user.uid);
            document.source = people::source(said);
            document.client = people::client(said);
            document.related = people::related(said);
            document.user_agent =
                (!said.user_agent.is_empty()).then_some(Original { original: &said.user_agent });
            document.http = audit::http(said);
        }
        Content::Violation(said) => {
            document.user = people::user(&said.request.user, &said.request.user_uid);
            document.rule = Some(Rule { name: &said.constraint.name, category: &said.constraint.kind });
            document.gatekeeper = Some(Gatekeeper { violation: native::violation(said) });
        }
        Content::Other => document.record = Some(Raw::new(record.body)),
    }
    document
}
