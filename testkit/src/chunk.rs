//! Chunks as Fluent Bit hands them to an output: records one after the other, without an array
//! around them (records.md, "Framing of a chunk"), and the recorded events to fill them with.
use std::io::Read;
use std::path::PathBuf;

use rmp::encode::{self, ValueWriteError};
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Where a group begins and ends: the host writes -1 and -2 for the seconds (since 3.1).
const GROUP_START_SECONDS: u32 = u32::MAX;
const GROUP_END_SECONDS: u32 = u32::MAX - 1;

/// The timestamp of a record of the old framing; hosts and inputs write any of the three.
#[derive(Clone, Copy, Debug)]
pub enum Stamp {
    /// Fixext 8 of type 0: seconds and nanoseconds, both big-endian.
    EventTime(u32, u32),
    Seconds(u32),
    Float(f64),
}

/// `[[EventTime, {}], body]` as hosts since 5.0 write it, byte for byte: two fixarrays, and the
/// empty metadata as a map 32. After a filter the metadata is `0x80` instead: `v2_with_metadata`.
pub fn v2(body: &Value, seconds: u32) -> Vec<u8> {
    v2_framed(&[0x92, 0x92], body, seconds)
}

/// The same as hosts from 2.1 to 4.2 write it: both arrays as an array 32 (seen on 2.2.3, 3.2.10
/// and 4.2.8, with and without a filter).
pub fn v2_before_5(body: &Value, seconds: u32) -> Vec<u8> {
    v2_framed(&[0xdd, 0, 0, 0, 2, 0xdd, 0, 0, 0, 2], body, seconds)
}

fn v2_framed(arrays: &[u8], body: &Value, seconds: u32) -> Vec<u8> {
    let mut record = arrays.to_vec();
    write_event_time(&mut record, seconds, 0);
    record.extend([0xdf, 0, 0, 0, 0]);
    write_value(&mut record, body);
    record
}

pub fn v2_with_metadata(body: &Value, seconds: u32, nanoseconds: u32, metadata: &Value) -> Vec<u8> {
    let mut record = vec![0x92, 0x92];
    write_event_time(&mut record, seconds, nanoseconds);
    write_value(&mut record, metadata);
    write_value(&mut record, body);
    record
}

/// `[timestamp, body]`, the framing of older hosts.
pub fn v1(body: &Value, stamp: Stamp) -> Vec<u8> {
    let mut record = vec![0x92];
    match stamp {
        Stamp::EventTime(seconds, nanoseconds) => {
            write_event_time(&mut record, seconds, nanoseconds);
        }
        Stamp::Seconds(seconds) => {
            encode::write_uint(&mut record, seconds.into()).expect("a Vec takes all");
        }
        Stamp::Float(seconds) => encode::write_f64(&mut record, seconds).expect("a Vec takes all"),
    }
    write_value(&mut record, body);
    record
}

/// The marker before a group: its metadata, and the group's attributes as the body.
pub fn group_start(metadata: &Value, attributes: &Value) -> Vec<u8> {
    v2_with_metadata(attributes, GROUP_START_SECONDS, 0, metadata)
}

pub fn group_end() -> Vec<u8> {
    let empty = Value::Object(Map::new());
    v2_with_metadata(&empty, GROUP_END_SECONDS, 0, &empty)
}

/// One chunk of these events, in the framing `v2`, with the seconds that the input would give.
pub fn of<'a>(events: impl IntoIterator<Item = &'a Value>) -> Vec<u8> {
    events.into_iter().flat_map(|event| v2(event, input_seconds(event))).collect()
}

/// A chunk of lines that are events, or lines of a watch with the event as their `object`.
pub fn from_ndjson(text: &str, list_phase: bool) -> Vec<u8> {
    let mut events: Vec<Value> = lines(text).map(|line| object_of(line).1).collect();
    if list_phase {
        events.iter_mut().for_each(to_list_phase);
    }
    of(&events)
}

/// Removes what the items of a list do not have, and so neither do the records of the list phase.
pub fn to_list_phase(event: &mut Value) {
    if let Some(event) = event.as_object_mut() {
        event.remove("kind");
        event.remove("apiVersion");
    }
}

/// An event of its own, made after the recording.
pub fn fresh(like: &Value, number: usize) -> Value {
    let mut event = like.clone();
    event["metadata"]["uid"] = format!("fresh-{number}").into();
    event["metadata"]["name"] = format!("fresh.{number}").into();
    event
}

/// What the plugin promises as the `id` of an event: `<metadata.uid>.<metadata.resourceVersion>`.
pub fn event_id(event: &Value) -> String {
    let field = |name: &str| match event["metadata"][name].as_str() {
        Some(text) => text.to_owned(),
        None => panic!("an event without metadata.{name}: {event}"),
    };
    format!("{}.{}", field("uid"), field("resourceVersion"))
}

/// The timestamp `kubernetes_events` gives a record: lastTimestamp, else firstTimestamp, else
/// metadata.creationTimestamp, in whole seconds; never eventTime.
pub fn input_seconds(event: &Value) -> u32 {
    [&event["lastTimestamp"], &event["firstTimestamp"], &event["metadata"]["creationTimestamp"]]
        .into_iter()
        .find_map(|time| OffsetDateTime::parse(time.as_str()?, &Rfc3339).ok())
        .map_or(0, |time| u32::try_from(time.unix_timestamp()).expect("a time before 2106"))
}

/// Every event as it was added or modified in the recorded watch, in order.
pub fn watch_events() -> Vec<Value> {
    let text = data("watch-core-v1.ndjson");
    let changes = lines(&text).map(object_of);
    changes.filter(|(kind, _)| kind == "ADDED" || kind == "MODIFIED").map(|(_, o)| o).collect()
}

/// Every event of the same run as a list shows it at the end, without kind and apiVersion.
pub fn listed_events() -> Vec<Value> {
    let mut events: Vec<Value> = lines(&data("events-core-v1.ndjson")).collect();
    events.iter_mut().for_each(to_list_phase);
    events
}

/// The events of `recording.ndjson.gz` as they arrived: listed, added and modified.
pub fn recording_events() -> Vec<Value> {
    let events = recording().into_iter().filter(|line| line["resource"] == "events");
    let changes = events.map(object_of);
    changes.filter(|(kind, _)| kind != "DELETED").map(|(_, event)| event).collect()
}

/// All lines of the recording: `{"ms", "resource", "type", "object"}`.
pub fn recording() -> Vec<Value> {
    let packed = std::fs::read(data_file("recording.ndjson.gz")).expect("the recording");
    let mut text = String::new();
    let mut reader = flate2::read::MultiGzDecoder::new(&*packed);
    reader.read_to_string(&mut text).expect("a whole recording");
    lines(&text).collect()
}

/// One event of each flavour and of each trap in records.md.
pub fn chosen_events() -> Vec<Value> {
    let listed = listed_events();
    let places = [
        0,   // Endpoints: neither uid nor namespace, empty reportingInstance
        1,   // a Node without a uid
        26,  // a Node whose uid is its name
        36,  // a Namespace, no reporter
        37,  // a controller's, host absent
        39,  // the scheduler's: eventTime only
        40,  // the kubelet's, with fieldPath
        77,  // a series
        85,  // the kubelet's, repeated
        103, // a Pod without a uid
        375, // combined from similar events, repeated
    ];
    let mut chosen: Vec<_> = places.iter().map(|place| listed[*place].clone()).collect();
    let is_update = |event: &&Value| event["metadata"]["managedFields"].is_array() && event["count"] == 3;
    chosen.push(watch_events().iter().find(is_update).expect("an update").clone());
    chosen
}

pub fn data_file(name: &str) -> PathBuf {
    crate::places::repository().join("tests/data").join(name)
}

/// Writes any JSON value, integers in their shortest form, as the host's encoder does.
pub fn write_value(out: &mut Vec<u8>, value: &Value) {
    let written = match value {
        Value::Null => encode::write_nil(out).map_err(ValueWriteError::InvalidMarkerWrite),
        Value::Bool(value) => encode::write_bool(out, *value).map_err(ValueWriteError::InvalidMarkerWrite),
        Value::String(text) => encode::write_str(out, text),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), _, _) => encode::write_uint(out, number).map(drop),
            (None, Some(number), _) => encode::write_sint(out, number).map(drop),
            (None, None, number) => encode::write_f64(out, number.unwrap_or(f64::NAN)),
        },
        Value::Array(values) => {
            let written = encode::write_array_len(out, length(values.len())).map(drop);
            values.iter().for_each(|value| write_value(out, value));
            written
        }
        Value::Object(map) => {
            let written = encode::write_map_len(out, length(map.len())).map(drop);
            for (key, value) in map {
                encode::write_str(out, key).expect("a Vec takes all");
                write_value(out, value);
            }
            written
        }
    };
    written.expect("a Vec takes all");
}

fn length(count: usize) -> u32 {
    u32::try_from(count).expect("fewer than 2^32 elements")
}

fn write_event_time(out: &mut Vec<u8>, seconds: u32, nanoseconds: u32) {
    out.extend([0xd7, 0x00]);
    out.extend(seconds.to_be_bytes());
    out.extend(nanoseconds.to_be_bytes());
}

fn data(name: &str) -> String {
    let file = data_file(name);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn lines(text: &str) -> impl Iterator<Item = Value> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}")))
}

/// The type and the object of a line of a watch; an event alone counts as ADDED.
fn object_of(mut line: Value) -> (String, Value) {
    // An event has a `type` too (Normal, Warning), so only `object` tells a watch line.
    match line.get_mut("object").map(Value::take) {
        Some(object) => (line["type"].as_str().unwrap_or_default().to_owned(), object),
        None => ("ADDED".into(), line),
    }
}

/// Records that want more of a reader's stack, or memory, than there is: 10,000 maps or arrays in each other, and
/// values that say they hold 4 GiB, alone and within an event.
pub fn greedy() -> Vec<Vec<u8>> {
    let deep_map: Vec<u8> = [0x81, 0xa1, b'k'].repeat(10_000).into_iter().chain([0xc0]).collect();
    let deep_array: Vec<u8> = vec![0x91; 10_000].into_iter().chain([0xc0]).collect();
    let liar = |marker: u8| vec![marker, 0xff, 0xff, 0xff, 0xff, b'x'];
    let values: Vec<Vec<u8>> =
        [vec![deep_map, deep_array], [0xdb, 0xc6, 0xc9, 0xdd, 0xdf].map(liar).to_vec()].concat();
    let within_event = |value: &Vec<u8>| {
        let mut record = vec![0x92, 0x92];
        write_event_time(&mut record, 1, 0);
        record.extend([0x80, 0x83]);
        for (key, text) in [("kind", "Event"), ("message", "greedy")] {
            encode::write_str(&mut record, key).expect("a Vec takes all");
            encode::write_str(&mut record, text).expect("a Vec takes all");
        }
        encode::write_str(&mut record, "metadata").expect("a Vec takes all");
        record.extend(value);
        record
    };
    let events: Vec<_> = values.iter().map(within_event).collect();
    [values, events].concat()
}
