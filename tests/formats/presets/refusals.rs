//! What services document that they refuse, in figures of their own: nothing here is taken from the code.

use event_gateway::time::Stamp;
use serde_json::Value;

/// Why a service refuses a record of this JSON at this time, in seconds since 1970.
pub fn refusal(service: &str, record: &Value, now: i64) -> Option<String> {
    let said = match service {
        "datadog" => datadog(record, now),
        "loki" => loki(record, now),
        "pagerduty" => pagerduty(record),
        "alertmanager" => alertmanager(record, now),
        "splunk_hec" => splunk(record, now),
        "falco" => falco(record),
        "ecs" => ecs(record),
        "gelf" => gelf(record),
        _ => None,
    };
    said.map(|why| format!("{service} refuses it: {why}"))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn is_longer(value: &Value, key: &str, characters: usize) -> bool {
    text(value, key).chars().count() > characters
}

/// https://docs.datadoghq.com/api/latest/events/post-an-event/
fn datadog(event: &Value, now: i64) -> Option<String> {
    let longest = [("title", 100), ("text", 4_000), ("aggregation_key", 100), ("host", 255)];
    if let Some((key, _)) = longest.into_iter().find(|(key, most)| is_longer(event, key, *most)) {
        return Some(format!("{key} is too long"));
    }
    let tags: Vec<&str> = event["tags"].as_array()?.iter().filter_map(Value::as_str).collect();
    if tags.len() > 100 || tags.iter().any(|tag| tag.chars().count() > 200) {
        return Some("too many tags, or too long ones".to_owned());
    }
    let happened = event["date_happened"].as_i64()?;
    (happened > now || happened < now - 18 * 3_600).then(|| format!("date_happened is {happened}"))
}

/// https://grafana.com/docs/loki/latest/configure/#limits_config, with the defaults of Loki 3.
fn loki(stream: &Value, now: i64) -> Option<String> {
    let labels = stream["stream"].as_object()?;
    if labels.len() > 15 {
        return Some("max label names per series".to_owned());
    }
    if labels.values().any(|value| value.as_str().is_none_or(|value| value.len() > 2_048)) {
        return Some("label value too long".to_owned());
    }
    let [nanos, line, metadata] = &stream["values"][0].as_array()?[..] else {
        return Some("no entry".to_owned());
    };
    if line.as_str().is_none_or(|line| line.len() > 256 * 1_024) {
        return Some("max entry size '262144' bytes exceeded".to_owned());
    }
    let entries = metadata.as_object()?;
    let bytes: usize =
        entries.iter().map(|(name, value)| name.len() + value.as_str().map_or(0, str::len)).sum();
    if entries.len() > 128 || bytes > 64 * 1_024 {
        return Some("structured metadata too large".to_owned());
    }
    let Some(nanos) = nanos.as_str().and_then(|nanos| nanos.parse::<i64>().ok()) else {
        return Some(format!("{nanos} is no time"));
    };
    let happened = nanos / 1_000_000_000;
    if happened < now - 7 * 86_400 {
        return Some("timestamp too old".to_owned());
    }
    // Half of max_chunk_age behind the newest of its stream, which is of now where its clocks are right.
    if happened < now - 3_600 {
        return Some("entry too far behind".to_owned());
    }
    (happened > now + 600).then(|| "timestamp too new".to_owned())
}

/// https://developer.pagerduty.com/docs/events-api-v2-overview
fn pagerduty(event: &Value) -> Option<String> {
    let payload = &event["payload"];
    if event.to_string().len() > 512 * 1_000 {
        return Some("payload larger than 512 KB".to_owned());
    }
    if is_longer(payload, "summary", 1_024) || text(payload, "summary").trim().is_empty() {
        return Some("'payload.summary' is missing, blank or too long".to_owned());
    }
    if is_longer(event, "dedup_key", 255) {
        return Some("'dedup_key' is too long".to_owned());
    }
    let severities = ["critical", "error", "warning", "info"];
    let is_wrong = !severities.contains(&text(payload, "severity")) || text(payload, "source").is_empty();
    is_wrong.then(|| "'payload.severity' or 'payload.source' is wrong".to_owned())
}

/// prometheus/alertmanager api/v2/api.go (`postAlertsHandler`), types/types.go (`Validate`), with resolve_timeout 5m.
fn alertmanager(alert: &Value, now: i64) -> Option<String> {
    let seconds = |key: &str| match &alert[key] {
        Value::Null => Ok(None),
        Value::String(text) => match Stamp::parse(text) {
            Some(time) if time.unix_seconds() == -62_135_596_800 => Ok(None),
            Some(time) => Ok(Some(time.unix_seconds())),
            None => Err(format!("{key} is no time")),
        },
        _ => Err(format!("{key} is no text")),
    };
    let (starts, ends) = match (seconds("startsAt"), seconds("endsAt")) {
        (Ok(starts), Ok(ends)) => (starts, ends),
        (starts, ends) => return starts.err().or(ends.err()),
    };
    let starts = starts.or(ends).unwrap_or(now);
    if ends.unwrap_or(now + 300) < starts {
        return Some("start time must be before end time".to_owned());
    }
    if starts > now || starts < 1_402_012_800 {
        return Some("not refused, and wrong: it begins in the future, or before Kubernetes".to_owned());
    }
    let labels = alert["labels"].as_object()?;
    (labels.is_empty() || labels.values().any(|value| value.as_str().is_none_or(str::is_empty)))
        .then(|| "at least one label pair required".to_owned())
}

/// Splunk's clock begins in 1970, and what is 30 days ahead (`quarantineFutureSecs`) goes where nobody looks.
fn splunk(event: &Value, now: i64) -> Option<String> {
    let time = event.get("time")?.as_f64();
    if time.is_none_or(|time| time < 0.0) {
        return Some("Invalid data format".to_owned());
    }
    let ahead = std::time::Duration::from_secs(30 * 86_400).as_secs_f64();
    let seconds = f64::from(u32::try_from(now).expect("of this century"));
    time.is_some_and(|time| time > seconds + ahead).then(|| "not refused, and in quarantine".to_owned())
}

/// falcosecurity/falcosidekick types/types.go (`Check`)
fn falco(event: &Value) -> Option<String> {
    let time = Stamp::parse(text(event, "time"));
    let is_wrong = ["priority", "rule"].iter().any(|key| text(event, key).is_empty())
        || time.is_none_or(|time| time.unix_seconds() == -62_135_596_800)
        || event["output_fields"].as_object().is_none_or(serde_json::Map::is_empty);
    is_wrong.then(|| "priority, rule, time or output_fields is empty".to_owned())
}

/// Graylog2/graylog2-server: inputs/codecs/GelfCodec.java (`validateGELFMessage`), which drops a message after its 202, and
/// inputs/transports/AbstractHttpTransport.java.
fn gelf(message: &Value) -> Option<String> {
    if message.to_string().len() > 64 * 1_024 {
        return Some("413: larger than max_chunk_size".to_owned());
    }
    if text(message, "host").trim().is_empty() || text(message, "short_message").trim().is_empty() {
        return Some("dropped unseen: host or short_message is missing or blank".to_owned());
    }
    let is_a_number = message["timestamp"].as_f64().is_some_and(|seconds| seconds >= 0.0);
    (!is_a_number).then(|| "timestamp is no number".to_owned())
}

/// A data stream takes no document without `@timestamp`, which is a date of the years 0 to 9999.
fn ecs(document: &Value) -> Option<String> {
    Stamp::parse(text(document, "@timestamp")).is_none().then(|| "@timestamp is missing".to_owned())
}
