//! Is what each format makes valid by the format's own definition: of all real records, and of any that a sender
//! should not make? `ORACLE_CASES` says of how many made from dice.

use event_gateway::config::FormatName;
use event_gateway::correlate::{Affected, Correlation, Impact, UidText, Via};
use event_gateway::format::Renderer;
use event_gateway::record::chunk::Records;
use event_gateway::time::Stamp;
use rmpv::Value as Packed;
use serde_json::{Value, json};

use super::chunk;
use super::dice::Dice;
use super::odd_values::{self, map, numbers};
use super::packing::framed;
use super::samples::{FORMATS, TAKEN, holds_events_only, odd_one, of_the_recording, render, rendered};
use super::schemas::Schemas;
use super::support::{audit_log, violations};

/// The Services of an impact, by `namespace/name`.
fn services(impact: &Impact<'_>) -> Vec<String> {
    impact.services.iter().map(|one| format!("{}/{}", one.namespace, one.name)).collect()
}

fn first_of(services: &Value) -> Value {
    services.as_str().map(|all| json!(all.split(", ").next())).unwrap_or_default()
}

/// Where each format names the first Service.
fn first_service(format: &str, record: &Value) -> Value {
    match format {
        "splunk_hec" => record["fields"]["k8s.service.name"][0].clone(),
        "datadog" => {
            let named = |tag: &&Value| tag.as_str().expect("a tag").starts_with("kube_service:");
            record["tags"].as_array().expect("tags").iter().find(named).cloned().unwrap_or_default()
        }
        "loki" => first_of(&record["values"][0][2]["services"]),
        "gelf" => first_of(&record["_services"]),
        "alertmanager" => match record["labels"]["service"].as_str() {
            Some(name) => {
                json!(format!("{}/{name}", record["labels"]["service_namespace"].as_str().expect("its")))
            }
            None => Value::Null,
        },
        "pagerduty" => record["payload"]["group"].clone(),
        "falco" => record["tags"][0].clone(),
        "ecs" => match &record["kubernetes"]["impact"]["services"][0] {
            Value::Null => Value::Null,
            one => json!(format!(
                "{}/{}",
                one["namespace"].as_str().expect("its namespace"),
                one["name"].as_str().expect("its name")
            )),
        },
        _ => match &record["services"][0] {
            Value::Null => Value::Null,
            one => json!(format!(
                "{}/{}",
                one["namespace"].as_str().expect("one"),
                one["name"].as_str().expect("one")
            )),
        },
    }
}

#[test]
fn every_real_event_with_its_services_is_valid() {
    let schemas = Schemas::load();
    for (name, format) in FORMATS {
        let renderer = Renderer::new(format, "prod-eu").expect("a format");
        let (mut events, mut hit) = (0, 0);
        of_the_recording(&renderer, |_, impact, text| {
            let record = schemas.assert_valid(name, text);
            let first = services(impact).first().map_or(Value::Null, |first| match name {
                "datadog" => json!(format!("kube_service:{}", impact.services[0].name)),
                "falco" => json!(format!("service:{first}")),
                _ => json!(first),
            });
            assert_eq!(first_service(name, &record), first, "{name}: {record}");
            events += 1;
            hit += usize::from(!impact.services.is_empty());
        });
        assert!(events == 1_061 && hit > 600, "{name}: {events}, {hit}");
    }
}

#[test]
fn every_real_record_of_each_kind_is_valid() {
    let schemas = Schemas::load();
    let mut all = [chunk::listed_events(), chunk::watch_events()].concat();
    let events = all.len();
    all.extend(audit_log());
    all.extend(violations());
    all.push(odd_one());
    assert_eq!((events, all.len()), (491 + 981, 491 + 981 + 487 + 4 + 1));
    for (name, format) in FORMATS {
        for cluster in ["", "prod-eu"] {
            for (number, text) in
                rendered(&Renderer::new(format, cluster).expect("a format"), &all).into_iter().enumerate()
            {
                match text {
                    Ok(text) => drop(schemas.assert_valid(name, &text)),
                    Err(why) => {
                        assert!(holds_events_only(name) && number >= events, "{name}: {why}");
                        assert!(why.contains("Kubernetes events only"), "{why}");
                    }
                }
            }
        }
    }
}

/// Keys that the readers know, and one that they do not.
const KEYS: &[&str] = &[
    "metadata",
    "involvedObject",
    "regarding",
    "related",
    "source",
    "series",
    "reason",
    "message",
    "note",
    "type",
    "count",
    "eventTime",
    "lastTimestamp",
    "firstTimestamp",
    "creationTimestamp",
    "namespace",
    "name",
    "uid",
    "generateName",
    "labels",
    "annotations",
    "resourceVersion",
    "managedFields",
    "kind",
    "apiVersion",
    "fieldPath",
    "component",
    "host",
    "action",
    "reportingComponent",
    "reportingInstance",
    "lastObservedTime",
    "verb",
    "user",
    "username",
    "objectRef",
    "resource",
    "subresource",
    "responseStatus",
    "code",
    "requestReceivedTimestamp",
    "stageTimestamp",
    "impersonatedUser",
    "requestURI",
    "userAgent",
    "group",
    "enforcementAction",
    "resourceKind",
    "resourceNamespace",
    "resourceName",
    "timestamp",
    "id",
    "odd",
];

/// A record of each kind in turn, odd in all but what makes it one; half of them tell a time.
pub fn odd_body(number: u64, dice: &mut Dice) -> Packed {
    let Packed::Map(mut pairs) = map(dice, KEYS, 3) else { unreachable!("a map") };
    let word = |dice: &mut Dice, longest| Packed::from(format!("x{}", odd_values::text(dice, longest)));
    let times = [
        "2026-11-20T23:28:49.468737Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
    ];
    let time = Packed::from(times[dice.below(times.len())]);
    let tells_time = dice.one_in(2);
    let long = if dice.one_in(20) { 6_000 } else { 20 };
    let (own, times): (Vec<(&str, Packed)>, &[&str]) = match number % 4 {
        0 => (
            vec![
                ("involvedObject", map(dice, KEYS, 1)),
                ("message", word(dice, long)),
                ("reason", word(dice, long)),
            ],
            &["lastTimestamp", "firstTimestamp"],
        ),
        1 => (vec![("auditID", word(dice, long)), ("stage", word(dice, 9))], &["stageTimestamp"]),
        2 => (
            vec![
                ("eventType", Packed::from("violation_audited")),
                ("name", word(dice, long)),
                ("kind", word(dice, 9)),
            ],
            &["timestamp"],
        ),
        _ => (vec![("odd", word(dice, long))], &[]),
    };
    pairs.extend(own.into_iter().map(|(key, value)| (Packed::from(key), value)));
    if tells_time {
        pairs.extend(times.iter().map(|key| (Packed::from(*key), time.clone())));
    }
    Packed::Map(pairs)
}

/// Services as an API server that checks no name would have them.
fn odd_impact<'t>(texts: &'t [String; 2], dice: &mut Dice) -> Impact<'t> {
    let [namespace, name] = texts;
    let service = Affected {
        namespace,
        name,
        uid: UidText::Said(name),
        via: Via::Endpoint,
        endpoints_ready: 0,
        endpoints_total: 1,
        endpoints_here: None,
        deleted: false,
    };
    let services = vec![service; dice.below(3)];
    Impact { services_total: services.len(), services, ..Impact::without(Correlation::Matched) }
}

#[test]
fn any_odd_record_is_valid_or_dead_lettered_with_a_reason() {
    let schemas = Schemas::load();
    let (mut valid, mut away) = (0, 0);
    for (number, mut dice) in numbers(1_500) {
        let body = odd_body(number, &mut dice);
        let chunk = framed(&body, 0, dice.one_in(2));
        let record = Records::new(&chunk).next().expect("a record").expect("whole");
        let taken = Stamp::parse(TAKEN).filter(|_| dice.one_in(2));
        let cluster = odd_values::text(&mut dice, 9);
        let texts = [odd_values::text(&mut dice, 300), format!("x{}", odd_values::text(&mut dice, 300))];
        let impact = odd_impact(&texts, &mut dice);
        for (name, format) in FORMATS {
            match render(&Renderer::new(format, &cluster).expect("a format"), record.body, taken, &impact) {
                Ok(text) => {
                    assert!(!text.bytes().any(|byte| byte < b' '), "{name}: case {number}: {text}");
                    schemas.assert_valid(name, &text);
                    valid += 1;
                }
                Err(why) => {
                    assert!(why.contains("Kubernetes events only"), "{name}: case {number}: {why}");
                    assert!(holds_events_only(name), "{name}: {why}");
                    away += 1;
                }
            }
        }
    }
    assert!(valid > 2 * away && away > 0, "{valid}, {away}");
}

/// A record's bytes are at fault, never what stands around them.
#[test]
fn an_event_of_either_api_group_is_the_same() {
    let core = chunk::chosen_events();
    let newer: Vec<Value> = core.iter().map(as_newer_group).collect();
    for (name, format) in FORMATS {
        let renderer = Renderer::new(format, "prod-eu").expect("a format");
        assert_eq!(rendered(&renderer, &core), rendered(&renderer, &newer), "{name}");
    }
}

/// The names that events.k8s.io/v1 has for the same fields.
fn as_newer_group(event: &Value) -> Value {
    let renamed = |key: &str| {
        match key {
            "involvedObject" => "regarding",
            "message" => "note",
            "reportingComponent" => "reportingController",
            "source" => "deprecatedSource",
            "count" => "deprecatedCount",
            "firstTimestamp" => "deprecatedFirstTimestamp",
            "lastTimestamp" => "deprecatedLastTimestamp",
            other => other,
        }
        .to_owned()
    };
    let fields = event.as_object().expect("an object");
    Value::Object(fields.iter().map(|(key, value)| (renamed(key), value.clone())).collect())
}

#[test]
fn an_alert_does_not_begin_after_its_end() {
    let odd = [json!({"involvedObject": {"kind": "Pod", "name": "cart-1"}, "reason": "BackOff",
        "firstTimestamp": "2026-11-20T23:29:49Z", "lastTimestamp": "2026-11-20T23:28:49Z"})];
    let text = rendered(&Renderer::new(FormatName::Alertmanager, "").expect("a format"), &odd)
        .remove(0)
        .expect("an alert");
    let alert: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(alert["startsAt"], "2026-11-20T23:28:49Z");
}

#[test]
fn the_schemas_refuse_what_is_none() {
    let schemas = Schemas::load();
    for (name, format) in FORMATS {
        let renderer = Renderer::new(format, "prod-eu").expect("a format");
        let good = rendered(&renderer, &chunk::chosen_events()).remove(0).expect("an event");
        let good: Value = serde_json::from_str(&good).expect("JSON");
        assert_eq!(schemas.fault(name, &good), None);
        for key in good.as_object().expect("an object").keys() {
            let mut bad = good.clone();
            bad[key] = json!([[7]]);
            assert!(schemas.fault(name, &bad).is_some(), "{name}: {key}");
        }
        let mut more = good.clone();
        more["unheard_of"] = json!(1);
        assert!(schemas.fault(name, &more).is_some(), "{name}");
    }
}
