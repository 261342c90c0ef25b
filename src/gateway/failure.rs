//! What a request that got no answer died of, in words a person can act on.
//!
//! ureq's own texts are not passed on where they may quote the URL (its query may be a secret) or bytes
//! that came from outside.

use std::io;
use std::time::Duration;

use ureq::{Error, Timeout};

/// For a log line. `limit` is the `timeout` of the settings.
pub(super) fn described(error: &Error, limit: Duration, https: bool) -> String {
    match error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve) => "no connection in time".into(),
        Error::Timeout(_) => format!("no answer within {limit:?} (timeout)"),
        Error::HostNotFound => "the gateway's host name has no address: look at endpoint".into(),
        Error::Io(error) if hung_up(error) && https => {
            // With TLS 1.3 a client learns of a refused certificate only after it began to send, and the
            // alert that says so may be lost then.
            "the gateway hung up without an answer: it may want a client certificate (client_cert_file), or \
             speak no TLS (http:// in endpoint)"
                .into()
        }
        Error::Io(error) if hung_up(error) => "the gateway hung up without an answer".into(),
        Error::Io(error) => format!("{error}{}", hint(&error.to_string())),
        Error::Rustls(error) => format!("TLS: {error}{}", hint(&error.to_string())),
        Error::Tls(text) => format!("TLS: {text}"),
        Error::LargeResponseHeader(..) => "the answer's headers are too large".into(),
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => {
            "the proxy made no connection: look at HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the environment"
                .into()
        }
        Error::Protocol(_) => "the answer is not HTTP/1.1: look at endpoint".into(),
        _ => "the request could not be made".into(),
    }
}

fn hung_up(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof || reset(error)
}

fn reset(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
}

/// The key to look at when TLS is the trouble; rustls words it the same way at both ends of a connection.
fn hint(text: &str) -> &'static str {
    if text.contains("invalid peer certificate") {
        ": look at ca_file, and at the host in endpoint"
    } else if text.contains("received fatal alert") {
        ": the gateway refused TLS; look at client_cert_file and client_key_file"
    } else if text.contains("InvalidContentType") || text.contains("corrupt message") {
        ": the gateway does not speak TLS (http:// in endpoint?)"
    } else {
        ""
    }
}

/// Whether the gateway may have hung up in the middle of the body, with an answer that got lost: servers
/// refuse a body that is too large while it still comes in (RFC 9112, 9.6).
pub(super) fn cut_while_sending(error: &Error) -> bool {
    matches!(error, Error::Io(error) if reset(error))
}
