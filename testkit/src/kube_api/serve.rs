//! One connection, request after request: who asks, for what, and in which way it fails.

use std::io::{self, BufReader};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use event_gateway::clock;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::pages::Page;
use super::replica::Replica;
use super::request::{Form, Request};
use super::resource::Resource;
use super::shared::State;
use super::status::Refusal;
use super::transport::{Body, Delivery, Socket, Wire};
use super::watch;
use crate::http;

/// `blockTimeout` of the real watch cache.
const FRESH_WAIT: Duration = Duration::from_secs(3);
const FRESH_LOOK: Duration = Duration::from_millis(10);

/// From how many bytes on the parts of a list are written.
const WRITE_BYTES: usize = 64 << 10;

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
        // A body has no meaning here, and must not be taken for the next request.
        http::read_body(&mut wire, &head)?;
        answer(replica, &mut wire, &request)?;
        if head.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            break;
        }
    }
    Ok(())
}

fn answer(replica: &Replica, wire: &mut Wire, request: &Request) -> io::Result<()> {
    let admitted = {
        let mut state = replica.lock();
        state.requests.push(request.clone());
        replica.seen.notify_all();
        admit(&mut state, replica, request)
    };
    let (resource, namespace, form) = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => return refuse(wire, &refusal),
    };
    if request.is_watch() {
        return match watch::begin(replica, resource, request) {
            Ok(start) => watch::run(replica, wire, (resource, namespace, form), request, start),
            Err(refusal) => refuse(wire, &refusal),
        };
    }
    let (page, delivery) = fresh_page(replica, resource, namespace, request);
    match page {
        Ok(page) => list(replica, wire, resource, form, &page, delivery),
        Err(refusal) => refuse(wire, &refusal),
    }
}

/// The order of a real server's handlers: authentication, flow control, authorisation, and then the resource.
fn admit<'a>(
    state: &mut State,
    replica: &Replica,
    request: &'a Request,
) -> Result<(Resource, Option<&'a str>, Form), Refusal> {
    if let Some(token) = &state.token {
        let wanted = format!("Bearer {token}");
        if request.authorization.as_deref() != Some(&wanted) {
            return Err(Refusal::unauthorized());
        }
    }
    let (resource, namespace) = Resource::of_path(request.path()).ok_or_else(Refusal::not_found)?;
    let verb = if request.is_watch() { "watch" } else { "list" };
    replica.of(state).refusal(resource, verb).map_or(Ok(()), Err)?;
    state.faults[resource.0].refusal(resource, verb).map_or(Ok(()), Err)?;
    if request.method != "GET" {
        return Err(Refusal::method_not_allowed());
    }
    // Answering as if there were no selector would be a lie that a test may not notice.
    if ["labelSelector", "fieldSelector"].iter().any(|name| request.parameter(name).is_some()) {
        return Err(Refusal::bad_request("the test API server knows no selectors"));
    }
    // So does a real server whose feature WatchList is off.
    if request.parameter("sendInitialEvents").is_some() {
        return Err(Refusal::invalid("sendInitialEvents: Forbidden: the feature WatchList is disabled"));
    }
    let form = request.form().map_err(Refusal::not_acceptable)?;
    Ok((resource, namespace, form))
}

/// A watch cache that is behind the version asked for waits for it, and does not wait long.
fn fresh_page(
    replica: &Replica,
    resource: Resource,
    namespace: Option<&str>,
    request: &Request,
) -> (Result<Page, Refusal>, Delivery) {
    let end = clock::monotonic() + FRESH_WAIT;
    loop {
        let (page, delivery) = {
            let mut state = replica.lock();
            let moment = replica.of(&mut state).moment(resource);
            let State { store, pages, faults, .. } = &mut *state;
            (pages.page(store, (resource, moment), namespace, request), faults[resource.0].delivery)
        };
        let is_behind = page.as_ref().is_err_and(Refusal::is_version_too_large);
        if !is_behind || clock::monotonic() >= end || !replica.pause(FRESH_LOOK) {
            return (page, delivery);
        }
    }
}

fn refuse(wire: &mut Wire, refusal: &Refusal) -> io::Result<()> {
    let body = refusal.body.to_string();
    let retry_after = refusal.retry_after_seconds;
    let retry_after = retry_after.map_or_else(String::new, |seconds| format!("Retry-After: {seconds}\r\n"));
    let head = format!(
        "HTTP/1.1 {} Refused\r\nContent-Type: application/json\r\n{retry_after}Content-Length: {}\r\n\r\n",
        refusal.code,
        body.len()
    );
    let mut out = Body::new(wire.get_mut(), Delivery::Whole, &|_| true);
    out.write_plain(format!("{head}{body}").as_bytes())?;
    out.flush()
}

fn list(
    replica: &Replica,
    wire: &mut Wire,
    resource: Resource,
    form: Form,
    page: &Page,
    delivery: Delivery,
) -> io::Result<()> {
    let objects = &page.snapshot.objects[page.range.clone()];
    let mut metadata = serde_json::json!({ "resourceVersion": page.snapshot.version.to_string() });
    if let Some(token) = &page.next_token {
        metadata["continue"] = token.as_str().into();
        metadata["remainingItemCount"] = (page.snapshot.objects.len() - page.range.end).into();
    }
    let names = resource.names();
    let (kind, version) = match form {
        Form::Whole => (format!("{}List", names.kind), names.api_version),
        Form::Metadata => ("PartialObjectMetadataList".into(), "meta.k8s.io/v1"),
    };
    let start =
        format!("{{\"kind\":\"{kind}\",\"apiVersion\":\"{version}\",\"metadata\":{metadata},\"items\":[");
    // Items have no kind, but partial ones do: they are made from objects, not read from a list.
    let parts = objects.iter().enumerate().flat_map(|(index, (_, object))| {
        let comma: &[u8] = if index == 0 { b"" } else { b"," };
        match form {
            Form::Whole => [comma, object.item(), b""],
            Form::Metadata => [comma, watch::PARTIAL_START, object.metadata()],
        }
        .into_iter()
        .chain((form == Form::Metadata).then_some(&b"}"[..]))
    });
    let parts = std::iter::once(start.as_bytes()).chain(parts).chain(std::iter::once(&b"]}\n"[..]));

    let pause = |pause| replica.pause(pause);
    let mut out = Body::new(wire.get_mut(), delivery, &pause);
    let whole = delivery == Delivery::Whole;
    let framing = if whole {
        format!("Content-Length: {}", parts.clone().map(<[u8]>::len).sum::<usize>())
    } else {
        "Transfer-Encoding: chunked".into()
    };
    out.write_plain(
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{framing}\r\n\r\n").as_bytes(),
    )?;
    let mut buffer = Vec::with_capacity(2 * WRITE_BYTES);
    let mut send = |buffer: &mut Vec<u8>| {
        if whole {
            out.write_plain(buffer)?;
        } else {
            out.add(buffer)?;
            out.flush()?;
        }
        buffer.clear();
        io::Result::Ok(())
    };
    for part in parts {
        buffer.extend(part);
        if buffer.len() >= WRITE_BYTES {
            send(&mut buffer)?;
        }
    }
    send(&mut buffer)?;
    if whole { out.flush() } else { out.end() }
}
