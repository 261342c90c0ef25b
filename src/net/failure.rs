//! Why a request got no response, in words that a person can act on.
//!
//! ureq's own texts are left out where they may quote the URL, whose query may be a secret, or bytes from outside.

use std::io;
use std::time::Duration;

use ureq::{Error, Timeout};

use super::peer::Peer;
use crate::metrics::FailureClass;

/// The text for a log line. `limit` is the time that the request had.
#[must_use]
pub fn described(error: &Error, peer: &Peer, limit: Duration, https: bool) -> String {
    let Peer { name, url_key, .. } = peer;
    match error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve) => "no connection in time".into(),
        Error::Timeout(_) => format!("no answer within {limit:?} (timeout)"),
        Error::HostNotFound => format!("{name}'s host name has no address: look at {url_key}"),
        Error::Io(error) if hung_up(error) && https => match peer.client_keys {
            // With TLS 1.3 a client learns of a refused certificate only after it began to send, and the alert may be
            // lost then.
            Some((certificate, _)) => format!(
                "{name} hung up without an answer: it may require a client certificate ({certificate}), or \
                 not speak TLS (http:// in {url_key})"
            ),
            None => format!("{name} hung up without an answer: it may not speak TLS (http:// in {url_key})"),
        },
        Error::Io(error) if hung_up(error) => format!("{name} hung up without an answer"),
        Error::Io(error) => format!("{error}{}", hint(&error.to_string(), peer)),
        Error::Rustls(error) => format!("TLS: {error}{}", hint(&error.to_string(), peer)),
        Error::Tls(text) => format!("TLS: {text}"),
        Error::LargeResponseHeader(..) => "the answer's headers are too large".into(),
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => {
            "the proxy did not connect: look at HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the environment"
                .into()
        }
        Error::Protocol(_) => format!("the answer is not HTTP/1.1: look at {url_key}"),
        _ => "the request could not be made".into(),
    }
}

/// The class of the failure, for the metrics.
#[must_use]
pub fn class(error: &Error, https: bool) -> FailureClass {
    match error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve) | Error::HostNotFound => FailureClass::Connect,
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl | Error::ConnectionFailed => {
            FailureClass::Connect
        }
        Error::Timeout(_) => FailureClass::Timeout,
        Error::Rustls(_) | Error::Tls(_) => FailureClass::Tls,
        Error::Io(error) if hung_up(error) => FailureClass::Cut,
        Error::Io(error) if https && is_of_tls(error) => FailureClass::Tls,
        // An established connection rarely fails without being closed, so this is nearly always a failed connect.
        Error::Io(_) => FailureClass::Connect,
        Error::Protocol(_) | Error::LargeResponseHeader(..) => FailureClass::Protocol,
        _ => FailureClass::Other,
    }
}

/// rustls wraps its errors into those of the connection.
fn is_of_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}

fn hung_up(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof || reset(error)
}

fn reset(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
}

/// The key to check if TLS failed. rustls uses the same words at both ends of a connection.
fn hint(text: &str, peer: &Peer) -> String {
    let Peer { name, url_key, ca_key, .. } = peer;
    if text.contains("invalid peer certificate") {
        format!(": look at {ca_key}, and at the host in {url_key}")
    } else if text.contains("received fatal alert") {
        match peer.client_keys {
            Some((certificate, key)) => format!(": {name} refused TLS; look at {certificate} and {key}"),
            None => format!(": {name} refused TLS"),
        }
    } else if text.contains("InvalidContentType") || text.contains("corrupt message") {
        format!(": {name} does not speak TLS (http:// in {url_key}?)")
    } else {
        String::new()
    }
}

/// Whether the remote endpoint refused our certificate. With TLS 1.3 the alert arrives after the request was started,
/// and the remote endpoint has read nothing of it then.
#[must_use]
pub fn is_refused_certificate(error: &Error) -> bool {
    use rustls::AlertDescription as Alert;
    let alert = match error {
        Error::Rustls(error) => Some(error),
        Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref()),
        _ => None,
    };
    matches!(
        alert,
        Some(rustls::Error::AlertReceived(
            Alert::CertificateRequired
                | Alert::NoCertificate
                | Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
        ))
    )
}

/// Whether the remote endpoint may have hung up in the middle of the body, and its response was lost: a server may
/// refuse a body that is too large while it still receives it (RFC 9112, 9.6).
#[must_use]
pub fn cut_while_sending(error: &Error) -> bool {
    matches!(error, Error::Io(error) if reset(error))
}
