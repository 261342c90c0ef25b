//! Writes one answer: a refusal, an object, or a page of a list.

use std::io;

use super::object::PARTIAL_START;
use super::pages::Page;
use super::replica::Replica;
use super::request::Form;
use super::resource::Resource;
use super::status::Refusal;
use super::transport::{Body, Delivery, Wire};

/// From how many bytes on the parts of a list are written.
const WRITE_BYTES: usize = 64 << 10;

pub(super) fn refuse(wire: &mut Wire, refusal: &Refusal) -> io::Result<()> {
    let retry_after = refusal.retry_after_seconds;
    let retry_after = retry_after.map_or_else(String::new, |seconds| format!("Retry-After: {seconds}\r\n"));
    write_whole(
        wire,
        &format!("{} Refused\r\n{retry_after}", refusal.code),
        refusal.body.to_string().as_bytes(),
    )
}

/// One object, which was read (200) or made (201).
pub(super) fn object(wire: &mut Wire, code: u16, body: &[u8]) -> io::Result<()> {
    let reason = if code == 201 { "Created" } else { "OK" };
    write_whole(wire, &format!("{code} {reason}\r\n"), body)
}

/// An answer of known length; the start is the status and headers, each with its line end.
fn write_whole(wire: &mut Wire, start: &str, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {start}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    let mut out = Body::new(wire.get_mut(), Delivery::Whole, &|_| true);
    out.write_plain(&[head.as_bytes(), body].concat())?;
    out.flush()
}

/// A page of a list, part by part: some are too large to be put together.
pub(super) fn list(
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
            Form::Metadata => [comma, PARTIAL_START, object.metadata()],
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
