//! An event gateway for tests: a small HTTP/1.1 server that remembers every request and answers
//! by a script, in all the ways in which a gateway can fail.
//!
//! Where an answer comes from: the queue (`answer`) first, then whatever was set last, a default
//! (`set_default`) or a function (`respond_with`).
#![allow(dead_code)] // each test binary uses another part of it
#![allow(clippy::disallowed_methods)] // a server in a test reads the clock, where the plugin may not

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{RootCertStore, ServerConfig, ServerConnection, server::WebPkiClientVerifier};
use serde_json::Value;

/// How long the `wait_for_…` methods without a bound of their own wait before they panic.
pub const WAIT_BOUND: Duration = Duration::from_secs(30);
const LINE_LIMIT_BYTES: u64 = 64 << 10;
const BODY_LIMIT_BYTES: usize = 256 << 20;

/// A request as it arrived, with its body as it was before compression.
#[derive(Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Names in lower case, in order of arrival.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The length of the body on the wire, without the framing of chunks.
    pub raw_body_bytes: usize,
    /// When the last byte of the body was read.
    pub arrived: Instant,
    /// 1 for the first connection that was accepted, and so on.
    pub connection: usize,
    accepted: AtomicBool,
    ids: OnceLock<Vec<String>>,
}

impl Request {
    pub fn header(&self, lower_case_name: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name == lower_case_name).map(|(_, value)| &**value)
    }

    /// Whether the gateway took the records: it began to write an answer of 2xx. Set before the
    /// first byte of the answer, so whoever saw the answer also sees this.
    pub fn accepted(&self) -> bool {
        self.accepted.load(Ordering::SeqCst)
    }

    /// The JSON values of the body: lines, values one after the other, or one array of them.
    pub fn records(&self) -> Vec<Value> {
        let mut records = Vec::new();
        for value in serde_json::Deserializer::from_slice(&self.body).into_iter::<Value>() {
            match value {
                Ok(Value::Array(values)) => records.extend(values),
                Ok(value) => records.push(value),
                Err(error) => {
                    let start = &self.body[..self.body.len().min(300)];
                    panic!("no JSON ({error}): {:?}", String::from_utf8_lossy(start))
                }
            }
        }
        records
    }

    /// The `id` of every record that has one.
    pub fn ids(&self) -> &[String] {
        self.ids.get_or_init(|| {
            let text = |id: &Value| id.as_str().map_or_else(|| id.to_string(), String::from);
            self.records().iter().filter_map(|record| record.get("id").map(text)).collect()
        })
    }
}

/// One answer, with the misbehaviour that goes with it.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    raw: Option<Vec<u8>>,
    delay_before: Duration,
    drip: Option<Duration>,
    close: Close,
    accepting: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Close {
    Never,
    BeforeBody,
    BeforeAnswer,
    AfterAnswer,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            raw: None,
            delay_before: Duration::ZERO,
            drip: None,
            close: Close::Never,
            accepting: None,
        }
    }

    pub fn ok() -> Self {
        Self::status(200)
    }

    /// These bytes instead of an answer; then the connection closes. Does not count as accepted.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Answer { raw: Some(bytes.into()), close: Close::AfterAnswer, ..Self::status(0) }
    }

    /// Reads the request and closes without an answer, as when an acknowledgement gets lost.
    pub fn close_after_body() -> Self {
        Answer { close: Close::BeforeAnswer, ..Self::status(0) }
    }

    /// Closes after the headers of the request. From `respond_with`, which is asked only when the
    /// body is there, the same as `close_after_body`.
    pub fn close_before_body() -> Self {
        Answer { close: Close::BeforeBody, ..Self::status(0) }
    }

    /// Reads the request and never answers; ends with the gateway.
    pub fn hang() -> Self {
        Self::close_after_body().delay_before(Duration::from_secs(24 * 3600))
    }

    /// `Content-Length` is written unless it, or `Transfer-Encoding`, is given here.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn delay_before(mut self, delay: Duration) -> Self {
        self.delay_before = delay;
        self
    }

    /// Writes the answer one byte at a time, with this pause after each.
    pub fn drip(mut self, pause: Duration) -> Self {
        self.drip = Some(pause);
        self
    }

    pub fn then_close(mut self) -> Self {
        self.close = Close::AfterAnswer;
        self
    }

    /// Says whether the gateway took the records, where the status does not say it.
    pub fn accepting(mut self, accepting: bool) -> Self {
        self.accepting = Some(accepting);
        self
    }

    fn accepts(&self) -> bool {
        self.accepting.unwrap_or((200..300).contains(&self.status))
    }

    fn bytes(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let given = |name: &str| self.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        // RFC 9110 8.6: no Content-Length with 204.
        if self.status != 204 && !given("content-length") && !given("transfer-encoding") {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        if self.close == Close::AfterAnswer && !given("connection") {
            head += "Connection: close\r\n";
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

type Responder = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

struct State {
    script: VecDeque<Answer>,
    default: Answer,
    responder: Option<Responder>,
    requests: Vec<Arc<Request>>,
    connections: usize,
    open: HashMap<usize, TcpStream>,
    /// What went wrong on connections: handshakes that failed, requests that broke off.
    complaints: Vec<String>,
    stopping: bool,
}

impl State {
    /// The next answer, if it is one that does not wait for the body.
    fn take_cut(&mut self) -> Option<Answer> {
        let cut = |answer: &Answer| answer.close == Close::BeforeBody;
        match self.script.front() {
            Some(next) if cut(next) => self.script.pop_front(),
            None if self.responder.is_none() && cut(&self.default) => Some(self.default.clone()),
            _ => None,
        }
    }
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps, but not beyond a stop; false when the gateway stops.
    fn pause(&self, pause: Duration) -> bool {
        let running = |state: &mut State| !state.stopping;
        let waited = self.changed.wait_timeout_while(self.lock(), pause, running);
        !waited.unwrap_or_else(PoisonError::into_inner).0.stopping
    }
}

/// The gateway. Dropping it closes every connection, ends every hang and joins its threads; it
/// panics then if a function given to `respond_with` has panicked.
pub struct TestGateway {
    shared: Arc<Shared>,
    address: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    acceptor: Mutex<Option<JoinHandle<bool>>>,
    _port: OwnedFd,
}

impl TestGateway {
    /// Listens on a port of its own of 127.0.0.1 and answers 200 with an empty body.
    pub fn start() -> Self {
        Self::with(None)
    }

    pub fn tls(files: TlsFiles) -> Self {
        Self::with(Some(files.server_config()))
    }

    fn with(tls: Option<Arc<ServerConfig>>) -> Self {
        let (port, address) = reserve_port().expect("a free port on 127.0.0.1");
        let state = State {
            script: VecDeque::new(),
            default: Answer::ok(),
            responder: None,
            requests: Vec::new(),
            connections: 0,
            open: HashMap::new(),
            complaints: Vec::new(),
            stopping: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let gateway = TestGateway { shared, address, tls, acceptor: Mutex::new(None), _port: port };
        gateway.restart();
        gateway
    }

    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/events", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Appends a one-shot answer to the queue.
    pub fn answer(&self, answer: Answer) {
        self.shared.lock().script.push_back(answer);
    }

    /// What is answered when the queue is empty; replaces a function.
    pub fn set_default(&self, answer: Answer) {
        let mut state = self.shared.lock();
        state.responder = None;
        state.default = answer;
    }

    /// Asks this function when the queue is empty, on the thread of the connection.
    pub fn respond_with(&self, respond: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
        self.shared.lock().responder = Some(Arc::new(respond));
    }

    /// All requests whose body arrived whole, or that were cut by `close_before_body`.
    pub fn requests(&self) -> Vec<Arc<Request>> {
        self.shared.lock().requests.clone()
    }

    /// Forgets the requests so far, so that a long run needs no memory for them.
    pub fn forget_requests(&self) {
        self.shared.lock().requests.clear();
    }

    pub fn accepted_records(&self) -> Vec<Value> {
        let requests = self.requests();
        requests.iter().filter(|request| request.accepted()).flat_map(|r| r.records()).collect()
    }

    /// The ids of all records in accepted requests, in order, repetitions included.
    pub fn accepted_ids(&self) -> Vec<String> {
        let requests = self.requests();
        requests.iter().filter(|r| r.accepted()).flat_map(|r| r.ids().to_vec()).collect()
    }

    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }

    pub fn complaints(&self) -> Vec<String> {
        self.shared.lock().complaints.clone()
    }

    pub fn wait_for_requests(&self, count: usize) -> Vec<Arc<Request>> {
        let what = format!("{count} requests");
        self.wait_for(&what, WAIT_BOUND, |requests| requests.len() >= count);
        self.requests()
    }

    /// Waits until this many different ids have been accepted.
    pub fn wait_for_ids(&self, count: usize) -> Vec<String> {
        self.wait_for(&format!("{count} accepted ids"), WAIT_BOUND, |requests| {
            let accepted = requests.iter().filter(|request| request.accepted());
            accepted.flat_map(|request| request.ids()).collect::<HashSet<_>>().len() >= count
        });
        self.accepted_ids()
    }

    /// Waits for what `done` looks for; it must not call the gateway, whose lock is held.
    pub fn wait_for(&self, what: &str, bound: Duration, mut done: impl FnMut(&[Arc<Request>]) -> bool) {
        let waiting = |state: &mut State| !done(&state.requests);
        let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), bound, waiting);
        let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            let accepted = state.requests.iter().filter(|request| request.accepted()).count();
            let (seen, connections) = (state.requests.len(), state.connections);
            let complaints = state.complaints.clone();
            drop(state);
            panic!(
                "waited {bound:?} for {what}; the gateway saw {seen} requests ({accepted} \
                 accepted) on {connections} connections; complaints: {complaints:?}"
            );
        }
    }

    /// Closes everything; until `restart` connections are refused, and the port stays ours.
    pub fn stop(&self) {
        let Some(acceptor) = self.acceptor.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        {
            let mut state = self.shared.lock();
            state.stopping = true;
            for stream in state.open.values() {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        self.shared.changed.notify_all();
        // Wakes the acceptor out of accept(2), which knows no other interruption in std.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        let whole = acceptor.join().unwrap_or(false);
        assert!(whole || thread::panicking(), "a thread of the gateway panicked, see above");
    }

    /// Listens again after `stop`, on the same port and with everything remembered.
    pub fn restart(&self) {
        let mut acceptor = self.acceptor.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(acceptor.is_none(), "the gateway is running");
        self.shared.lock().stopping = false;
        let listener = TcpListener::bind(self.address).expect("the port that is reserved for us");
        let (shared, tls) = (Arc::clone(&self.shared), self.tls.clone());
        *acceptor = Some(spawn("gateway-accept", move || accept(listener, &shared, tls)));
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        self.stop();
    }
}

fn spawn<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    thread::Builder::new().name(name.into()).spawn(run).expect("a thread for the gateway")
}

/// A socket that is bound and does not listen: connections to it are refused, and no other
/// process is given its port while the gateway is stopped. The listener may bind beside it, as
/// both carry SO_REUSEADDR and only one of them listens.
#[allow(unsafe_code)]
fn reserve_port() -> io::Result<(OwnedFd, SocketAddr)> {
    let check = |ret: i32| if ret < 0 { Err(io::Error::last_os_error()) } else { Ok(ret) };
    // SAFETY: plain system calls on values that live across them; the descriptor is ours alone.
    unsafe {
        let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
        let socket = OwnedFd::from_raw_fd(check(libc::socket(libc::AF_INET, kind, 0))?);
        let (fd, one) = (socket.as_raw_fd(), 1i32);
        let one = (&raw const one).cast();
        check(libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, one, 4))?;
        let mut name: libc::sockaddr_in = std::mem::zeroed();
        let mut name_bytes = 16; // of a sockaddr_in
        name.sin_family = 2; // AF_INET
        name.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
        check(libc::bind(fd, (&raw const name).cast(), name_bytes))?;
        check(libc::getsockname(fd, (&raw mut name).cast(), &raw mut name_bytes))?;
        Ok((socket, SocketAddr::from(([127, 0, 0, 1], u16::from_be(name.sin_port)))))
    }
}

/// Accepts until the gateway stops; then joins all connections. False when one has panicked.
fn accept(listener: TcpListener, shared: &Arc<Shared>, tls: Option<Arc<ServerConfig>>) -> bool {
    let mut whole = true;
    let mut workers: Vec<JoinHandle<()>> = Vec::new();
    loop {
        let accepted = listener.accept();
        let mut state = shared.lock();
        if state.stopping {
            break;
        }
        let Ok((stream, _)) = accepted else {
            drop(state);
            thread::sleep(Duration::from_millis(10)); // out of descriptors, say
            continue;
        };
        state.connections += 1;
        let number = state.connections;
        let Ok(handle) = stream.try_clone() else { continue };
        state.open.insert(number, handle);
        drop(state);
        let (shared, tls) = (Arc::clone(shared), tls.clone());
        workers.push(spawn("gateway-connection", move || {
            let _open = Open(&shared, number);
            if let Err(error) = serve(&shared, stream, tls, number) {
                let mut state = shared.lock();
                if !state.stopping {
                    state.complaints.push(format!("connection {number}: {error}"));
                }
            }
        }));
        for finished in workers.extract_if(.., |worker| worker.is_finished()) {
            whole &= finished.join().is_ok();
        }
    }
    drop(listener); // from here on connections are refused
    workers.into_iter().fold(whole, |whole, worker| worker.join().is_ok() && whole)
}

/// Forgets the second handle of a connection, which else would keep it open after its thread.
struct Open<'a>(&'a Shared, usize);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.lock().open.remove(&self.1);
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}
type Wire = BufReader<Box<dyn Stream>>;

/// One connection, request after request.
fn serve(
    shared: &Shared,
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    connection: usize,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let stream: Box<dyn Stream> = match tls {
        None => Box::new(stream),
        Some(config) => {
            let session = ServerConnection::new(config).map_err(io::Error::other)?;
            Box::new(rustls::StreamOwned::new(session, stream))
        }
    };
    let mut wire = BufReader::with_capacity(64 << 10, stream);
    while let Some(mut request) = read_head(&mut wire, connection)? {
        let cut = shared.lock().take_cut();
        let fault = if cut.is_some() { None } else { read_body(&mut wire, &mut request)? };
        request.arrived = Instant::now();
        let close_wanted = request.header("connection").is_some_and(|value| value.contains("close"));
        let request = Arc::new(request);
        let (scripted, default, responder) = {
            let mut state = shared.lock();
            state.requests.push(Arc::clone(&request));
            let scripted = cut.or_else(|| if fault.is_none() { state.script.pop_front() } else { None });
            (scripted, state.default.clone(), state.responder.clone())
        };
        shared.changed.notify_all();
        let answer = match (fault, scripted, responder) {
            (Some(fault), _, _) => Answer::status(400).body(fault),
            (None, Some(answer), _) => answer,
            (None, None, Some(respond)) => respond(&request),
            (None, None, None) => default,
        };
        if !answer.delay_before.is_zero() && !shared.pause(answer.delay_before) {
            return Ok(());
        }
        if answer.accepts() {
            request.accepted.store(true, Ordering::SeqCst);
            shared.changed.notify_all();
        }
        if matches!(answer.close, Close::BeforeBody | Close::BeforeAnswer) {
            return Ok(());
        }
        write_answer(wire.get_mut(), &answer, shared)?;
        if close_wanted || answer.close == Close::AfterAnswer {
            return Ok(());
        }
    }
    Ok(())
}

fn write_answer(stream: &mut dyn Stream, answer: &Answer, shared: &Shared) -> io::Result<()> {
    let bytes = answer.bytes();
    let piece_bytes = if answer.drip.is_some() { 1 } else { bytes.len().max(1) };
    for piece in bytes.chunks(piece_bytes) {
        stream.write_all(piece)?;
        stream.flush()?;
        if !answer.drip.is_none_or(|pause| shared.pause(pause)) {
            break;
        }
    }
    Ok(())
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn read_line(wire: &mut Wire) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    wire.by_ref().take(LINE_LIMIT_BYTES).read_until(b'\n', &mut line)?;
    match line.strip_suffix(b"\r\n") {
        Some(line) => Ok(Some(String::from_utf8_lossy(line).into_owned())),
        None if line.is_empty() => Ok(None),
        None => Err(invalid("a line that is cut, too long, or does not end in CR LF")),
    }
}

/// The request line and the headers; nothing when the client has closed the connection.
fn read_head(wire: &mut Wire, connection: usize) -> io::Result<Option<Request>> {
    let Some(line) = read_line(wire)? else { return Ok(None) };
    let mut words = line.split(' ');
    let (Some(method), Some(path), Some("HTTP/1.1"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(invalid("no request line of HTTP/1.1"));
    };
    let mut headers = Vec::new();
    loop {
        let line = read_line(wire)?.ok_or_else(|| invalid("cut within the headers"))?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| invalid("a header without ':'"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_string()));
    }
    Ok(Some(Request {
        method: method.into(),
        path: path.into(),
        headers,
        body: Vec::new(),
        raw_body_bytes: 0,
        arrived: Instant::now(),
        connection,
        accepted: AtomicBool::new(false),
        ids: OnceLock::new(),
    }))
}

/// Reads and decompresses the body; says what is wrong with it when it is whole but no gzip.
fn read_body(wire: &mut Wire, request: &mut Request) -> io::Result<Option<&'static str>> {
    if request.header("expect").is_some() {
        wire.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        wire.get_mut().flush()?;
    }
    let mut body = Vec::new();
    if request.header("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        loop {
            let line = read_line(wire)?.ok_or_else(|| invalid("cut between two chunks"))?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| invalid("no chunk size"))?;
            if size == 0 {
                while read_line(wire)?.is_some_and(|trailer| !trailer.is_empty()) {}
                break;
            }
            read_exactly(wire, &mut body, size)?;
            read_line(wire)?;
        }
    } else if let Some(length) = request.header("content-length") {
        let length = length.parse().map_err(|_| invalid("no number as Content-Length"))?;
        read_exactly(wire, &mut body, length)?;
    }
    request.raw_body_bytes = body.len();
    let mut plain = Vec::new();
    if request.header("content-encoding") == Some("gzip") {
        if flate2::read::MultiGzDecoder::new(&*body).read_to_end(&mut plain).is_err() {
            request.body = body;
            return Ok(Some("the body is no gzip"));
        }
        body = plain;
    }
    request.body = body;
    Ok(None)
}

fn read_exactly(wire: &mut Wire, body: &mut Vec<u8>, count: usize) -> io::Result<()> {
    let start = body.len();
    if count > BODY_LIMIT_BYTES - start {
        return Err(invalid("a body that is too large for a test"));
    }
    body.resize(start + count, 0);
    wire.read_exact(&mut body[start..])
}

/// What a gateway needs to speak TLS: files in PEM. With `client_ca` it demands a certificate.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub client_ca: Option<PathBuf>,
}

impl TlsFiles {
    fn server_config(&self) -> Arc<ServerConfig> {
        // Named here, as a test process has no default provider, like the host's process.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain: Vec<_> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .expect("a chain of certificates");
        let key = PrivateKeyDer::from_pem_file(&self.key).expect("a private key");
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("ring offers TLS 1.2 and 1.3");
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let mut roots = RootCertStore::empty();
                roots.add(CertificateDer::from_pem_file(file).expect("a CA")).expect("a CA");
                let roots = Arc::new(roots);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                builder.with_client_cert_verifier(verifier.build().expect("a client CA"))
            }
        };
        Arc::new(builder.with_single_cert(chain, key).expect("a key that fits"))
    }
}

/// A CA, and under it a certificate for the server and one for a client, as PEM files in a folder
/// of their own. Every `Certificates` is another CA.
pub struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    /// For a gateway at 127.0.0.1 and localhost.
    pub fn new() -> Self {
        Self::make(&["127.0.0.1", "localhost"], 2100)
    }

    pub fn for_names(server_names: &[&str]) -> Self {
        Self::make(server_names, 2100)
    }

    /// The server's certificate ran out in 2001; the client's is good.
    pub fn expired() -> Self {
        Self::make(&["127.0.0.1", "localhost"], 2001)
    }

    fn make(server_names: &[&str], server_end_year: i32) -> Self {
        let folder = tempfile::tempdir().expect("a folder for certificates");
        let write = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).expect("a PEM file");
        };
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // A name of its own, or a wrong CA would fail at the signature and not as an unknown issuer.
        static CAS: AtomicUsize = AtomicUsize::new(1);
        let name = format!("test CA {}", CAS.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        let key = rcgen::KeyPair::generate().expect("a key");
        write("ca.pem", params.self_signed(&key).expect("a CA").pem());
        let issuer = rcgen::Issuer::new(params, key);
        let leaf = |name: &str, names: &[&str], usage, end_year| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let mut params = CertificateParams::new(names).expect("names for a certificate");
            params.distinguished_name.push(DnType::CommonName, name);
            params.extended_key_usages.push(usage);
            params.not_before = rcgen::date_time_ymd(2000, 1, 1);
            params.not_after = rcgen::date_time_ymd(end_year, 1, 1);
            let key = rcgen::KeyPair::generate().expect("a key");
            let certificate = params.signed_by(&key, &issuer).expect("a certificate");
            write(&format!("{name}.pem"), certificate.pem());
            write(&format!("{name}-key.pem"), key.serialize_pem());
        };
        leaf("server", server_names, ExtendedKeyUsagePurpose::ServerAuth, server_end_year);
        leaf("client", &["client"], ExtendedKeyUsagePurpose::ClientAuth, 2100);
        Certificates { folder }
    }

    /// `ca.pem`, `server.pem`, `server-key.pem`, `client.pem` or `client-key.pem`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn server(&self) -> TlsFiles {
        let (certificate, key) = (self.file("server.pem"), self.file("server-key.pem"));
        TlsFiles { certificate, key, client_ca: None }
    }

    /// The gateway demands a client's certificate of this CA.
    pub fn server_demanding_client(&self) -> TlsFiles {
        TlsFiles { client_ca: Some(self.file("ca.pem")), ..self.server() }
    }
}
