//! One connection of a gateway, and what it shares with the others.

use std::collections::VecDeque;
use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection};

use super::answer::{Answer, Close};
use super::request::Request;
use crate::http::{self, Head};

pub(super) type Responder = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;
pub(super) type Cutter = Arc<dyn Fn(&Head, usize) -> Option<Answer> + Send + Sync>;
pub(super) type Greeter = Arc<dyn Fn(usize) -> Welcome + Send + Sync>;

/// How a connection is met.
#[derive(Clone)]
pub enum Welcome {
    /// As the gateway was started.
    Usual,
    /// With this certificate instead of the gateway's own.
    Under(Arc<ServerConfig>),
    /// Accepted, and nothing more: no byte is read or written until the gateway stops.
    Deaf,
    /// Accepted and closed.
    Shut,
}

pub(super) struct State {
    pub(super) script: VecDeque<Answer>,
    pub(super) default: Answer,
    pub(super) responder: Option<Responder>,
    pub(super) cutter: Option<Cutter>,
    pub(super) greeter: Option<Greeter>,
    /// How many requests have begun.
    begun: usize,
    pub(super) requests: Vec<Arc<Request>>,
    /// What went wrong on connections: handshakes that failed, requests that broke off.
    pub(super) complaints: Vec<String>,
    pub(super) stopping: bool,
    /// How often held answers were released.
    pub(super) releases: usize,
}

impl State {
    pub(super) fn new() -> Self {
        State {
            script: VecDeque::new(),
            default: Answer::ok(),
            responder: None,
            cutter: None,
            greeter: None,
            begun: 0,
            requests: Vec::new(),
            complaints: Vec::new(),
            stopping: false,
            releases: 0,
        }
    }

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

pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a release after so many; false when the gateway stops.
    fn wait_for_release(&self, seen: usize) -> bool {
        let held = |state: &mut State| !state.stopping && state.releases == seen;
        let waited = self.changed.wait_while(self.lock(), held);
        !waited.unwrap_or_else(PoisonError::into_inner).stopping
    }

    /// Sleeps, but not beyond a stop; false when the gateway stops.
    fn pause(&self, pause: Duration) -> bool {
        let running = |state: &mut State| !state.stopping;
        let waited = self.changed.wait_timeout_while(self.lock(), pause, running);
        !waited.unwrap_or_else(PoisonError::into_inner).0.stopping
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// One connection, request after request.
pub(super) fn serve(
    shared: &Shared,
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    connection: usize,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = stream.try_clone()?;
    let greeter = shared.lock().greeter.clone();
    let tls = match greeter.map_or(Welcome::Usual, |greet| greet(connection)) {
        Welcome::Usual => tls,
        Welcome::Under(config) => Some(config),
        Welcome::Shut => return Ok(()),
        Welcome::Deaf => {
            shared.pause(super::ENDLESS);
            return Ok(());
        }
    };
    let stream: Box<dyn Stream> = match tls {
        None => Box::new(stream),
        Some(config) => {
            let session = ServerConnection::new(config).map_err(io::Error::other)?;
            Box::new(rustls::StreamOwned::new(session, stream))
        }
    };
    let mut wire = BufReader::with_capacity(64 << 10, stream);
    while let Some(head) = http::read_head(&mut wire)? {
        let (number, cut, cutter) = {
            let mut state = shared.lock();
            state.begun += 1;
            (state.begun, state.take_cut(), state.cutter.clone())
        };
        let cut = cut.or_else(|| cutter.and_then(|cut| cut(&head, number)));
        let body = if cut.is_some() { None } else { Some(http::read_body(&mut wire, &head)?) };
        let (request, fault) = Request::new(head, body, connection, number);
        let close_wanted = request.header("connection").is_some_and(|value| value.contains("close"));
        let request = Arc::new(request);
        let (scripted, default, responder, releases) = {
            let mut state = shared.lock();
            state.requests.push(Arc::clone(&request));
            let scripted = cut.or_else(|| if fault.is_none() { state.script.pop_front() } else { None });
            (scripted, state.default.clone(), state.responder.clone(), state.releases)
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
        if answer.held && !shared.wait_for_release(releases) {
            return Ok(());
        }
        if answer.accepts() {
            request.accepted.store(true, Ordering::SeqCst);
            shared.changed.notify_all();
        }
        if matches!(answer.close, Close::BeforeBody | Close::BeforeAnswer) {
            return Ok(());
        }
        if answer.has_more() {
            cork(&socket, true)?;
        }
        answer.write(wire.get_mut(), |pause| shared.pause(pause))?;
        if answer.has_more() {
            cork(&socket, false)?;
        }
        if close_wanted || answer.close == Close::AfterAnswer {
            return Ok(());
        }
    }
    Ok(())
}

/// Holds back what is written until the cork is out, so that it arrives at once: whether the other side sees one
/// answer or one and a half is no matter of chance then.
#[allow(unsafe_code)]
fn cork(socket: &TcpStream, on: bool) -> io::Result<()> {
    let on = i32::from(on);
    // SAFETY: setsockopt(2) reads an int that lives across the call; the descriptor is open.
    let ret = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_CORK, (&raw const on).cast(), 4)
    };
    if ret == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
