//! The receiver of all variants. It responds with 200 at once and keeps the bodies unparsed, so that it uses almost
//! nothing of the machine during the measurement. The bodies are checked afterwards.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use event_gateway::clock;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use crate::support::http;
use crate::support::server::Server;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

struct Body {
    bytes: Vec<u8>,
    gzip: bool,
    /// From the head of the request to its response.
    own_time: Duration,
}

pub struct Sink {
    server: Server,
    bodies: Arc<Mutex<Vec<Body>>>,
}

/// The sum of everything that arrived.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arrived {
    pub requests: usize,
    pub records: usize,
    pub different: usize,
    pub sent_bytes: usize,
    pub plain_bytes: usize,
}

impl Sink {
    pub fn start() -> Self {
        let (server, bodies) = (Server::new("sink"), Arc::<Mutex<Vec<Body>>>::default());
        let kept = Arc::clone(&bodies);
        server.run(move |stream, _number| {
            // A host that ends closes its connections, even within a request.
            let _ = serve(stream, &kept);
        });
        Sink { server, bodies }
    }

    pub fn port(&self) -> u16 {
        self.server.address().port()
    }

    /// How long the sink itself took for each request since the last call.
    #[allow(dead_code, reason = "only one of the benches asks")]
    pub fn own_times(&self) -> Vec<Duration> {
        let bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        bodies.iter().map(|body| body.own_time).collect()
    }

    /// Checks everything that arrived since the last call, and drops it.
    pub fn take(&self) -> Arrived {
        let bodies = std::mem::take(&mut *self.bodies.lock().unwrap_or_else(PoisonError::into_inner));
        let mut arrived = Arrived { requests: bodies.len(), ..Arrived::default() };
        let (mut ids, mut plain) = (HashSet::new(), Vec::new());
        for body in bodies {
            arrived.sent_bytes += body.bytes.len();
            let bytes = if body.gzip {
                plain.clear();
                MultiGzDecoder::new(&*body.bytes).read_to_end(&mut plain).expect("a whole body");
                &plain
            } else {
                &body.bytes
            };
            arrived.plain_bytes += bytes.len();
            let mut enter = |record: Record<'_>| {
                arrived.records += 1;
                ids.insert(record.id());
            };
            for value in serde_json::Deserializer::from_slice(bytes).into_iter::<OneOrMany<'_>>() {
                match value.expect("JSON") {
                    OneOrMany::Many(records) => records.into_iter().for_each(&mut enter),
                    OneOrMany::One(record) => enter(record),
                }
            }
        }
        arrived.different = ids.len();
        arrived
    }
}

/// Lines of records, or arrays of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<'a> {
    #[serde(borrow)]
    Many(Vec<Record<'a>>),
    #[serde(borrow)]
    One(Record<'a>),
}

/// The plugin derives each record's id from the event.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    uid: Cow<'a, str>,
    #[serde(borrow)]
    resource_version: Cow<'a, str>,
}

impl Record<'_> {
    fn id(&self) -> String {
        match (&self.id, &self.metadata) {
            (Some(id), _) => id.to_string(),
            (None, Some(Metadata { uid, resource_version })) => format!("{uid}.{resource_version}"),
            (None, None) => panic!("a record without an id"),
        }
    }
}

fn serve(stream: TcpStream, kept: &Mutex<Vec<Body>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut wire = BufReader::with_capacity(64 << 10, stream);
    while let Some(head) = http::read_head(&mut wire)? {
        let start = clock::monotonic();
        let bytes = http::read_body(&mut wire, &head)?;
        let gzip = head.header("content-encoding") == Some("gzip");
        // This comes before the response, so that the request is here once the client has the response.
        let mut bodies = kept.lock().unwrap_or_else(PoisonError::into_inner);
        bodies.push(Body { bytes, gzip, own_time: start.elapsed() });
        drop(bodies);
        wire.get_mut().write_all(ANSWER)?;
    }
    Ok(())
}
