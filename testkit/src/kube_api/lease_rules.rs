//! What a real API server takes for a Lease: the types of its decoder, and the rules of its validation.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::resource::Resource;
use super::status::Refusal;

/// `TotalAnnotationSizeLimitB`, of keys and values together.
const ANNOTATIONS_LIMIT_BYTES: usize = 256 << 10;

const NAME_LIMIT_BYTES: usize = 63;
const PREFIX_LIMIT_BYTES: usize = 253;

/// Go's pattern of a MicroTime, whose six digits are required.
const MICRO_TIME: &str = "2006-01-02T15:04:05.000000Z07:00";

#[derive(Clone, Copy)]
enum Type {
    Text,
    Number,
    Time,
}

const SPEC: [(&str, Type); 7] = [
    ("holderIdentity", Type::Text),
    ("leaseDurationSeconds", Type::Number),
    ("acquireTime", Type::Time),
    ("renewTime", Type::Time),
    ("leaseTransitions", Type::Number),
    ("strategy", Type::Text),
    ("preferredHolder", Type::Text),
];

/// Leaves out nulls and what a Lease has no field for, as the decoder does. An error says which type is wrong.
pub(super) fn decode(lease: &mut Value) -> Result<(), String> {
    let Value::Object(fields) = lease else {
        return Err(format!("json: cannot unmarshal {} into Go value of type v1.Lease", name_of(lease)));
    };
    fields.retain(|key, _| ["kind", "apiVersion", "metadata", "spec"].contains(&&**key));
    let metadata = part(fields, "metadata", "ObjectMeta")?;
    for key in ["name", "namespace", "uid", "resourceVersion"] {
        is_text(metadata.get(key), &format!("ObjectMeta.metadata.{key}"))?;
    }
    for key in ["labels", "annotations"] {
        if metadata.contains_key(key) {
            let field = format!("ObjectMeta.metadata.{key}");
            part(metadata, key, &field)?.values().try_for_each(|value| is_text(Some(value), &field))?;
        }
    }
    let spec = part(fields, "spec", "LeaseSpec")?;
    spec.retain(|key, _| SPEC.iter().any(|(known, _)| known == key));
    for (key, kind) in SPEC {
        let (value, field) = (spec.get(key), format!("LeaseSpec.spec.{key}"));
        match kind {
            Type::Text => is_text(value, &field)?,
            Type::Number => is_number(value, &field)?,
            Type::Time => {
                is_text(value, &field)?;
                value.and_then(Value::as_str).map_or(Ok(()), is_micro_time)?;
            }
        }
    }
    Ok(())
}

/// An object within an object, empty when it was absent, without its nulls.
fn part<'a>(
    fields: &'a mut Map<String, Value>,
    key: &str,
    of: &str,
) -> Result<&'a mut Map<String, Value>, String> {
    let value = fields.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = json!({});
    }
    let name = name_of(value);
    let part = value.as_object_mut().ok_or_else(|| {
        format!("json: cannot unmarshal {name} into Go struct field Lease.{key} of type v1.{of}")
    })?;
    part.retain(|_, value| !value.is_null());
    Ok(part)
}

fn is_text(value: Option<&Value>, field: &str) -> Result<(), String> {
    value.filter(|value| !value.is_string()).map_or(Ok(()), |value| {
        Err(format!("json: cannot unmarshal {} into Go struct field {field} of type string", name_of(value)))
    })
}

fn is_number(value: Option<&Value>, field: &str) -> Result<(), String> {
    let fits = |value: &Value| value.as_i64().is_some_and(|number| i32::try_from(number).is_ok());
    value.filter(|value| !fits(value)).map_or(Ok(()), |value| {
        Err(format!("json: cannot unmarshal {} into Go struct field {field} of type int32", name_of(value)))
    })
}

/// Exactly six digits of a second: Go takes neither more nor fewer here. Of zones this server knows only `Z`.
fn is_micro_time(text: &str) -> Result<(), String> {
    let has_six_digits = text.len() == "2006-01-02T15:04:05.000000Z".len() && text.ends_with('Z');
    if has_six_digits && OffsetDateTime::parse(text, &Rfc3339).is_ok() {
        return Ok(());
    }
    Err(format!("parsing time \"{text}\" as \"{MICRO_TIME}\": cannot parse"))
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The first field of a decoded Lease that the validation refuses.
pub(super) fn check(resource: Resource, name: &str, lease: &Value) -> Result<(), Refusal> {
    let invalid = |field: &str, why: &str| {
        Err(Refusal::invalid_field(
            resource,
            name,
            field,
            ("FieldValueInvalid", &format!("Invalid value: {why}")),
        ))
    };
    if !is_subdomain(name) {
        return invalid(
            "metadata.name",
            "a lowercase RFC 1123 subdomain must consist of lower case \
                       alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        );
    }
    let empty = Map::new();
    let annotations = lease["metadata"]["annotations"].as_object().unwrap_or(&empty);
    if let Some(key) = annotations.keys().find(|key| !is_qualified_name(key)) {
        return invalid(
            "metadata.annotations",
            &format!(
                "\"{key}\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and \
             end with an alphanumeric character"
            ),
        );
    }
    let bytes = |(key, value): (&String, &Value)| key.len() + value.as_str().unwrap_or_default().len();
    if annotations.iter().map(bytes).sum::<usize>() > ANNOTATIONS_LIMIT_BYTES {
        let why = format!("Too long: may not be more than {ANNOTATIONS_LIMIT_BYTES} bytes");
        let why = ("FieldValueTooLong", &*why);
        return Err(Refusal::invalid_field(resource, name, "metadata.annotations", why));
    }
    let number = |key: &str| lease["spec"][key].as_i64();
    if let Some(seconds) = number("leaseDurationSeconds").filter(|seconds| *seconds <= 0) {
        return invalid("spec.leaseDurationSeconds", &format!("{seconds}: must be greater than 0"));
    }
    if let Some(count) = number("leaseTransitions").filter(|count| *count < 0) {
        return invalid("spec.leaseTransitions", &format!("{count}: must be greater than or equal to 0"));
    }
    Ok(())
}

/// `prefix.example.com/name`, or a name alone; capitals count as small letters.
fn is_qualified_name(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let (prefix, name) = key.split_once('/').map_or((None, &*key), |(prefix, name)| (Some(prefix), name));
    let is_name = is_word(name, "-_.") && name.len() <= NAME_LIMIT_BYTES;
    is_name && prefix.is_none_or(is_subdomain)
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= PREFIX_LIMIT_BYTES && text.split('.').all(|label| is_word(label, "-"))
}

/// Small letters, digits, and these between them.
fn is_word(text: &str, between: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(is_inner)
        && text.ends_with(is_inner)
        && text.chars().all(|c| is_inner(c) || between.contains(c))
}
