//! Does a real Fluent Bit deliver every record of a real cluster once, also when it starts again and its
//! inputs read everything a second time?

use crate::{real, support};
use serde_json::{Value, json};

use real::{BOUND, assert_once, config, on_every_host, state_file, stop, to_gateway};
use support::chunk;
use support::gateway::TestGateway;
use support::kube_api::KubeApi;

/// The event as it looks after one more occurrence.
fn repeated(event: &Value) -> Value {
    let mut event = event.clone();
    let count = event["count"].as_u64().unwrap_or(1) + 1;
    event["count"] = json!(count);
    event
}

#[test]
fn what_the_api_server_lists_and_changes_arrives_once_also_after_a_restart() {
    on_every_host(|fluent_bit, folder| {
        let listed = chunk::listed_events();
        let mut wanted: Vec<String> = listed.iter().map(chunk::event_id).collect();
        let (api, gateway) = (KubeApi::holding(listed.clone()), TestGateway::start());
        let (url, ledger) = (gateway.url(), state_file(folder));
        let config =
            config(folder).kubernetes_events(&api.url()).event_gateway(&to_gateway(&url, &ledger)).text();

        let host = fluent_bit.start(&config, folder);
        gateway.wait_for_ids(wanted.len());
        if fluent_bit.watches_events() {
            api.wait_for_request("watch=1", BOUND);
        }
        let mut changing: Vec<Value> = listed.iter().take(20).cloned().collect();
        for round in 0..3 {
            for event in &mut changing {
                *event = api.modify(repeated(event));
                wanted.push(chunk::event_id(event));
            }
            wanted.push(chunk::event_id(&api.add(chunk::fresh(&listed[0], round))));
            // A host that polls sees only the newest version; let it see this one.
            gateway.wait_for_ids(wanted.len());
        }
        let first = stop(host);
        assert_once(&gateway, &wanted);
        assert_eq!(first.delivered, wanted.len() as u64);

        let host = fluent_bit.start(&config, folder);
        // The last one of the list, so what is listed before it has been judged when it arrives.
        wanted.push(chunk::event_id(&api.add(chunk::fresh(&listed[0], 1_000))));
        gateway.wait_for_ids(wanted.len());
        let second = stop(host);
        assert_once(&gateway, &wanted);
        assert_eq!(second.delivered, 1);
        assert!(second.duplicates >= listed.len() as u64, "the list was not read again: {second:?}");
    });
}

#[test]
fn the_lines_of_a_file_arrive_once_also_when_it_is_read_again() {
    // The same run as it ended, and as it went: the second brings up to 15 versions of one event.
    let as_listed: Vec<Value> = chunk::listed_events();
    let as_watched: Vec<Value> = chunk::watch_events();
    on_every_host(|fluent_bit, folder| {
        for (name, events) in [("listed", &as_listed), ("watched", &as_watched)] {
            let gateway = TestGateway::start();
            let file = folder.join(format!("{name}.ndjson"));
            let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
            std::fs::write(&file, lines).expect("a file to follow");
            let ledger = folder.join(format!("{name}.ledger")).to_string_lossy().into_owned();
            let url = gateway.url();
            let config = config(folder).tail(&file).event_gateway(&to_gateway(&url, &ledger)).text();
            let mut wanted: Vec<String> = events.iter().map(chunk::event_id).collect();

            let host = fluent_bit.start(&config, folder);
            gateway.wait_for_ids(wanted.len());
            stop(host);
            assert_once(&gateway, &wanted);

            let last = chunk::fresh(&events[0], 1);
            append(&file, &format!("{last}\n"));
            wanted.push(chunk::event_id(&last));
            let host = fluent_bit.start(&config, folder);
            gateway.wait_for_ids(wanted.len());
            let second = stop(host);
            assert_once(&gateway, &wanted);
            assert_eq!((second.delivered, second.duplicates), (1, events.len() as u64));
        }
    });
}

fn append(file: &std::path::Path, text: &str) {
    let mut content = std::fs::read_to_string(file).expect("the file");
    content.push_str(text);
    std::fs::write(file, content).expect("the file");
}
