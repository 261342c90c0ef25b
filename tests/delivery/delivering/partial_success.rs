//! Is each record settled as the answer says of it: by a bulk item for item, by a collector that took all but some?
//!
//! The gateways are stubs of the specifications: Elasticsearch's `_bulk` API, and OTLP's `ExportLogsServiceResponse`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::Path;

use super::support;
use serde_json::{Value, json};
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};
use support::{event, events, value};

fn started(gateway: &TestGateway, folder: &Path, settings: &[(&str, &str)]) -> MiniHost {
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (ledger, letters) = (path("ledger"), path("letters"));
    let files = [("state_file", &*ledger), ("dead_letter_file", &letters), ("compress", "none")];
    support::started(Build::V5_1_1, gateway, &[&files, settings].concat())
}

fn letters(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("letters")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a letter")).collect()
}

/// The actions of a bulk body with their documents.
fn actions(body: &[u8]) -> Vec<(String, Value)> {
    let text = std::str::from_utf8(body).expect("UTF-8");
    assert!(text.ends_with('\n'), "_bulk wants a line break at the end");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let pairs = lines.chunks_exact(2).map(|pair| {
        assert_eq!(pair[0]["create"]["_index"], "logs-kubernetes.events-default");
        (pair[0]["create"]["_id"].as_str().expect("an id").to_owned(), pair[1].clone())
    });
    pairs.collect()
}

/// Elasticsearch as far as `_bulk` goes: it keeps what is created once, rejects what it cannot map and is busy for
/// some the first time.
#[test]
fn a_bulk_is_settled_item_by_item() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = TestGateway::start();
    let index = std::sync::Arc::new(std::sync::Mutex::new(BTreeMap::<String, Value>::new()));
    let kept = std::sync::Arc::clone(&index);
    let asked = std::sync::Mutex::new(BTreeMap::<String, usize>::new());
    gateway.respond_with(move |request| {
        let mut index = kept.lock().expect("no panic");
        let mut asked = asked.lock().expect("no panic");
        let item = |(id, document): (String, Value)| {
            let times = asked.entry(id.clone()).or_default();
            *times += 1;
            let done = if id.starts_with("bad") {
                json!({"status": 400, "error": {"type": "document_parsing_exception", "reason": "no"}})
            } else if id.starts_with("busy") && *times == 1 {
                json!({"status": 429, "error": {"type": "es_rejected_execution_exception"}})
            } else if let Entry::Vacant(place) = index.entry(id) {
                place.insert(document);
                json!({"status": 201})
            } else {
                json!({"status": 409, "error": {"type": "version_conflict_engine_exception"}})
            };
            json!({"create": done})
        };
        let items: Vec<Value> = actions(&request.body).into_iter().map(item).collect();
        let errors = items.iter().any(|item| item["create"]["status"] != 201);
        Answer::ok().body(json!({"took": 3, "errors": errors, "items": items}).to_string())
    });
    index.lock().expect("no panic").insert("there.1".to_owned(), json!({}));
    let mut host = started(&gateway, folder.path(), &[("format", "elasticsearch")]);
    let chunk = events(["one", "bad", "there", "busy", "two"]);
    host.deliver_at_last("a", "t", &chunk);
    let index = index.lock().expect("no panic");
    assert_eq!(index.keys().collect::<Vec<_>>(), ["busy.1", "one.1", "there.1", "two.1"]);
    assert_eq!(index["one.1"]["kubernetes"]["event"]["metadata"]["uid"], "one");
    let letters = letters(folder.path());
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!((&letters[0]["id"], &letters[0]["status"]), (&json!("bad.1"), &json!(400)));
    assert!(letters[0]["answer"].as_str().is_some_and(|text| text.contains("document_parsing_exception")));
    // What was acknowledged is not asked for again.
    let last = gateway.requests().last().map(|request| actions(&request.body).len());
    assert_eq!(last, Some(1));
    host.quit();
}

#[test]
fn an_answer_that_tells_of_no_item_settles_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = TestGateway::start();
    gateway.set_default(Answer::ok().body("<html>welcome</html>"));
    let mut host = started(&gateway, folder.path(), &[("format", "elasticsearch")]);
    assert_eq!(host.deliver("a", "t", &events(["one"])), Code::Retry);
    assert!(host.wait_log("does endpoint lead to _bulk?").text.contains("records wait"));
    host.quit();
}

/// Two chunks share a request; the records of the one are taken, that of the other is not.
#[test]
fn a_chunk_of_which_all_is_taken_is_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = TestGateway::start();
    gateway.respond_with(|request| {
        let ids: Vec<_> = actions(&request.body).into_iter().map(|(id, _)| id).collect();
        let status = |id: &String| if id.starts_with("busy") { 429 } else { 201 };
        let items: Vec<_> = ids.iter().map(|id| json!({"create": {"status": status(id)}})).collect();
        let answer =
            json!({"errors": items.iter().any(|item| item["create"]["status"] == 429), "items": items});
        let answer = Answer::ok().body(answer.to_string());
        if ids == ["first.1"] { answer.held() } else { answer }
    });
    let mut host = started(&gateway, folder.path(), &[("format", "elasticsearch")]);
    let first = host.flush("a", "t", &events(["first"]));
    gateway.wait_for_requests(1);
    let taken = host.flush("a", "t", &events(["one", "two"]));
    let busy = host.flush("a", "t", &events(["busy"]));
    host.metrics_when(|metrics| value(metrics, "jobs_in_flight") == 3.0);
    gateway.release();
    assert_eq!([first, taken, busy].map(|id| host.wait(id)), [Code::Ok, Code::Ok, Code::Retry]);
    let together = gateway.requests().iter().any(|request| actions(&request.body).len() == 3);
    assert!(together, "they shared a request");
    host.quit();
}

/// An index that is closed for writing is fixed by a person; until then all waits, and nothing is dead-lettered.
#[test]
fn what_the_index_is_to_blame_for_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = TestGateway::start();
    gateway.respond_with(|request| {
        let error = json!({"type": "cluster_block_exception", "reason": "index blocked by: [FORBIDDEN/8]"});
        let item = json!({"create": {"status": 403, "error": error}});
        let items = vec![item; actions(&request.body).len()];
        Answer::ok().body(json!({"errors": true, "items": items}).to_string())
    });
    let mut host = started(&gateway, folder.path(), &[("format", "elasticsearch")]);
    assert_eq!(host.deliver("a", "t", &events(["one", "two"])), Code::Retry);
    let line = host.wait_log("gateway asks to retry 2 of 2 records");
    assert!(line.text.contains("403") && line.text.contains("cluster_block_exception"), "{line:?}");
    assert_eq!(letters(folder.path()).len(), 0);
    let metrics = host.metrics_when(|metrics| value(metrics, "requests_total") > 0.0);
    for name in ["delivered_records_total", "batches_total", "sent_bytes_total"] {
        assert_eq!(value(&metrics, name), 0.0, "{name}");
    }
    host.quit();
}

/// The request without an answer goes out again as it was, and the answer tells of each of what was in it: of a
/// record without an identity, too.
#[test]
fn a_bulk_that_is_sent_again_is_settled_item_by_item() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = TestGateway::start();
    gateway.set_default(Answer::close_after_body());
    let mut host = started(&gateway, folder.path(), &[("format", "elasticsearch")]);
    let chunk = support::chunk::of(&[event("one", 1, 1), json!({"odd": "record"}), event("two", 1, 1)]);
    assert_eq!(host.deliver("a", "t", &chunk), Code::Retry);
    let lost = gateway.request_count();
    gateway.respond_with(|request| {
        let actions = actions(&request.body);
        let is_first = actions.len() == 3;
        let status = |id: &str| if is_first && id.starts_with("two") { 429 } else { 201 };
        let items: Vec<_> = actions.iter().map(|(id, _)| json!({"create": {"status": status(id)}})).collect();
        Answer::ok().body(json!({"errors": is_first, "items": items}).to_string())
    });
    host.deliver_at_last("a", "t", &chunk);
    let sent: Vec<Vec<String>> = gateway.requests()[lost..]
        .iter()
        .map(|request| actions(&request.body).into_iter().map(|(id, _)| id).collect())
        .collect();
    assert_eq!(sent[0].len(), 3, "as it was");
    assert_eq!(sent[1..].concat(), [sent[0][1].clone(), "two.1".to_owned()], "{sent:?}");
    host.quit();
}

#[test]
fn a_collector_that_rejects_some_is_not_asked_again_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = TestGateway::start();
    let partly =
        json!({"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "too old"}}).to_string();
    gateway.answer(Answer::ok().body(partly.clone()));
    let mut host = started(&gateway, folder.path(), &[("format", "otlp_json")]);
    assert_eq!(host.deliver("a", "t", &events(["one", "two", "three"])), Code::Ok);
    let found = letters(folder.path());
    assert_eq!(found.len(), 3, "nobody says which");
    assert!(found.iter().all(|letter| letter["reason"] == "partly rejected by the gateway"));
    assert!(found[0]["answer"].as_str().is_some_and(|text| text.contains("1 of 3: too old")), "{found:?}");
    assert_eq!(host.deliver("a", "t", &events(["one", "two", "three"])), Code::Ok);
    assert_eq!(gateway.request_count(), 1, "none may be sent again");
    // One that stands alone is the one.
    gateway.answer(Answer::ok().body(partly));
    assert_eq!(host.deliver("a", "t", &support::chunk::of([&event("four", 1, 1)])), Code::Ok);
    let found = letters(folder.path());
    assert_eq!((found.len(), &found[3]["reason"]), (4, &json!("rejected by the gateway")));
    let metrics = host.metrics_when(|metrics| value(metrics, "dead_lettered_records_total") > 3.0);
    assert_eq!(value(&metrics, "dead_lettered_records_total"), 4.0);
    host.quit();
}

#[test]
fn an_answer_that_tells_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = TestGateway::start();
    let partly = json!({"partialSuccess": {"rejectedLogRecords": 1, "errorMessage": "x".repeat(60)}});
    let slowly = std::time::Duration::from_millis(20);
    gateway.answer(Answer::ok().body(partly.to_string()).drip(slowly));
    let mut host = started(&gateway, folder.path(), &[("format", "otlp_json")]);
    assert_eq!(host.deliver("a", "t", &events(["one", "two"])), Code::Ok);
    assert_eq!(letters(folder.path()).len(), 2);
    host.quit();
}

#[test]
fn without_dead_letters_what_was_rejected_is_lost_and_no_more() {
    let gateway = TestGateway::start();
    let partly = json!({"partialSuccess": {"rejectedLogRecords": 1, "errorMessage": "too old"}});
    gateway.answer(Answer::ok().body(partly.to_string()));
    let mut host = support::started(Build::V5_1_1, &gateway, &[("format", "otlp_json")]);
    for _ in 0..2 {
        assert_eq!(host.deliver("a", "t", &events(["one", "two", "three"])), Code::Ok);
    }
    assert_eq!(gateway.request_count(), 1, "none may be sent again");
    assert!(host.wait_log("1 records are lost").text.contains("1 of 3: too old"));
    let metrics = host.metrics_when(|metrics| value(metrics, "duplicate_records_total") > 2.0);
    let counted = ["dropped_records_total", "delivered_records_total"].map(|name| value(&metrics, name));
    assert_eq!(counted, [1.0, 2.0]);
    host.quit();
}

/// Its records are not at hand when the answer comes. They are dead-lettered when they come again.
#[test]
fn a_partial_success_of_a_request_that_is_sent_again_sends_none_a_third_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = TestGateway::start();
    gateway.set_default(Answer::close_after_body());
    let mut host = started(&gateway, folder.path(), &[("format", "otlp_json")]);
    let chunk = events(["one", "two", "three"]);
    assert_eq!(host.deliver("a", "t", &chunk), Code::Retry);
    let lost = gateway.request_count();
    let partly = json!({"partialSuccess": {"rejectedLogRecords": 1, "errorMessage": "too old"}});
    gateway.set_default(Answer::ok().body(partly.to_string()));
    host.deliver_at_last("a", "t", &chunk);
    assert_eq!(gateway.request_count(), lost + 1);
    assert_eq!(letters(folder.path()).len(), 3);
    host.quit();
}

#[test]
fn a_collector_that_took_all_may_warn() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = TestGateway::start();
    gateway.set_default(Answer::ok().body([0x0a, 0x06, 0x12, 0x04, b'c', b'a', b'r', b'e']));
    let mut host = started(&gateway, folder.path(), &[("format", "otlp")]);
    assert_eq!(host.deliver("a", "t", &events(["one"])), Code::Ok);
    assert_eq!(gateway.requests()[0].header("content-type"), Some("application/x-protobuf"));
    assert_eq!(letters(folder.path()).len(), 0);
    host.quit();
}
