//! An API server whose cluster never changes: it lists what it holds, and its watches are silent.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use serde_json::{Value, json};

use super::chunk;
use super::http;
use super::server::Server;

pub struct StillCluster {
    server: Server,
}

impl StillCluster {
    /// The objects that were there when the recording ended.
    pub fn of_the_recording() -> Self {
        let mut live: BTreeMap<(String, String), Value> = BTreeMap::new();
        for mut line in chunk::recording() {
            let resource = line["resource"].as_str().unwrap_or_default().to_owned();
            let uid = line["object"]["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
            match line["type"].as_str() {
                Some("DELETED") => drop(live.remove(&(resource, uid))),
                _ => drop(live.insert((resource, uid), line["object"].take())),
            }
        }
        let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for ((resource, _), object) in live {
            lists.entry(resource).or_default().push(object);
        }
        Self::holding(Some(lists))
    }

    /// One that takes every request and never answers.
    pub fn silent() -> Self {
        Self::holding(None)
    }

    fn holding(lists: Option<BTreeMap<String, Vec<Value>>>) -> Self {
        let server = Server::new("API server");
        let lists = Arc::new(lists);
        server.run(move |stream, _| serve(stream, lists.as_ref().as_ref()));
        Self { server }
    }

    /// For the option `kube_url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }
}

impl Drop for StillCluster {
    fn drop(&mut self) {
        self.server.stop();
    }
}

fn serve(mut stream: TcpStream, lists: Option<&BTreeMap<String, Vec<Value>>>) {
    let Ok(reading) = stream.try_clone() else { return };
    let mut reader = BufReader::new(reading);
    while let Ok(Some(http::Head { path: target, .. })) = http::read_head(&mut reader) {
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let (Some(lists), false) = (lists, query.contains("watch=")) else {
            if lists.is_some() {
                let head =
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
                let _ = stream.write_all(head.as_bytes());
            }
            // Until the client, or this server, ends the connection.
            let _ = reader.read(&mut [0]);
            return;
        };
        let resource = path.rsplit('/').next().unwrap_or_default();
        let items = lists.get(resource).cloned().unwrap_or_default();
        let list = json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "9000000"}, "items": items});
        let body = list.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}
