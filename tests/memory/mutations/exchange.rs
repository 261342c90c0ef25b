//! The mutants of an answer over a real connection: through the HTTP client that the plugin posts with.
//!
//! A client may take a while to give up an answer; it must not make one up, keep one, or wait indefinitely.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, SystemTime};

use event_gateway::net::agent::{BODY_READ_BYTES, Limits, agent, beginning};
use event_gateway::net::failure;
use event_gateway::net::peer::GATEWAY;
use event_gateway::net::stop::StopSignal;
use event_gateway::response::{Disposition, Response, classify_status};
use ureq::Agent;
use ureq::http::header::{DATE, LOCATION, RETRY_AFTER};
use ureq::http::{HeaderValue, Request, Uri};

use super::bodies::answer::{Answer, SECRET, assert_bounded};
use super::bodies::{Body, Seen};

const TIMEOUT: Duration = Duration::from_secs(2);

pub struct Exchange {
    agent: Agent,
    endpoint: Uri,
    server: &'static Server,
    seen: Seen,
}

/// One for all bodies, as memory is counted by thread: what two threads hand to each other would count for the
/// wrong one.
struct Server {
    address: SocketAddr,
    /// What the next connection is answered with.
    answer: Mutex<Vec<u8>>,
}

impl Server {
    fn start() -> &'static Self {
        static SERVER: OnceLock<(Server, Mutex<Option<TcpListener>>)> = OnceLock::new();
        let (server, listener) = SERVER.get_or_init(|| {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let address = listener.local_addr().expect("an address");
            (Server { address, answer: Mutex::new(Vec::with_capacity(1 << 16)) }, Mutex::new(Some(listener)))
        });
        if let Some(listener) = listener.lock().unwrap().take() {
            let serve_all = move || {
                for stream in listener.incoming() {
                    serve(stream.expect("a connection"), &server.answer.lock().unwrap());
                }
            };
            // It ends with the process.
            thread::Builder::new().name("answers".to_owned()).spawn(serve_all).expect("a thread");
        }
        server
    }
}

impl Body for Exchange {
    const NAME: &'static str = Answer::NAME;
    const WORDS: &'static [&'static [u8]] = Answer::WORDS;

    fn new() -> Self {
        let server = Server::start();
        let endpoint: Uri = format!("http://{}/events", server.address).parse().expect("a URL");
        let agent = agent(&endpoint, &Limits::for_post(TIMEOUT), None, &Arc::<StopSignal>::default());
        Self { agent, endpoint, server, seen: Seen::default() }
    }

    fn seeds() -> Vec<Vec<u8>> {
        Answer::seeds()
    }

    fn check(&mut self, input: &[u8], _: bool) {
        let mut answer = self.server.answer.lock().unwrap();
        answer.clear();
        answer.extend_from_slice(input);
        drop(answer);
        let request = Request::post(self.endpoint.clone()).body(&b"{}\n"[..]).expect("a request");
        let response = match self.agent.run(request) {
            Ok(response) => response,
            Err(error) => {
                self.seen.bad += 1;
                let said = failure::described(&error, &GATEWAY, TIMEOUT, false);
                assert!(!said.contains(SECRET) && said.len() < 500, "{said}");
                let _ = failure::class(&error, false);
                return;
            }
        };
        self.seen.good += 1;
        let (head, body) = response.into_parts();
        let received = beginning(body, BODY_READ_BYTES);
        let body = &received.bytes;
        assert!(body.len() <= 16 << 10 && body.len() <= input.len());
        let text = |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let response = Response {
            status: head.status.as_u16(),
            retry_after: text(RETRY_AFTER),
            date: text(DATE),
            location: text(LOCATION),
            words: body,
            sent_bytes: 3,
            ..Response::default()
        };
        let disposition = classify_status(&response, SystemTime::UNIX_EPOCH);
        if let Disposition::Accepted { .. } = disposition {
            let said =
                input.windows(11).any(|bytes| bytes.starts_with(b"HTTP/1.") && bytes[8..].starts_with(b" 2"));
            assert!(said, "an acknowledgement that nobody gave");
        } else if !input.windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes()) {
            assert_bounded(&disposition);
        }
    }

    fn seen(&self) -> Seen {
        self.seen
    }
}

/// Reads the request whole, or closing the connection could take the answer back.
fn serve(mut stream: TcpStream, answer: &[u8]) {
    let (mut request, mut piece) = (Vec::new(), [0; 1_024]);
    while !request.ends_with(b"\r\n\r\n{}\n") {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(len) => request.extend_from_slice(&piece[..len]),
        }
    }
    let _ = stream.write_all(answer);
    let _ = stream.shutdown(Shutdown::Write);
}
