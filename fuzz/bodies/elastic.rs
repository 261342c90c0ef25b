//! What Elasticsearch makes of a document, as far as it refuses any: read from its sources.
//!
//! - a key twice: `JsonXContent` with strict duplicate detection, "Duplicate field"
//! - an empty or blank name, points that leave one empty, a metadata field at the top: `DocumentParser`
//! - objects deeper than `index.mapping.depth.limit`: `MappingLookup.checkObjectDepthLimit`
//! - no `@timestamp`, or none that `strict_date_optional_time` reads: `DataStreamTimestampFieldMapper`
//! - a number that neither `long` nor `float` holds, where the mapping is dynamic: `NumberFieldMapper`
//! - a list, with the lists in it, of values of several kinds: "mapper cannot be changed from type", or "Arrays with a
//!   mixture of data types are not supported" in the documentation of arrays
//! - a time or a code of an answer that is none, where Elastic's integration for audit logs maps them
//! - an address that is none, in a field of type `ip` of ECS
//! - an id of more than 512 bytes: `IndexRequest.validate`

use std::net::IpAddr;

use super::strict::Tree;

const MOST_LEVELS: usize = 20;
const MOST_ID_BYTES: usize = 512;
/// `IndicesModule.builtInMetadataMappers`, and that of the plugin for sizes.
const METADATA: [&str; 16] = [
    "_data_stream_timestamp",
    "_doc_count",
    "_feature",
    "_field_names",
    "_id",
    "_ignored",
    "_index",
    "_nested_path",
    "_routing",
    "_seq_no",
    "_size",
    "_source",
    "_tier",
    "_ts_routing_hash",
    "_type",
    "_version",
];
/// The fields of ECS that a document may have.
const ADDRESSES: [&str; 3] = ["source", "client", "related"];

/// Those of them whose mapping is a `long`.
const LONGS: [&[&str]; 2] = [&["http", "response", "status_code"], &["kubernetes", "event", "count"]];

/// Fields of the integration for audit logs (`packages/kubernetes/data_stream/audit_logs/fields` of
/// elastic/integrations).
const DATES: [&[&str]; 2] =
    [&["kubernetes", "audit", "stageTimestamp"], &["kubernetes", "audit", "requestReceivedTimestamp"]];
const INTEGER: &[&str] = &["kubernetes", "audit", "responseStatus", "code"];

/// Why a document is refused. `needs_time`: by a data stream.
pub fn fault(document: &str, needs_time: bool) -> Option<String> {
    let tree = match Tree::read(document) {
        Ok(tree) => tree,
        Err(why) => return Some(format!("x_content_parse_exception: {why}")),
    };
    let Tree::Map(members) = &tree else {
        return Some("Malformed content, must start with an object".into());
    };
    if let Some((name, _)) = members.iter().find(|(name, _)| METADATA.contains(&&**name)) {
        return Some(format!("Field [{name}] is a metadata field and cannot be added inside a document"));
    }
    time(tree.get("@timestamp"), needs_time)
        .or_else(|| ADDRESSES.iter().find_map(|field| addresses(tree.get(field)?.get("ip")?)))
        .or_else(|| LONGS.iter().find_map(|path| long(tree.at(path)?)))
        .or_else(|| DATES.iter().find_map(|path| date(path, tree.at(path)?)))
        .or_else(|| integer(tree.at(INTEGER)?))
        .or_else(|| inside(&tree, 1))
}

/// Why a line of the bulk API that stands before a document is refused.
pub fn action_fault(line: &str) -> Option<String> {
    let tree = match Tree::read(line) {
        Ok(tree) => tree,
        Err(why) => return Some(why),
    };
    match tree.get("create").map(|create| (create.get("_id"), create.get("_index"))) {
        Some((Some(Tree::Text(id)), Some(Tree::Text(_)))) if (1..=MOST_ID_BYTES).contains(&id.len()) => None,
        _ => Some(format!("no action: {line}")),
    }
}

fn time(time: Option<&Tree>, needs_time: bool) -> Option<String> {
    match time {
        Some(Tree::Text(text)) if is_date(text) => None,
        None | Some(Tree::Null) if !needs_time => None,
        None | Some(Tree::Null) => Some("data stream timestamp field [@timestamp] is missing".into()),
        Some(other) => Some(format!("failed to parse date field [@timestamp]: {other:?}")),
    }
}

fn date(path: &[&str], field: &Tree) -> Option<String> {
    let is_one = matches!(field, Tree::Null) || matches!(field, Tree::Text(text) if is_date(text));
    (!is_one).then(|| format!("failed to parse date field {path:?}: {field:?}"))
}

fn integer(field: &Tree) -> Option<String> {
    let is_one =
        matches!(field, Tree::Null) || matches!(field, Tree::Int(number) if i32::try_from(*number).is_ok());
    (!is_one).then(|| format!("failed to parse field of type [integer]: {field:?}"))
}

/// `2026-11-20T23:28:49.123Z`, of the forms that the format has the one that is written here.
fn is_date(text: &str) -> bool {
    let (Some(date), Some(rest)) = (text.get(..19), text.get(19..)) else { return false };
    let is_like = date.bytes().zip(*b"0000-00-00T00:00:00").all(|(byte, like)| match like {
        b'0' => byte.is_ascii_digit(),
        _ => byte == like,
    });
    let number = |from: usize| date[from..from + 2].parse().unwrap_or(u8::MAX);
    let in_range = (1..=12).contains(&number(5)) && (1..=31).contains(&number(8));
    let in_range = in_range && number(11) < 24 && number(14) < 60 && number(17) < 60;
    let fraction = rest.strip_suffix('Z').map(|fraction| fraction.strip_prefix('.').unwrap_or(fraction));
    let fraction =
        fraction.is_some_and(|digits| digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit()));
    is_like && in_range && fraction
}

fn addresses(field: &Tree) -> Option<String> {
    match field {
        Tree::Text(text) if text.parse::<IpAddr>().is_ok() => None,
        Tree::List(items) => items.iter().find_map(addresses),
        other => Some(format!("{other:?} is not an IP string literal.")),
    }
}

fn long(field: &Tree) -> Option<String> {
    let is_one = matches!(field, Tree::Int(number) if i64::try_from(*number).is_ok());
    (!is_one).then(|| format!("failed to parse field of type [long]: {field:?}"))
}

fn inside(value: &Tree, level: usize) -> Option<String> {
    match value {
        Tree::Map(_) if level > MOST_LEVELS => {
            Some(format!("Limit of mapping depth [{MOST_LEVELS}] has been exceeded"))
        }
        Tree::Map(members) => {
            members.iter().find_map(|(name, value)| self::name(name).or_else(|| inside(value, level + 1)))
        }
        // Lists are no levels.
        Tree::List(items) if !is_of_one_kind(items, &mut None) => {
            Some(format!("mapper cannot be changed from one type to another: {value:?}"))
        }
        Tree::List(items) => items.iter().find_map(|item| inside(item, level)),
        Tree::Int(number) if i64::try_from(*number).is_err() => {
            Some(format!("Numeric value ({number}) out of range of long"))
        }
        Tree::Float(number) if number.abs() > f64::from(f32::MAX) => {
            Some("[float] supports only finite values, but got [Infinity]".to_owned())
        }
        _ => None,
    }
}

/// Whether all values of a list, with those of the lists in it, are of the kind that was found first.
fn is_of_one_kind(items: &[Tree], found: &mut Option<&'static str>) -> bool {
    items.iter().all(|item| {
        let kind = match item {
            Tree::Null => return true,
            Tree::List(items) => return is_of_one_kind(items, found),
            Tree::Map(_) => "object",
            Tree::Text(_) => "text",
            Tree::Bool(_) => "boolean",
            Tree::Int(_) | Tree::Float(_) => "number",
        };
        *found.get_or_insert(kind) == kind
    })
}

fn name(name: &str) -> Option<String> {
    // Java's `isBlank` is a little narrower.
    if name.split('.').any(|part| part.trim().is_empty()) {
        return Some(format!("field name cannot be empty or blank: [{name:?}]"));
    }
    None
}

/// A check that cannot fail checks nothing.
#[test]
fn what_elasticsearch_refuses_is_seen() {
    let deep = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    let document = |member: &str| format!(r#"{{"@timestamp":"2026-11-20T23:28:49.5Z",{member}}}"#);
    for (member, why) in [
        (r#""a":{"b":1,"c":[{"d":1,"d":2}]}"#, "a key twice: \"d\""),
        (r#""a":1,"\u0061":2"#, "a key twice: \"a\""),
        (r#""a":{"":1}"#, "empty or blank"),
        (r#""a":{" \t":1}"#, "empty or blank"),
        (r#""a":{"b.":1}"#, "empty or blank"),
        (r#""a":{"b..c":1}"#, "empty or blank"),
        (r#""a":{".":1}"#, "empty or blank"),
        (r#""_id":"x""#, "metadata field"),
        (r#""a":18446744073709551615"#, "out of range of long"),
        (r#""a":[1e300]"#, "finite"),
        (r#""source":{"ip":"node-a"}"#, "not an IP"),
        (r#""http":{"response":{"status_code":"18446744073709551615"}}"#, "type [long]"),
        (r#""a":[{"b":1},2]"#, "changed from one type"),
        (r#""a":[{"b":[null,[1],["x"]]}]"#, "changed from one type"),
        (r#""kubernetes":{"audit":{"stageTimestamp":""}}"#, "failed to parse date"),
        (r#""kubernetes":{"audit":{"requestReceivedTimestamp":"soon"}}"#, "failed to parse date"),
        (r#""kubernetes":{"audit":{"responseStatus":{"code":2147483648}}}"#, "type [integer]"),
        (r#""related":{"ip":["::1","fe80::1%eth0"]}"#, "not an IP"),
        (&format!(r#""a":{}"#, deep(20)), "mapping depth"),
    ] {
        let found = fault(&document(member), true).unwrap_or_default();
        assert!(found.contains(why), "{member}: {found}");
    }
    for member in [
        r#""a":{"_id":1,"b c":[-9223372036854775808,3e38,null]},"source":{"ip":"::1"}"#.to_owned(),
        r#""a":[[1,null],[2.5]],"b":[{},[{}],null],"kubernetes":{"audit":{"responseStatus":{"code":404}}}"#
            .to_owned(),
        format!(r#""a":{}"#, deep(19)),
    ] {
        assert_eq!(fault(&document(&member), true), None);
    }
    for time in [
        "null",
        "\"yesterday\"",
        "\"\"",
        "1795217329",
        "\"2026-13-20T23:28:49Z\"",
        "\"2026-11-20T23:28:60Z\"",
    ] {
        assert!(fault(&format!(r#"{{"@timestamp":{time}}}"#), true).is_some(), "{time}");
    }
    assert!(fault("{}", true).is_some() && fault("{}", false).is_none());
    let action = |id: &str| format!(r#"{{"create":{{"_index":"i","_id":"{id}"}}}}"#);
    assert_eq!(action_fault(&action(&"x".repeat(512))), None);
    assert!(action_fault(&action(&"x".repeat(513))).is_some() && action_fault(&action("")).is_some());
}
