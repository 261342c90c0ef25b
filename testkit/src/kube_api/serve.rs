//! One connection, request after request: who asks, for what, and in which way it fails.

use std::io::{self, BufReader};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use event_gateway::clock;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::answer;
use super::asked::{Asked, Verb};
use super::pages::Page;
use super::replica::Replica;
use super::request::{Form, Request};
use super::shared::State;
use super::status::Refusal;
use super::transport::{Delivery, Socket, Wire};
use super::watch;
use super::write::{self, Sent};
use crate::http;

/// `blockTimeout` of the real watch cache.
const FRESH_WAIT: Duration = Duration::from_secs(3);
const FRESH_LOOK: Duration = Duration::from_millis(10);

pub(super) fn serve(replica: &Replica, stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = match tls {
        None => Socket::Plain(stream),
        Some(config) => {
            let session = ServerConnection::new(config).map_err(io::Error::other)?;
            Socket::Tls(Box::new(StreamOwned::new(session, stream)))
        }
    };
    let mut wire = BufReader::with_capacity(16 << 10, socket);
    while let Some(head) = http::read_head(&mut wire)? {
        let request = Request::new(&head);
        // Also one that has no meaning here must not be taken for the next request.
        let body = http::read_body(&mut wire, &head)?;
        let sent = Sent { body, content_type: head.header("content-type").map(str::to_owned) };
        answer(replica, &mut wire, &request, &sent)?;
        if head.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            break;
        }
    }
    Ok(())
}

fn answer(replica: &Replica, wire: &mut Wire, request: &Request, sent: &Sent) -> io::Result<()> {
    let admitted = {
        let mut state = replica.lock();
        state.requests.push(request.clone());
        replica.seen.notify_all();
        admit(&mut state, replica, request)
    };
    let (asked, verb, form) = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => return answer::refuse(wire, &refusal),
    };
    let resource = asked.resource;
    if verb == Verb::Watch {
        return match watch::begin(replica, resource, request) {
            Ok(start) => watch::run(replica, wire, (resource, &asked.scope, form), request, start),
            Err(refusal) => answer::refuse(wire, &refusal),
        };
    }
    let fault = replica.of(&mut replica.lock()).faults[resource.0].next(verb);
    if let Some(fault) = fault {
        fault.before(replica)?;
    }
    let instead = fault.and_then(|fault| fault.refusal(&asked));
    if verb.is_write() {
        let written = instead.map_or_else(|| write::write(replica, (&asked, verb, form), sent), Err);
        let written = write::remember(replica, request, &asked, fault, written);
        if let Some(fault) = fault {
            fault.after(replica)?;
        }
        return match written {
            Ok(written) => answer::object(wire, written.code, &written.body),
            Err(refusal) => answer::refuse(wire, &refusal),
        };
    }
    let (page, delivery) = match instead {
        Some(refusal) => (Err(refusal), Delivery::Whole),
        None => fresh_page(replica, &asked, request),
    };
    if let Some(fault) = fault {
        fault.after(replica)?;
    }
    match page {
        Ok(page) if verb == Verb::Get => single(wire, &asked, form, &page),
        Ok(page) => answer::list(replica, wire, resource, form, &page, delivery),
        Err(refusal) => answer::refuse(wire, &refusal),
    }
}

/// The order of a real server's handlers: authentication, flow control, authorisation, and then the resource.
fn admit(state: &mut State, replica: &Replica, request: &Request) -> Result<(Asked, Verb, Form), Refusal> {
    if let Some(token) = &state.token {
        let wanted = format!("Bearer {token}");
        if request.authorization.as_deref() != Some(&wanted) {
            return Err(Refusal::unauthorized());
        }
    }
    let mut asked = Asked::by(request).ok_or_else(Refusal::not_found)?;
    replica.of(state).refusal(&asked).map_or(Ok(()), Err)?;
    state.faults[asked.resource.0].refusal(&asked).map_or(Ok(()), Err)?;
    let verb = asked.verb.ok_or_else(Refusal::method_not_allowed)?;
    asked.select(request).map_err(Refusal::bad_request)?;
    // So does a real server whose feature WatchList is off.
    if request.parameter("sendInitialEvents").is_some() {
        return Err(Refusal::invalid("sendInitialEvents: Forbidden: the feature WatchList is disabled"));
    }
    let form = request.form(verb == Verb::List).map_err(Refusal::not_acceptable)?;
    Ok((asked, verb, form))
}

/// A watch cache that is behind the version asked for waits for it, and does not wait long. Etcd knows all versions
/// that there are, and refuses one of the future at once.
fn fresh_page(replica: &Replica, asked: &Asked, request: &Request) -> (Result<Page, Refusal>, Delivery) {
    let end = clock::monotonic() + FRESH_WAIT;
    loop {
        let (page, delivery) = {
            let mut state = replica.lock();
            let view = replica.of(&mut state).view(asked.resource);
            let State { store, pages, faults, .. } = &mut *state;
            (pages.page(store, view, &asked.scope, request), faults[asked.resource.0].delivery)
        };
        let waits =
            page.as_ref().is_err_and(Refusal::is_version_too_large) && asked.resource.has_watch_cache();
        if !waits || clock::monotonic() >= end || !replica.pause(FRESH_LOOK) {
            return (page, delivery);
        }
    }
}

/// The one object of a list that is narrowed to its name.
fn single(wire: &mut Wire, asked: &Asked, form: Form, page: &Page) -> io::Result<()> {
    let Some((_, object)) = page.snapshot.objects.last() else {
        let name = asked.scope.name.as_deref().unwrap_or_default();
        return answer::refuse(wire, &Refusal::object_not_found(asked.resource, name));
    };
    let mut body = Vec::new();
    object.write_alone(asked.resource, form, &mut body);
    answer::object(wire, 200, &body)
}
